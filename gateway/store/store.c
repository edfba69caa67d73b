/*
 * store.c: chooses the kind of store by its URL, and holds callers to the contract's bounds.
 */
#include "store/store.h"

#include <endian.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "store/redis_tls.h"
#include "store/redis_url.h"
#include "store/store_ops.h"
#include "store/window.h"

static bool is_memory(struct str url)
{
	return str_empty(url) || str_eq(url, STR("memory"));
}

const char *store_url_check(struct str url)
{
	struct arena scratch = ARENA_INIT;
	struct redis_url redis;
	const char *wrong = is_memory(url) ? NULL : redis_url_parse(&scratch, url, &redis);
	arena_wipe(&scratch);
	return wrong || is_memory(url) || !redis.tls ? wrong : redis_tls_missing;
}

struct store_home *store_home_open(const struct store_options *o, struct buf *why)
{
	return is_memory(o->url) ? memory_store_home(o) : redis_store_home(o, why);
}

void store_home_close(struct store_home *h)
{
	if (h)
		h->close(h);
}

const char *store_home_name(const struct store_home *h)
{
	return h->name;
}

const char *store_home_state(const struct store_home *h)
{
	unsigned opened = atomic_load(&h->opened), up = atomic_load(&h->up);
	return up == opened ? "up" : up == 0 ? "down" : "partly";
}

struct store *store_open(struct store_home *h, struct loop *l)
{
	return h->open(h, l);
}

void store_close(struct store *s)
{
	if (s)
		s->ops->close(s);
}

bool store_is_shared(const struct store *s)
{
	return s->ops->eval != NULL;
}

bool store_is_up(const struct store *s)
{
	return s->ops->is_up(s);
}

int64_t store_wall_us(const struct store *s)
{
	return clock_wall_us() + s->ahead_us;
}

bool store_crowded(const struct store *s)
{
	return s->ops->crowded && s->ops->crowded(s);
}

int64_t store_slide_us(const struct store *s, int64_t span_s)
{
	int64_t width = window_width_us(span_s > 0 ? span_s : 1);
	return width - (s->steady ? clock_us() : store_wall_us(s)) % width;
}

int64_t store_ttl_us(const struct store *s)
{
	return s->ttl_us;
}

void store_id_make(uint8_t id[STORE_ID_SIZE])
{
	static _Thread_local uint64_t prefix;
	while (prefix == 0)
		random_bytes(&prefix, sizeof(prefix));
	uint64_t halves[2] = { prefix, random_u64() };
	_Static_assert(sizeof(halves) == STORE_ID_SIZE, "an id is two halves");
	memcpy(id, halves, sizeof(halves));
}

/* --- operations --- */

static bool key_good(struct str key)
{
	return key.n > 0 && key.n <= STORE_KEY_MAX;
}

static bool reservation_good(const struct store_reservation *r)
{
	if (!key_good(r->scope) || r->n > STORE_LIMITS_MAX)
		return false;
	for (unsigned i = 0; i < r->n; i++)
		if (!key_good(r->limits[i].key))
			return false;
	return true;
}

static void begin(struct store_call *c, struct store_answer *a)
{
	if (!c)
		return;
	c->answer = a;
	c->value = STR_NONE;
	c->inner = NULL;
}

static void reserve(struct store *s, struct store_call *c, const struct store_reservation *r, struct store_answer *a,
		    bool peek)
{
	begin(c, a);
	if (reservation_good(r))
		s->ops->reserve(s, c, r, peek);
	else
		store_done(c, STORE_BROKEN);
}

void store_reserve(struct store *s, struct store_call *c, const struct store_reservation *r, struct store_answer *a)
{
	reserve(s, c, r, a, false);
}

void store_peek(struct store *s, struct store_call *c, const struct store_reservation *r, struct store_answer *a)
{
	reserve(s, c, r, a, true);
}

void store_settle(struct store *s, struct store_call *c, const struct store_reservation *r, const int64_t *real,
		  bool unreserved)
{
	begin(c, NULL);
	if (reservation_good(r))
		s->ops->settle(s, c, r, real, unreserved);
	else
		store_done(c, STORE_BROKEN);
}

void store_renew(struct store *s, struct store_call *c, const struct store_reservation *r)
{
	begin(c, NULL);
	if (reservation_good(r))
		s->ops->renew(s, c, r);
	else
		store_done(c, STORE_BROKEN);
}

void store_seed(struct store *s, struct store_call *c, struct str scope, const struct store_limit *budget,
		int64_t spent)
{
	begin(c, NULL);
	if (key_good(scope) && key_good(budget->key) && budget->kind == STORE_BUDGET)
		s->ops->seed(s, c, scope, budget, spent);
	else
		store_done(c, STORE_BROKEN);
}

void store_restore(struct store *s, struct str scope, const struct store_limit *window, int64_t spent, int64_t age_us)
{
	if (s->ops->restore && key_good(scope) && key_good(window->key) && window->kind == STORE_WINDOW)
		s->ops->restore(s, scope, window, spent, age_us);
}

void store_get(struct store *s, struct store_call *c, struct str key)
{
	begin(c, NULL);
	if (key_good(key))
		s->ops->get(s, c, key);
	else
		store_done(c, STORE_BROKEN);
}

void store_put(struct store *s, struct store_call *c, struct str key, struct str value, int64_t ttl_ms)
{
	begin(c, NULL);
	if (!key_good(key))
		store_done(c, STORE_BROKEN);
	else if (ttl_ms > 0)
		s->ops->put(s, c, key, value, ttl_ms);
	else
		s->ops->remove(s, c, key);
}

void store_remove(struct store *s, struct store_call *c, struct str key)
{
	begin(c, NULL);
	if (key_good(key))
		s->ops->remove(s, c, key);
	else
		store_done(c, STORE_BROKEN);
}

bool store_tallies(const struct store *s)
{
	return s->ops->tally != NULL;
}

void store_tally(struct store *s, const struct store_tally *t)
{
	if (s->ops->tally && t->name.n <= STORE_TALLY_NAME && t->otherwise.n <= STORE_TALLY_NAME)
		s->ops->tally(s, t);
}

void store_tally_read(struct store *s, struct store_call *c, int64_t day)
{
	begin(c, NULL);
	if (s->ops->tally_read)
		s->ops->tally_read(s, c, day);
	else
		store_done(c, STORE_MISSING);
}

void store_eval(struct store *s, struct store_call *c, const struct store_script *e)
{
	begin(c, NULL);
	if (s->ops->eval)
		s->ops->eval(s, c, e);
	else
		store_done(c, STORE_MISSING);
}

static int64_t number_of(struct str *from)
{
	uint64_t le;
	memcpy(&le, from->p, sizeof(le));
	*from = str_skip(*from, sizeof(le));
	return (int64_t)le64toh(le);
}

bool store_tally_next(struct str *sums, struct str *name, int64_t counts[STORE_TALLY_COUNTS])
{
	uint16_t n;
	if (sums->n < sizeof(n))
		return false;
	memcpy(&n, sums->p, sizeof(n));
	n = le16toh(n);
	struct str rest = str_skip(*sums, sizeof(n));
	if (rest.n < n + STORE_TALLY_COUNTS * sizeof(int64_t))
		return false;
	*name = str_head(rest, n);
	*sums = str_skip(rest, n);
	for (unsigned i = 0; i < STORE_TALLY_COUNTS; i++)
		counts[i] = number_of(sums);
	return true;
}

void store_cancel(struct store *s, struct store_call *c)
{
	if (c->inner)
		s->ops->cancel(s, c);
}
