/*
 * wish.c: directives, comma separated; those that are not known mean nothing.
 */
#include "cache/wish.h"

#include "base/clock.h"
#include "core/call.h"
#include "wire/json_cursor.h"

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
	if (str_ieq(name, STR("namespace")))
		w->ns = value;
}

static void read_header(struct cache_wish *w, struct str header)
{
	struct str part, name;
	while (str_split(&header, ',', &part)) {
		str_split(&part, '=', &name);
		read_directive(w, str_trim(name), str_trim(part));
	}
}

/* A number of another kind is the most careful one, too. */
static int64_t json_seconds(struct str value)
{
	int64_t n;
	return json_int(value, &n) && n >= 0 ? (n < INT64_MAX / SECOND_US ? n * SECOND_US : INT64_MAX) : 0;
}

static void read_object(struct cache_wish *w, struct str object)
{
	struct str use = json_get(object, STR("use-cache")), ttl = json_get(object, STR("ttl")), age = json_get(object, STR("s-maxage"));
	if (!age.p)
		age = json_get(object, STR("s-max-age"));
	w->no_cache |= json_type(json_get(object, STR("no-cache"))) == JSON_TRUE;
	w->no_keep |= json_type(json_get(object, STR("no-store"))) == JSON_TRUE;
	w->no_store |= json_type(use) == JSON_FALSE;
	w->use |= json_type(use) == JSON_TRUE;
	if (ttl.p && json_type(ttl) != JSON_NULL)
		w->ttl_us = json_seconds(ttl);
	if (age.p && json_type(age) != JSON_NULL)
		w->max_age_us = json_seconds(age);
	if (json_type(json_get(object, STR("namespace"))) == JSON_STRING)
		w->ns = json_raw(json_get(object, STR("namespace")));
}

struct cache_wish cache_wish(const struct txn *t)
{
	struct cache_wish w = { .max_age_us = INT64_MAX, .stale_us = INT64_MAX, .ttl_us = INT64_MAX };
	read_header(&w, t->req->header[RH_CACHE_CONTROL]);
	read_header(&w, t->req->header[RH_WEIR_CACHE]);
	if (t->call->cache_object.n)
		read_object(&w, t->call->cache_object);
	return w;
}
