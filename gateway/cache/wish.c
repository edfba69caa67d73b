/*
 * wish.c: directives, comma separated; those that are not known mean nothing.
 */
#include "cache/wish.h"

#include "base/clock.h"

/* Seconds; a number that is none is the most careful one. */
static int64_t seconds(struct str value)
{
	uint64_t n;
	bool quoted = value.n >= 2 && str_starts(value, STR("\"")) && str_ends(value, STR("\""));
	if (!str_u64(quoted ? str_of(value.p + 1, value.n - 2) : value, &n))
		return 0;
	return n < INT64_MAX / SECOND_US ? (int64_t)n * SECOND_US : INT64_MAX;
}

static void read_directive(struct cache_wish *w, struct str name, struct str value)
{
	w->no_store |= str_ieq(name, STR("no-store"));
	w->no_cache |= str_ieq(name, STR("no-cache"));
	w->only |= str_ieq(name, STR("only-if-cached")) || str_ieq(name, STR("only"));
	if (str_ieq(name, STR("max-age")))
		w->max_age_us = seconds(value);
	if (str_ieq(name, STR("stale-if-error")))
		w->stale_us = seconds(value);
}

static void read_header(struct cache_wish *w, struct str header)
{
	struct str part, name;
	while (str_split(&header, ',', &part)) {
		str_split(&part, '=', &name);
		read_directive(w, str_trim(name), str_trim(part));
	}
}

struct cache_wish cache_wish(const struct request *r)
{
	struct cache_wish w = { .max_age_us = INT64_MAX, .stale_us = INT64_MAX };
	read_header(&w, r->header[RH_CACHE_CONTROL]);
	read_header(&w, r->header[RH_WEIR_CACHE]);
	return w;
}
