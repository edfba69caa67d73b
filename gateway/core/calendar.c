/*
 * calendar.c: days since 1970 and back, and the offset that holds at a moment.
 */
#include "core/calendar.h"

#include <stdatomic.h>
#include <stdio.h>

enum { ZONE_FILE_MAX = 64 * 1024, TRANSITIONS_MAX = 4096, TYPES_MAX = 256, HEAD = 44 };
static const int64_t DAY = 86400, HOUR = 3600;

struct zone {
	uint64_t serial;		/* no other has it, whatever came before at this address */
	unsigned n;
	const int64_t *times;		/* rising: when an offset begins to hold */
	const int32_t *offsets;		/* seconds east of UTC */
	int32_t first;			/* before all of them */
};

/* --- zones --- */

static struct zone *zone_new(struct arena *a, struct zone as)
{
	static _Atomic uint64_t serials;
	struct zone *z = arena_new(a, struct zone);
	*z = as;
	z->serial = atomic_fetch_add(&serials, 1) + 1;
	return z;
}

static uint64_t big_endian(const char *p, unsigned n)
{
	uint64_t x = 0;
	for (unsigned i = 0; i < n; i++)
		x = x << 8 | (unsigned char)p[i];
	return x;
}

struct tzif {
	uint32_t isutc, isstd, leaps, times, types, chars;
};

static bool read_head(struct str s, struct tzif *h)
{
	if (s.n < HEAD || !str_starts(s, STR("TZif")))
		return false;
	*h = (struct tzif){ (uint32_t)big_endian(s.p + 20, 4), (uint32_t)big_endian(s.p + 24, 4), (uint32_t)big_endian(s.p + 28, 4),
			    (uint32_t)big_endian(s.p + 32, 4), (uint32_t)big_endian(s.p + 36, 4), (uint32_t)big_endian(s.p + 40, 4) };
	return h->times <= TRANSITIONS_MAX && h->types > 0 && h->types <= TYPES_MAX && h->leaps < 1024 && h->chars < 4096 &&
	       h->isutc <= TYPES_MAX && h->isstd <= TYPES_MAX;
}

static size_t body_size(const struct tzif *h, unsigned width)
{
	return h->times * (size_t)(width + 1) + h->types * (size_t)6 + h->chars + h->leaps * (size_t)(width + 4) + h->isstd + h->isutc;
}

bool zone_parse(struct str s, struct arena *a, struct zone **out)
{
	struct tzif h;
	if (!read_head(s, &h) || s.p[4] < '2')
		return false;
	s = str_skip(s, HEAD + body_size(&h, 4));	/* the first block has 32 bits: skipped */
	if (!read_head(s, &h) || s.n < HEAD + body_size(&h, 8))
		return false;
	const char *times = s.p + HEAD, *indexes = times + h.times * (size_t)8, *types = indexes + h.times;
	int64_t *t = arena_array(a, int64_t, h.times + 1);
	int32_t *o = arena_array(a, int32_t, h.times + 1);
	for (uint32_t i = 0; i < h.times; i++) {
		unsigned type = (unsigned char)indexes[i];
		if (type >= h.types)
			return false;
		t[i] = (int64_t)big_endian(times + i * (size_t)8, 8);
		o[i] = (int32_t)big_endian(types + type * (size_t)6, 4);
		if ((i && t[i] <= t[i - 1]) || o[i] > DAY || o[i] < -DAY)
			return false;
	}
	int32_t first = (int32_t)big_endian(types, 4);
	*out = zone_new(a, (struct zone){ .n = h.times, .times = t, .offsets = o, .first = first > DAY || first < -DAY ? 0 : first });
	return true;
}

static bool fixed_offset(struct str name, int32_t *out)
{
	uint64_t hours, minutes;
	if (name.n != 6 || (name.p[0] != '+' && name.p[0] != '-') || name.p[3] != ':' || !str_u64(str_head(str_skip(name, 1), 2), &hours) ||
	    !str_u64(str_skip(name, 4), &minutes) || hours > 14 || minutes > 59)
		return false;
	*out = (int32_t)(hours * 3600 + minutes * 60) * (name.p[0] == '-' ? -1 : 1);
	return true;
}

static bool is_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
		if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '/' && c != '-' && c != '+')
			return false;
	}
	return name.n > 0 && name.n < 64 && name.p[0] != '/';
}

const struct zone *zone_find(struct str name, struct arena *a)
{
	char path[128];
	struct zone *z, fixed = { .n = 0 };
	if (str_empty(name) || str_eq(name, STR("UTC")) || fixed_offset(name, &fixed.first))
		return zone_new(a, fixed);
	if (!is_name(name))
		return NULL;
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%.*s", STR_FMT(name));
	FILE *f = fopen(path, "rb");
	if (!f)
		return NULL;
	char *bytes = arena_alloc(a, ZONE_FILE_MAX);
	size_t n = fread(bytes, 1, ZONE_FILE_MAX, f);
	fclose(f);
	return zone_parse(str_of(bytes, n), a, &z) ? z : NULL;
}

static int64_t offset_at(const struct zone *z, int64_t at)
{
	unsigned low = 0, high = z->n;
	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		if (z->times[middle] <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? z->offsets[low - 1] : z->first;
}

/* The moment of a local time; where clocks were set forward over it, just after. */
static int64_t to_utc(const struct zone *z, int64_t local)
{
	int64_t guess = local - offset_at(z, local), at = local - offset_at(z, guess);
	bool skipped = at + offset_at(z, at) != local;
	return skipped && guess > at ? guess : at;
}

/* --- days (the civil calendar's arithmetic, with years that begin in March) --- */

struct date {
	int64_t year;
	int month;	/* 1 to 12 */
};

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static struct date date_of(int64_t day)
{
	int64_t shifted = day + 719468, era = floor_div(shifted, 146097), in_era = shifted - era * 146097;
	int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
	int month = (int)((5 * in_year + 2) / 153);
	month = month < 10 ? month + 3 : month - 9;
	return (struct date){ year + era * 400 + (month <= 2), month };
}

static int64_t first_day(int64_t year, int month)
{
	int64_t y = year - (month <= 2), era = floor_div(y, 400), in_era = y - era * 400;
	int64_t in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5;
	return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

struct local_time zone_local(const struct zone *z, int64_t at)
{
	int64_t local = at + offset_at(z, at), day = floor_div(local, DAY);
	struct date d = date_of(day);
	return (struct local_time){
		.year = d.year, .month = d.month, .day = (int)(day - first_day(d.year, d.month)) + 1,
		.weekday = (int)(day + 3 - floor_div(day + 3, 7) * 7) + 1, .minute = (int)((local - day * DAY) / 60),
	};
}

static void work_out(enum period p, const struct zone *z, int64_t at, int64_t *start, int64_t *end)
{
	int64_t local = at + offset_at(z, at), day = floor_div(local, DAY), from = day, to = day + 1;
	struct date d = date_of(day);
	*start = *end = 0;
	switch (p) {
	case PERIODS:
	case PERIOD_TOTAL:
		return;
	case PERIOD_HOUR:
		*start = at - (local - floor_div(local, HOUR) * HOUR);
		*end = *start + HOUR;
		return;
	case PERIOD_DAY:
		break;
	case PERIOD_WEEK:
		from = day - (day + 3 - floor_div(day + 3, 7) * 7);
		to = from + 7;
		break;
	case PERIOD_MONTH:
		from = first_day(d.year, d.month);
		to = d.month == 12 ? first_day(d.year + 1, 1) : first_day(d.year, d.month + 1);
		break;
	case PERIOD_YEAR:
		from = first_day(d.year, 1);
		to = first_day(d.year + 1, 1);
		break;
	}
	*start = to_utc(z, from * DAY);
	*end = to_utc(z, to * DAY);
}

/* Of each kind the last one is kept: nearly all ask for the present. */
void period_bounds(enum period p, const struct zone *z, int64_t at, int64_t *start, int64_t *end)
{
	static _Thread_local struct { uint64_t zone; int64_t start, end; } last[PERIODS];
	if (last[p].zone != z->serial || at < last[p].start || at >= last[p].end) {
		work_out(p, z, at, &last[p].start, &last[p].end);
		last[p].zone = z->serial;
	}
	*start = last[p].start;
	*end = last[p].end;
}
