/*
 * date.c: fixed places, digits only.
 */
#include "wire/date.h"

#include <time.h>

static bool number(struct str s, size_t at, size_t n, int least, int most, int *out)
{
	uint64_t v;
	if (!str_u64(str_head(str_skip(s, at), n), &v) || v < (uint64_t)least || v > (uint64_t)most)
		return false;
	*out = (int)v;
	return true;
}

static bool time_of_day(struct str s, size_t at, struct tm *tm)
{
	return number(s, at, 2, 0, 23, &tm->tm_hour) && s.p[at + 2] == ':' && number(s, at + 3, 2, 0, 59, &tm->tm_min) &&
	       s.p[at + 5] == ':' && number(s, at + 6, 2, 0, 60, &tm->tm_sec);
}

static bool finish(struct tm *tm, int64_t *seconds)
{
	tm->tm_year -= 1900;
	*seconds = (int64_t)timegm(tm);
	return true;
}

bool date_http(struct str s, int64_t *seconds)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm = { 0 };
	if (s.n != 29 || !str_ends(s, STR(" GMT")) || s.p[3] != ',' || !number(s, 5, 2, 1, 31, &tm.tm_mday) ||
	    !number(s, 12, 4, 1970, 9999, &tm.tm_year) || !time_of_day(s, 17, &tm))
		return false;
	ptrdiff_t month = str_find(str_c(months), str_head(str_skip(s, 8), 3));
	if (month < 0 || month % 3)
		return false;
	tm.tm_mon = (int)(month / 3);
	return finish(&tm, seconds);
}

bool date_iso(struct str s, int64_t *seconds)
{
	struct tm tm = { 0 };
	if (s.n < 20 || s.p[4] != '-' || s.p[7] != '-' || (s.p[10] != 'T' && s.p[10] != ' ') ||
	    !number(s, 0, 4, 1970, 9999, &tm.tm_year) || !number(s, 5, 2, 1, 12, &tm.tm_mon) ||
	    !number(s, 8, 2, 1, 31, &tm.tm_mday) || !time_of_day(s, 11, &tm))
		return false;
	struct str rest = str_skip(s, 19);
	if (rest.p[0] == '.')
		for (rest = str_skip(rest, 1); rest.n && rest.p[0] >= '0' && rest.p[0] <= '9';)
			rest = str_skip(rest, 1);
	if (!str_eq(rest, STR("Z")) && !str_eq(rest, STR("+00:00")))
		return false;
	tm.tm_mon--;
	return finish(&tm, seconds);
}
