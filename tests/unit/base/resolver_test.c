/*
 * resolver_test.c: which addresses are private, and rows of names.
 */
#include "base/resolver.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"

struct judged {
	const char *address;
	bool is_private;
};

static const struct judged addresses[] = {
	{ "0.0.0.0", true }, { "0.1.2.3", true }, { "1.1.1.1", false }, { "8.8.8.8", false },
	{ "9.255.255.255", false }, { "10.0.0.0", true }, { "10.255.255.255", true }, { "11.0.0.0", false },
	{ "100.63.255.255", false }, { "100.64.0.0", true }, { "100.100.100.200", true },
	{ "100.127.255.255", true }, { "100.128.0.0", false }, { "126.255.255.255", false },
	{ "127.0.0.1", true }, { "127.255.255.255", true }, { "128.0.0.1", false },
	{ "168.63.129.15", false }, { "168.63.129.16", true }, { "168.63.129.17", false },
	{ "169.253.255.255", false }, { "169.254.169.254", true }, { "169.255.0.0", false },
	{ "172.15.255.255", false }, { "172.16.0.1", true }, { "172.31.255.255", true }, { "172.32.0.0", false },
	{ "192.0.0.192", true }, { "192.0.1.0", false }, { "192.0.2.1", true }, { "192.88.99.1", true },
	{ "192.167.255.255", false }, { "192.168.0.1", true }, { "192.169.0.0", false },
	{ "198.17.255.255", false }, { "198.18.0.1", true }, { "198.19.255.255", true }, { "198.20.0.0", false },
	{ "198.51.100.7", true }, { "203.0.113.7", true }, { "223.255.255.255", false },
	{ "224.0.0.1", true }, { "239.255.255.255", true }, { "240.0.0.1", true }, { "255.255.255.255", true },
	{ "::", true }, { "::1", true }, { "::2", true }, { "::127.0.0.1", true }, { "::8.8.8.8", true },
	{ "::ffff:127.0.0.1", true }, { "::ffff:10.0.0.1", true }, { "::ffff:169.254.169.254", true },
	{ "::ffff:8.8.8.8", false }, { "::ffff:0:10.0.0.1", true }, { "::ffff:0:8.8.8.8", false },
	{ "64:ff9b::10.0.0.1", true }, { "64:ff9b::169.254.169.254", true }, { "64:ff9b::8.8.8.8", false },
	{ "64:ff9b:1::8.8.8.8", true }, { "64:ff9c::1", true }, { "100::1", true },
	{ "2002:a00:1::1", true }, { "2002:7f00:1::", true }, { "2002:808:808::1", false },
	{ "2001::1", true }, { "2001:0:808:808::1", true }, { "2001:db8::1", true },
	{ "2001:4860:4860::8888", false }, { "2606:4700::1111", false }, { "2a00:1450:4001::1", false },
	{ "fc00::1", true }, { "fd00:ec2::254", true }, { "fdff::1", true }, { "fe80::1", true },
	{ "febf::1", true }, { "fec0::1", true }, { "ff02::1", true }, { "4000::1", true }, { "1fff::1", true },
};

static bool judge(const char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		return address_is_private((struct sockaddr *)&in);
	assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
	return address_is_private((struct sockaddr *)&in6);
}

static void private_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(addresses); i++)
		if (judge(addresses[i].address) != addresses[i].is_private)
			fail_msg("%s", addresses[i].address);
}

static void other_families_are_private(void **state)
{
	struct sockaddr sa = { .sa_family = AF_UNIX };
	(void)state;
	assert_true(address_is_private(&sa));
}

static void literals_are_ready_at_once(void **state)
{
	struct address_set set;
	char text[INET6_ADDRSTRLEN];
	(void)state;
	assert_true(resolved_addresses(resolver_row(STR("192.0.2.7"), 81), &set));
	assert_int_equal(set.n, 1);
	assert_int_equal(set.a[0].length, sizeof(struct sockaddr_in));
	assert_int_equal(ntohs(((struct sockaddr_in *)&set.a[0].sa)->sin_port), 81);
	assert_true(resolved_addresses(resolver_row(STR("2001:db8::7"), 81), &set));
	assert_non_null(inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&set.a[0].sa)->sin6_addr, text, sizeof(text)));
	assert_string_equal(text, "2001:db8::7");
}

static void rows_are_made_once(void **state)
{
	(void)state;
	assert_ptr_equal(resolver_row(STR("192.0.2.7"), 81), resolver_row(STR("192.0.2.7"), 81));
	assert_ptr_not_equal(resolver_row(STR("192.0.2.7"), 81), resolver_row(STR("192.0.2.7"), 82));
	assert_ptr_equal(resolver_row(STR("LocalHost"), 81), resolver_row(STR("localhost"), 81));
}

static void stop(void *arg)
{
	loop_stop(arg);
}

static void a_name_is_waited_for(void **state)
{
	struct loop l;
	struct address_set set;
	struct resolved *r = resolver_row(STR("localhost"), 83);
	(void)state;
	assert_false(resolved_addresses(r, &set));
	assert_true(loop_open(&l));
	resolved_wait(r, &l, stop, &l);
	assert_true(resolver_start());
	loop_run(&l);
	assert_true(resolved_addresses(r, &set));
	assert_true(set.n > 0);
	resolver_stop();
	loop_close(&l);
}

static void never(void *arg)
{
	(void)arg;
	fail();
}

static void waiting_can_be_given_up(void **state)
{
	struct loop l;
	struct resolved *r = resolver_row(STR("localhost"), 84);
	(void)state;
	assert_true(loop_open(&l));
	resolved_wait(r, &l, never, r);
	assert_true(resolved_unwait(r, r));
	assert_false(resolved_unwait(r, r));
	loop_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(private_addresses), cmocka_unit_test(other_families_are_private),
		cmocka_unit_test(literals_are_ready_at_once), cmocka_unit_test(rows_are_made_once),
		cmocka_unit_test(a_name_is_waited_for), cmocka_unit_test(waiting_can_be_given_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
