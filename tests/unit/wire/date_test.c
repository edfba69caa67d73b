/*
 * date_test.c: good dates, and everything else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "wire/date.h"

static void good_ones(void **state)
{
	int64_t s;
	(void)state;
	assert_true(date_http(STR("Sun, 06 Nov 1994 08:49:37 GMT"), &s));
	assert_int_equal(s, 784111777);
	assert_true(date_iso(STR("1994-11-06T08:49:37Z"), &s));
	assert_int_equal(s, 784111777);
	assert_true(date_iso(STR("1994-11-06T08:49:37.123456Z"), &s));
	assert_true(date_iso(STR("1994-11-06 08:49:37+00:00"), &s));
	assert_int_equal(s, 784111777);
	assert_true(date_iso(STR("2030-02-28T23:59:60Z"), &s));
}

static void bad_ones(void **state)
{
	static const struct str bad[] = {
		STR_INIT(""), STR_INIT("Sun, 06 Nov 1994 08:49:37"), STR_INIT("Sunday, 06-Nov-94 08:49:37 GMT"),
		STR_INIT("Sun, 06 Nox 1994 08:49:37 GMT"), STR_INIT("Sun, 06 unF 1994 08:49:37 GMT"),
		STR_INIT("Sun, 32 Nov 1994 08:49:37 GMT"), STR_INIT("Sun, 06 Nov 1994 24:49:37 GMT"),
		STR_INIT("Sun, 06 Nov 1994 08:49:3x GMT"), STR_INIT("1994-11-06T08:49:37"), STR_INIT("1994-11-06T08:49:37+02:00"),
		STR_INIT("1994-13-06T08:49:37Z"), STR_INIT("1994-11-00T08:49:37Z"), STR_INIT("1994-11-06T08:49:37.12x"),
		STR_INIT("1994-11-06T08:49:61Z"), STR_INIT("-994-11-06T08:49:37Z"), STR_INIT("1994/11/06T08:49:37Z"),
	};
	int64_t s;
	(void)state;
	for (size_t i = 0; i < array_len(bad); i++)
		assert_false(date_http(bad[i], &s) || date_iso(bad[i], &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(good_ones), cmocka_unit_test(bad_ones) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
