/*
 * calendar_test.c: where periods begin, in zones with and without summer time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "core/calendar.h"

static struct arena arena;

static int64_t utc(int year, int month, int day, int hour, int minute)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute };
	return (int64_t)timegm(&tm);
}

static void check(const char *zone, enum period p, int64_t at, int64_t start, int64_t end)
{
	const struct zone *z = zone_find(str_c(zone), &arena);
	int64_t s, e;
	assert_non_null(z);
	period_bounds(p, z, at, &s, &e);
	if (s != start || e != end)
		fail_msg("%s %d at %lld: %lld to %lld, expected %lld to %lld", zone, (int)p, (long long)at, (long long)s, (long long)e,
			 (long long)start, (long long)end);
}

static void utc_periods(void **state)
{
	int64_t at = utc(2026, 11, 24, 13, 37);	/* a Tuesday */
	(void)state;
	check("", PERIOD_HOUR, at, utc(2026, 11, 24, 13, 0), utc(2026, 11, 24, 14, 0));
	check("UTC", PERIOD_DAY, at, utc(2026, 11, 24, 0, 0), utc(2026, 11, 25, 0, 0));
	check("UTC", PERIOD_WEEK, at, utc(2026, 11, 23, 0, 0), utc(2026, 11, 30, 0, 0));
	check("UTC", PERIOD_MONTH, at, utc(2026, 11, 1, 0, 0), utc(2026, 12, 1, 0, 0));
	check("UTC", PERIOD_YEAR, at, utc(2026, 1, 1, 0, 0), utc(2027, 1, 1, 0, 0));
	check("UTC", PERIOD_TOTAL, at, 0, 0);
	check("UTC", PERIOD_MONTH, utc(2024, 2, 29, 23, 59), utc(2024, 2, 1, 0, 0), utc(2024, 3, 1, 0, 0));
	check("UTC", PERIOD_MONTH, utc(2026, 12, 31, 23, 59), utc(2026, 12, 1, 0, 0), utc(2027, 1, 1, 0, 0));
	check("UTC", PERIOD_WEEK, utc(1970, 1, 1, 0, 0), utc(1969, 12, 29, 0, 0), utc(1970, 1, 5, 0, 0));
}

static void other_zones(void **state)
{
	(void)state;
	check("+02:00", PERIOD_DAY, utc(2026, 11, 24, 23, 0), utc(2026, 11, 24, 22, 0), utc(2026, 11, 25, 22, 0));
	check("-05:30", PERIOD_DAY, utc(2026, 11, 24, 3, 0), utc(2026, 11, 23, 5, 30), utc(2026, 11, 24, 5, 30));
	check("Europe/Berlin", PERIOD_DAY, utc(2026, 11, 24, 12, 0), utc(2026, 11, 23, 23, 0), utc(2026, 11, 24, 23, 0));
	/* The days on which clocks change have 23 and 25 hours. */
	check("Europe/Berlin", PERIOD_DAY, utc(2026, 3, 29, 12, 0), utc(2026, 3, 28, 23, 0), utc(2026, 3, 29, 22, 0));
	check("Europe/Berlin", PERIOD_DAY, utc(2026, 10, 25, 12, 0), utc(2026, 10, 24, 22, 0), utc(2026, 10, 25, 23, 0));
	/* There clocks are set forward at midnight, west and east of Greenwich: the day begins at one o'clock. */
	check("America/Havana", PERIOD_DAY, utc(2026, 3, 8, 4, 30), utc(2026, 3, 7, 5, 0), utc(2026, 3, 8, 5, 0));
	check("America/Havana", PERIOD_DAY, utc(2026, 3, 8, 5, 0), utc(2026, 3, 8, 5, 0), utc(2026, 3, 9, 4, 0));
	check("Africa/Cairo", PERIOD_DAY, utc(2026, 4, 23, 21, 59), utc(2026, 4, 22, 22, 0), utc(2026, 4, 23, 22, 0));
	check("Africa/Cairo", PERIOD_DAY, utc(2026, 4, 23, 22, 0), utc(2026, 4, 23, 22, 0), utc(2026, 4, 24, 21, 0));
	check("America/New_York", PERIOD_MONTH, utc(2026, 3, 15, 0, 0), utc(2026, 3, 1, 5, 0), utc(2026, 4, 1, 4, 0));
	check("Asia/Kolkata", PERIOD_HOUR, utc(2026, 11, 24, 13, 37), utc(2026, 11, 24, 13, 30), utc(2026, 11, 24, 14, 30));
}

/* Every moment lies in its period, and periods follow each other without gap: over ten years of a zone. */
static void periods_follow_each_other(void **state)
{
	const struct zone *z = zone_find(STR("Europe/Berlin"), &arena);
	(void)state;
	for (enum period p = PERIOD_DAY; p < PERIOD_TOTAL; p++) {
		int64_t at = utc(2022, 1, 1, 12, 0), start, end, next_start, next_end;
		while (at < utc(2032, 1, 1, 0, 0)) {
			period_bounds(p, z, at, &start, &end);
			assert_true(start <= at && at < end);
			period_bounds(p, z, end, &next_start, &next_end);
			assert_int_equal(next_start, end);
			period_bounds(p, z, end - 1, &next_start, &next_end);
			assert_int_equal(next_start, start);
			at = end + 3600;
		}
	}
}

/* `local` as date(1) prints it with %F %u %H:%M. */
static void shows(const char *zone, int64_t at, const char *local)
{
	char got[64];
	struct local_time t = zone_local(zone_find(str_c(zone), &arena), at);
	snprintf(got, sizeof(got), "%04lld-%02d-%02d %d %02d:%02d", (long long)t.year, t.month, t.day, t.weekday, t.minute / 60, t.minute % 60);
	assert_string_equal(got, local);
}

static void local_times(void **state)
{
	(void)state;
	shows("UTC", 0, "1970-01-01 4 00:00");
	shows("UTC", -1, "1969-12-31 3 23:59");
	shows("UTC", 951782400, "2000-02-29 2 00:00");
	shows("-03:30", 1795836600, "2026-11-28 6 00:00");
	shows("Europe/Berlin", 1782921600, "2026-07-01 3 18:00");
	shows("Europe/Berlin", 1764608400, "2025-12-01 1 18:00");
	shows("Asia/Tokyo", 1798729199, "2026-12-31 4 23:59");
	shows("Asia/Tokyo", 1798729200, "2027-01-01 5 00:00");
}

static void what_is_no_zone(void **state)
{
	static const char *const names[] = { "Mars/Base", "../../etc/passwd", "/etc/passwd", "+25:00", "+2:00", "UTC ", "Europe", "Europe/../x" };
	struct zone *z;
	(void)state;
	for (size_t i = 0; i < array_len(names); i++)
		if (zone_find(str_c(names[i]), &arena))
			fail_msg("taken: %s", names[i]);
	assert_false(zone_parse(STR(""), &arena, &z));
	assert_false(zone_parse(STR("TZif2"), &arena, &z));
}

static int begin(void **state)
{
	(void)state;
	arena_init(&arena);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_clear(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utc_periods), cmocka_unit_test(other_zones), cmocka_unit_test(periods_follow_each_other),
		cmocka_unit_test(what_is_no_zone), cmocka_unit_test(local_times),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
