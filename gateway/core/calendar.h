/*
 * calendar.h: where calendar periods begin and end, in a time zone.
 *
 * Zones are "UTC", fixed offsets such as "+02:00", and the names of the tz database as TZif files under
 * /usr/share/zoneinfo (RFC 8536, version 2 and later). A zone lives in the arena it was read into.
 */
#ifndef WEIR_CORE_CALENDAR_H
#define WEIR_CORE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

enum period { PERIOD_HOUR, PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH, PERIOD_YEAR, PERIOD_TOTAL, PERIODS };

struct zone;

/* NULL: there is no such zone. Reads a file: not for a worker's thread. */
const struct zone *zone_find(struct str name, struct arena *a);

/* The period that holds `at`, in Unix seconds; a total has neither begin nor end: both 0. Weeks begin on Monday. */
void period_bounds(enum period p, const struct zone *z, int64_t at, int64_t *start, int64_t *end);

/* What clocks show there at `at`, in Unix seconds. */
struct local_time {
	int64_t year;
	int month, day;		/* from 1 */
	int weekday;		/* 1: Monday, to 7 */
	int minute;		/* of the day */
};

struct local_time zone_local(const struct zone *z, int64_t at);

/* Bytes of a TZif file; false when they are none. For fuzzing. */
bool zone_parse(struct str bytes, struct arena *a, struct zone **out);

#endif
