/*
 * address.c: which addresses a provider may be reached at without saying so.
 *
 * Forms that carry an IPv4 address within an IPv6 one are judged by the address within;
 * forms whose way cannot be told (Teredo, site-local NAT64) count as private. A family
 * that is not known here counts as private too.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/resolver.h"

struct v4_block {
	uint32_t base;
	unsigned bits;
};

#define V4(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static const struct v4_block v4_private[] = {
	{ V4(0, 0, 0, 0), 8 },
	{ V4(10, 0, 0, 0), 8 },
	{ V4(100, 64, 0, 0), 10 },	/* CGNAT; Alibaba's metadata at 100.100.100.200 */
	{ V4(127, 0, 0, 0), 8 },
	{ V4(168, 63, 129, 16), 32 },	/* Azure's wire server */
	{ V4(169, 254, 0, 0), 16 },	/* link-local; most clouds' metadata */
	{ V4(172, 16, 0, 0), 12 },
	{ V4(192, 0, 0, 0), 24 },	/* protocol assignments; Oracle's metadata */
	{ V4(192, 0, 2, 0), 24 },
	{ V4(192, 88, 99, 0), 24 },
	{ V4(192, 168, 0, 0), 16 },
	{ V4(198, 18, 0, 0), 15 },
	{ V4(198, 51, 100, 0), 24 },
	{ V4(203, 0, 113, 0), 24 },
	{ V4(224, 0, 0, 0), 3 },	/* multicast, reserved, broadcast */
};

struct v6_block {
	uint8_t base[16];
	unsigned bits;
	int within;	/* offset of the IPv4 address to judge by; -1: private as it is */
};

/* The first that matches decides. */
static const struct v6_block v6_blocks[] = {
	{ { [10] = 0xff, [11] = 0xff }, 96, 12 },			/* mapped */
	{ { [8] = 0xff, [9] = 0xff }, 96, 12 },				/* translated */
	{ { 0, 0x64, 0xff, 0x9b }, 96, 12 },				/* NAT64 */
	{ { 0x20, 0x02 }, 16, 2 },					/* 6to4 */
	{ { 0, 0x64, 0xff, 0x9b, 0, 0x01 }, 48, -1 },			/* local NAT64 */
	{ { 0x01, 0x00 }, 64, -1 },					/* discard */
	{ { 0x20, 0x01, 0, 0 }, 23, -1 },				/* assignments; Teredo */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32, -1 },				/* documentation */
};

static bool v4_is_private(uint32_t a)
{
	for (size_t i = 0; i < sizeof(v4_private) / sizeof(v4_private[0]); i++)
		if ((a ^ v4_private[i].base) >> (32 - v4_private[i].bits) == 0)
			return true;
	return false;
}

static bool v6_within(const uint8_t *a, const struct v6_block *b)
{
	unsigned whole = b->bits / 8, rest = b->bits % 8;
	if (memcmp(a, b->base, whole) != 0)
		return false;
	return rest == 0 || (a[whole] ^ b->base[whole]) >> (8 - rest) == 0;
}

static bool v6_is_private(const uint8_t *a)
{
	for (size_t i = 0; i < sizeof(v6_blocks) / sizeof(v6_blocks[0]); i++) {
		uint32_t v4;
		if (!v6_within(a, &v6_blocks[i]))
			continue;
		if (v6_blocks[i].within < 0)
			return true;
		memcpy(&v4, a + v6_blocks[i].within, sizeof(v4));
		return v4_is_private(ntohl(v4));
	}
	/* Global unicast is 2000::/3; all else is loopback, local, multicast or not handed out. */
	return a[0] >> 5 != 1;
}

bool address_is_private(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, sa, sizeof(in));
		return v4_is_private(ntohl(in.sin_addr.s_addr));
	}
	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, sa, sizeof(in6));
		return v6_is_private(in6.sin6_addr.s6_addr);
	}
	return true;
}
