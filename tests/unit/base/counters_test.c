/*
 * counters_test.c: sums over threads, full families, and both text formats.
 */
#include "base/counters.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const uint64_t bounds[] = { 1000, 500000, 1000000 };

static struct counter_family sums = {
	.name = "weir_sums_total", .help = "Sums.", .kind = COUNTER_SUM, .scale = 1, .labels = { "a", "b" },
};
static struct counter_family gauges = { .name = "weir_level", .help = "Level.", .kind = COUNTER_GAUGE, .scale = 1 };
static struct counter_family times = {
	.name = "weir_time_seconds", .help = "Time.", .kind = COUNTER_HISTOGRAM, .scale = 1e-6,
	.labels = { "a" }, .bounds = bounds, .n_bounds = 3,
};

static struct counter *sum_of(const char *a, const char *b)
{
	return counter_of(&sums, (struct str[]){ str_c(a), str_c(b) });
}

static void render(struct buf *b, bool openmetrics)
{
	buf_init(b, 16 << 20);
	assert_true(counters_render(b, openmetrics));
	buf_addc(b, '\0');
}

static void assert_renders(const char *text, bool openmetrics)
{
	struct buf b;
	render(&b, openmetrics);
	if (!strstr(b.p, text))
		fail_msg("no \"%s\" in:\n%s", text, b.p);
	buf_free(&b);
}

static void a_series_is_made_once(void **state)
{
	(void)state;
	assert_ptr_equal(sum_of("x", "y"), sum_of("x", "y"));
	assert_ptr_not_equal(sum_of("x", "y"), sum_of("xy", ""));
	counter_add(sum_of("x", "y"), 2);
	counter_add(sum_of("x", "y"), 3);
	assert_int_equal(counter_value(sum_of("x", "y")), 5);
	assert_renders("# HELP weir_sums_total Sums.\n# TYPE weir_sums_total counter\n", false);
	assert_renders("\nweir_sums_total{a=\"x\",b=\"y\"} 5\n", false);
	assert_renders("\nweir_sums_total{a=\"xy\",b=\"\"} 0\n", false);
}

static void openmetrics_names_the_family_without_total(void **state)
{
	(void)state;
	sum_of("x", "y");
	assert_renders("# TYPE weir_sums counter\nweir_sums_total{a=\"x\"", true);
	struct buf b;
	render(&b, true);
	b.n--;
	assert_true(str_ends(buf_str(&b), STR("\n# EOF\n")));
	buf_free(&b);
}

static void label_values_are_escaped(void **state)
{
	(void)state;
	counter_add(sum_of("a\"b", "c\\d\ne"), 1);
	assert_renders("weir_sums_total{a=\"a\\\"b\",b=\"c\\\\d\\ne\"} 1\n", false);
}

static void gauges_fall_and_are_set(void **state)
{
	(void)state;
	struct counter *g = counter_of(&gauges, NULL);
	counter_set(g, 7);
	counter_set(g, 4);
	assert_int_equal(counter_value(g), 4);
	assert_renders("\nweir_level 4\n", false);
}

static void histograms_are_cumulative(void **state)
{
	(void)state;
	struct counter *h = counter_of(&times, (struct str[]){ STR("x") });
	assert_true(counter_quantile(h, 0.5) < 0);
	counter_observe(h, 1000);	/* bounds are inclusive */
	counter_observe(h, 1001);
	counter_observe(h, 750000);
	counter_observe(h, 3000000);
	assert_int_equal(counter_value(h), 4);
	assert_renders("weir_time_seconds_bucket{a=\"x\",le=\"0.001\"} 1\n"
		       "weir_time_seconds_bucket{a=\"x\",le=\"0.5\"} 2\n"
		       "weir_time_seconds_bucket{a=\"x\",le=\"1\"} 3\n"
		       "weir_time_seconds_bucket{a=\"x\",le=\"+Inf\"} 4\n"
		       "weir_time_seconds_sum{a=\"x\"} 3.752001\n"
		       "weir_time_seconds_count{a=\"x\"} 4\n", false);
	assert_renders("le=\"1.0\"} 3\n", true);
	assert_true(counter_quantile(h, 0.5) == 500000);
	assert_true(counter_quantile(h, 0.625) == 750000);
	assert_true(counter_quantile(h, 1) == 1000000);
}

enum { THREADS = 4, ADDS = 20000 };

static void *count(void *with_page)
{
	if (with_page)
		counters_thread_begin();
	struct counter *h = counter_of(&times, (struct str[]){ STR("threads") });
	for (int i = 0; i < ADDS; i++) {
		counter_add(sum_of("threads", ""), 1);
		counter_observe(h, 10);
	}
	counters_thread_end();
	return NULL;
}

static void threads_lose_nothing(void **state)
{
	(void)state;
	pthread_t t[THREADS];
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, count, i % 2 ? &t[i] : NULL), 0);
	struct buf b;
	for (int i = 0; i < 20; i++) {
		render(&b, i % 2);
		buf_free(&b);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(counter_value(sum_of("threads", "")), THREADS * ADDS);
	assert_int_equal(counter_value(counter_of(&times, (struct str[]){ STR("threads") })), THREADS * ADDS);
}

static void living_threads_are_seen(void **state)
{
	(void)state;
	counters_thread_begin();
	counter_add(sum_of("alive", ""), 3);
	assert_int_equal(counter_value(sum_of("alive", "")), 3);
	counters_thread_end();
	counter_add(sum_of("alive", ""), 1);
	assert_int_equal(counter_value(sum_of("alive", "")), 4);
}

static void a_full_family_overflows(void **state)
{
	(void)state;
	char name[32];
	for (int i = 0; i < COUNTER_SERIES_MAX + 10; i++) {
		snprintf(name, sizeof name, "n%d", i);
		counter_add(sum_of(name, "many"), 1);
	}
	struct counter *one = sum_of("beyond", ""), *two = sum_of("further", "");
	assert_ptr_equal(one, two);
	assert_true(counter_value(one) >= 10);
	assert_renders("weir_sums_total{a=\"other\",b=\"other\"} ", false);
	assert_renders("# TYPE weir_series_dropped_total counter\nweir_series_dropped_total ", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_series_is_made_once),
		cmocka_unit_test(openmetrics_names_the_family_without_total),
		cmocka_unit_test(label_values_are_escaped),
		cmocka_unit_test(gauges_fall_and_are_set),
		cmocka_unit_test(histograms_are_cumulative),
		cmocka_unit_test(threads_lose_nothing),
		cmocka_unit_test(living_threads_are_seen),
		cmocka_unit_test(a_full_family_overflows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
