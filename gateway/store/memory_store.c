/*
 * memory_store.c: the store within this process: every call is over before it returns.
 *
 * Limits and values live in the home, shared by the workers; a worker's handle adds nothing.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "store/memory_parts.h"

enum { LIMITS_MAX = 500 * 1000 };

#define VALUES_MAX ((size_t)256 << 20)

struct memory_home {
	struct store_home home;
	struct memory_limits *limits;
	struct memory_values *values;
	int64_t ttl_us;
};

struct memory_store {
	struct store store;
	struct memory_home *home;
};

static struct memory_home *home_of(struct store *s)
{
	return container_of(s, struct memory_store, store)->home;
}

static void on_reserve(struct store *s, struct store_call *c, const struct store_reservation *r, bool peek)
{
	store_done(c, memory_reserve(home_of(s)->limits, r, c->answer, peek));
}

static void on_settle(struct store *s, struct store_call *c, const struct store_reservation *r, const int64_t *real,
		      bool unreserved)
{
	store_done(c, memory_settle(home_of(s)->limits, r, real, unreserved));
}

static void on_renew(struct store *s, struct store_call *c, const struct store_reservation *r)
{
	store_done(c, memory_renew(home_of(s)->limits, r));
}

static void on_seed(struct store *s, struct store_call *c, struct str scope, const struct store_limit *budget,
		    int64_t spent)
{
	store_done(c, memory_seed(home_of(s)->limits, scope, budget, spent));
}

static void on_restore(struct store *s, struct str scope, const struct store_limit *window, int64_t spent, int64_t age_us)
{
	memory_restore(home_of(s)->limits, scope, window, spent, age_us);
}

static bool on_crowded(const struct store *s)
{
	return memory_limits_crowded(container_of(s, struct memory_store, store)->home->limits);
}

static void on_get(struct store *s, struct store_call *c, struct str key)
{
	struct memory_value *v = memory_value_take(home_of(s)->values, key);
	c->value = v ? memory_value_bytes(v) : STR_NONE;
	store_done(c, v ? STORE_OK : STORE_MISSING);
	if (v)
		memory_value_release(v);
}

static void on_put(struct store *s, struct store_call *c, struct str key, struct str value, int64_t ttl_ms)
{
	memory_value_put(home_of(s)->values, key, value, ttl_ms);
	store_done(c, STORE_OK);
}

static void on_remove(struct store *s, struct store_call *c, struct str key)
{
	memory_value_remove(home_of(s)->values, key);
	store_done(c, STORE_OK);
}

static void on_cancel(struct store *s, struct store_call *c)
{
	(void)s, (void)c;	/* nothing is ever under way */
}

static bool on_is_up(const struct store *s)
{
	(void)s;
	return true;
}

static void on_close(struct store *s)
{
	free(container_of(s, struct memory_store, store));
}

static const struct store_ops memory_ops = {
	.reserve = on_reserve, .settle = on_settle, .renew = on_renew, .seed = on_seed, .restore = on_restore, .crowded = on_crowded,
	.get = on_get, .put = on_put, .remove = on_remove,
	.cancel = on_cancel, .is_up = on_is_up, .close = on_close,
};

static struct store *open_store(struct store_home *h, struct loop *l)
{
	struct memory_store *s = mem_alloc(sizeof(*s));
	s->store.ops = &memory_ops;
	s->store.loop = l;
	s->home = container_of(h, struct memory_home, home);
	s->store.ttl_us = s->home->ttl_us;
	s->store.steady = true;
	return &s->store;
}

static void close_home(struct store_home *h)
{
	struct memory_home *m = container_of(h, struct memory_home, home);
	memory_limits_free(m->limits);
	memory_values_free(m->values);
	free(m);
}

struct store_home *memory_store_home(const struct store_options *o)
{
	int64_t (*clock)(void) = o->clock ? o->clock : clock_us;
	struct memory_home *m = mem_alloc(sizeof(*m));
	m->home.open = open_store;
	m->home.close = close_home;
	memcpy(m->home.name, "memory", sizeof("memory"));
	m->ttl_us = o->ttl_ms ? o->ttl_ms * MS_US : STORE_TTL_S * SECOND_US;
	m->limits = memory_limits_new(o->memory_limits_max ? o->memory_limits_max : LIMITS_MAX,
				      m->ttl_us, clock);
	m->values = memory_values_new(o->memory_values_max ? o->memory_values_max : VALUES_MAX, clock);
	return &m->home;
}
