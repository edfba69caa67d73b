/*
 * address.c: where to listen, as it is written.
 */
#include <arpa/inet.h>
#include <sys/un.h>

#include "config/build.h"

enum { HOST_MAX = 253 };

struct written {
	struct str host, port;
	bool v6;
};

static bool split(struct str address, struct written *out)
{
	ptrdiff_t colon = str_rchr(address, ':');
	if (colon < 0)
		return false;
	out->host = str_head(address, (size_t)colon);
	out->port = str_skip(address, (size_t)colon + 1);
	out->v6 = out->host.n > 2 && out->host.p[0] == '[' && out->host.p[out->host.n - 1] == ']';
	if (out->v6)
		out->host = str_of(out->host.p + 1, out->host.n - 2);
	return out->host.n <= HOST_MAX;
}

/* The host as a literal address of the family. */
static bool literal(struct str host, int family, void *to)
{
	char text[HOST_MAX + 1];
	if (host.n > HOST_MAX)
		return false;
	memcpy(text, host.n ? host.p : "", host.n);
	text[host.n] = '\0';
	return inet_pton(family, text, to) == 1;
}

static bool is_name(struct str host)
{
	for (size_t i = 0; i < host.n; i++) {
		char c = host.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_'))
			return false;
	}
	return true;
}

const char *address_check(struct str address)
{
	struct written w;
	struct in6_addr six;
	uint64_t port;
	if (str_starts(address, STR("unix:"))) {
		if (address.n == 5 || address.n - 5 >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
			return "a unix: path has 1 to 107 bytes";
		return NULL;
	}
	if (!split(address, &w))
		return "expected host:port, [v6]:port, :port or unix:/path";
	if (!str_u64(w.port, &port) || port > 65535)
		return "its port is not a number from 0 to 65535";
	if (w.v6)
		return literal(w.host, AF_INET6, &six) ? NULL : "no IPv6 address stands between the brackets";
	return is_name(w.host) ? NULL : "its host is neither a name nor an address; IPv6 goes in brackets";
}

bool address_is_local(struct str address)
{
	struct written w;
	struct in_addr four;
	struct in6_addr six;
	if (str_starts(address, STR("unix:")))
		return true;
	if (!split(address, &w))
		return false;
	if (w.v6)
		return literal(w.host, AF_INET6, &six) && IN6_IS_ADDR_LOOPBACK(&six);
	if (literal(w.host, AF_INET, &four))
		return (ntohl(four.s_addr) >> 24) == 127;
	return str_ieq(w.host, STR("localhost"));
}
