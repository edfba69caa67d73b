/*
 * redis_owed_test.c: what was used while Redis was away: one sum for the same limits, several for different ones, nothing lost.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "store/redis_owed.h"

static struct owed_sums sums;

static int open_sums(void **state)
{
	(void)state;
	owed_sums_open(&sums);
	return 0;
}

static int close_sums(void **state)
{
	(void)state;
	for (struct owed_sum *s; (s = owed_sums_take(&sums));)
		free(s);
	return 0;
}

static bool settle(struct str scope, struct str key, int64_t period, int64_t money)
{
	const struct store_limit limits[] = {
		{ .key = STR("requests"), .kind = STORE_REQUESTS, .amount = 1, .limit = 9, .span_s = 60 },
		{ .key = key, .kind = STORE_BUDGET, .amount = 100, .limit = 1000, .period_start = period, .period_end = period + 60 },
	};
	const struct store_reservation r = { .scope = scope, .limits = limits, .n = 2 };
	return owed_sums_settle(&sums, &r, (const int64_t[]){ 1, money });
}

static void one_sum_for_the_same_limits(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_true(settle(STR("team"), STR("budget"), 60, 7));
	assert_int_equal(sums.n, 1);
	struct owed_sum *s = owed_sums_take(&sums);
	assert_true(str_eq(s->r.scope, STR("team")) && str_eq(s->r.limits[1].key, STR("budget")));
	assert_int_equal(s->r.limits[1].period_start, 60);
	assert_int_equal(s->real[0], 1000);
	assert_int_equal(s->real[1], 7000);
	free(s);
	assert_null(owed_sums_take(&sums));
	assert_true(settle(STR("team"), STR("budget"), 60, 7));	/* anew, not to what was taken */
	assert_int_equal(sums.n, 1);
}

static void another_scope_key_or_period_is_another_sum(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_true(settle(STR("team"), STR("budget"), 60, 1));
		assert_true(settle(STR("other"), STR("budget"), 60, 2));
		assert_true(settle(STR("team"), STR("other"), 60, 3));
		assert_true(settle(STR("team"), STR("budget"), 120, 4));
	}
	int64_t total = 0;
	unsigned n = 0;
	for (struct owed_sum *s; (s = owed_sums_take(&sums)); free(s), n++)
		total += s->real[1];
	assert_int_equal(total, 30);
	assert_in_range(n, 4, 12);
}

static void sums_for_reports(void **state)
{
	(void)state;
	struct store_tally t = { .day = 20000, .name = STR("web|m"), .otherwise = STR("others"), .counts = { 1, 0, 10, 3, 22000, 0 } };
	for (int i = 0; i < 50; i++)
		assert_true(owed_sums_tally(&sums, &t));
	t.day++;
	assert_true(owed_sums_tally(&sums, &t));
	struct owed_sum *s = owed_sums_take(&sums);
	assert_true(s->is_tally && s->tally.day == 20000 && str_eq(s->tally.otherwise, STR("others")));
	assert_int_equal(s->tally.counts[4], 50 * 22000);
	free(s);
	assert_int_equal(sums.n, 1);
}

/* More of them than there are places: none is lost until there are too many, which is said. */
static void many_names(void **state)
{
	(void)state;
	char name[24];
	for (int i = 0; i < STORE_OWED_MAX; i++)
		assert_true(settle(str_of(name, (size_t)snprintf(name, sizeof(name), "team%d", i)), STR("budget"), 60, 1));
	assert_int_equal(sums.n, STORE_OWED_MAX);
	assert_false(settle(STR("one more"), STR("budget"), 60, 1));
	assert_true(settle(str_of(name, (size_t)snprintf(name, sizeof(name), "team%d", STORE_OWED_MAX - 1)), STR("budget"), 60, 1));
	for (int i = 0; i < STORE_OWED_MAX; i++) {
		struct owed_sum *s = owed_sums_take(&sums);
		snprintf(name, sizeof(name), "team%d", i);
		assert_true(str_eq(s->r.scope, str_c(name)));
		free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_sum_for_the_same_limits, open_sums, close_sums),
		cmocka_unit_test_setup_teardown(another_scope_key_or_period_is_another_sum, open_sums, close_sums),
		cmocka_unit_test_setup_teardown(sums_for_reports, open_sums, close_sums),
		cmocka_unit_test_setup_teardown(many_names, open_sums, close_sums),
	};
	return cmocka_run_group_tests_name("store: owed", tests, NULL, NULL);
}
