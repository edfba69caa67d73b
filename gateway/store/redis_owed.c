/*
 * redis_owed.c: a list, and a table that finds what was added to lately.
 *
 * The table has one place a hash: two that meet there have several sums where one would do, and nothing is lost.
 */
#include "store/redis_owed.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/store_ops.h"

static uint64_t mix(uint64_t hash, uint64_t more)
{
	return (hash ^ more) * UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t hash_of_limits(const struct store_reservation *r)
{
	uint64_t hash = mix(str_hash(r->scope), r->n);
	for (unsigned i = 0; i < r->n; i++)
		hash = mix(mix(hash, str_hash(r->limits[i].key)), (uint64_t)r->limits[i].period_start);
	return hash;
}

static uint64_t hash_of_tally(const struct store_tally *t)
{
	return mix(mix(str_hash(t->name), (uint64_t)t->day), 1);
}

static bool same_limit(const struct store_limit *a, const struct store_limit *b)
{
	return a->kind == b->kind && a->span_s == b->span_s && a->period_start == b->period_start && a->period_end == b->period_end &&
	       str_eq(a->key, b->key);
}

static bool same_limits(const struct store_reservation *a, const struct store_reservation *b)
{
	if (a->n != b->n || !str_eq(a->scope, b->scope))
		return false;
	for (unsigned i = 0; i < a->n; i++)
		if (!same_limit(&a->limits[i], &b->limits[i]))
			return false;
	return true;
}

static void add(int64_t *to, int64_t n)
{
	*to = store_amount(store_amount(*to) + store_amount(n));
}

static struct str keep(char **at, struct str s)
{
	struct str copy = str_of(*at, s.n);
	if (s.n)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return copy;
}

/* The last sum of that hash, or NULL. */
static struct owed_sum *find(const struct owed_sums *o, uint64_t hash, bool is_tally)
{
	struct owed_sum *s = o->last[hash % OWED_PLACES];
	return s && s->hash == hash && s->is_tally == is_tally ? s : NULL;
}

static struct owed_sum *sum_new(struct owed_sums *o, uint64_t hash, size_t bytes)
{
	if (o->n >= STORE_OWED_MAX)
		return NULL;
	struct owed_sum *s = mem_alloc(sizeof(*s) + bytes);
	*s = (struct owed_sum){ .hash = hash };
	list_init(&s->link);
	list_append(&o->all, &s->link);
	o->n++;
	o->last[hash % OWED_PLACES] = s;
	return s;
}

void owed_sums_open(struct owed_sums *o)
{
	memset(o->last, 0, sizeof(o->last));
	list_init(&o->all);
	o->n = 0;
}

static struct owed_sum *settle_new(struct owed_sums *o, uint64_t hash, const struct store_reservation *r)
{
	size_t limits = sizeof(struct store_limit) * r->n, amounts = sizeof(int64_t) * r->n, names = r->scope.n;
	for (unsigned i = 0; i < r->n; i++)
		names += r->limits[i].key.n;
	struct owed_sum *s = sum_new(o, hash, limits + amounts + names);
	if (!s)
		return NULL;
	char *behind = (char *)(s + 1), *at = behind + limits + amounts;
	s->limits = (struct store_limit *)(void *)behind;
	s->real = (int64_t *)(void *)(behind + limits);
	s->r = (struct store_reservation){ .scope = keep(&at, r->scope), .limits = s->limits, .n = r->n };
	store_id_make(s->r.id);
	for (unsigned i = 0; i < r->n; i++) {
		s->limits[i] = r->limits[i];
		s->limits[i].key = keep(&at, r->limits[i].key);
		s->limits[i].amount = 0;	/* it holds nothing */
		s->real[i] = 0;
	}
	return s;
}

bool owed_sums_settle(struct owed_sums *o, const struct store_reservation *r, const int64_t *real)
{
	uint64_t hash = hash_of_limits(r);
	struct owed_sum *s = find(o, hash, false);
	if (!s || !same_limits(&s->r, r))
		s = settle_new(o, hash, r);
	for (unsigned i = 0; s && i < r->n; i++)
		add(&s->real[i], real[i]);
	return s;
}

bool owed_sums_tally(struct owed_sums *o, const struct store_tally *t)
{
	uint64_t hash = hash_of_tally(t);
	struct owed_sum *s = find(o, hash, true);
	if (s && (s->tally.day != t->day || !str_eq(s->tally.name, t->name)))
		s = NULL;
	if (!s && (s = sum_new(o, hash, t->name.n + t->otherwise.n))) {
		char *at = (char *)(s + 1);
		s->is_tally = true;
		s->tally = (struct store_tally){ .day = t->day, .name = keep(&at, t->name), .otherwise = keep(&at, t->otherwise) };
	}
	for (unsigned i = 0; s && i < STORE_TALLY_COUNTS; i++)
		add(&s->tally.counts[i], t->counts[i]);
	return s;
}

struct owed_sum *owed_sums_take(struct owed_sums *o)
{
	if (list_empty(&o->all))
		return NULL;
	struct owed_sum *s = list_entry(o->all.next, struct owed_sum, link);
	struct owed_sum **place = &o->last[s->hash % OWED_PLACES];
	if (*place == s)
		*place = NULL;
	list_remove(&s->link);
	o->n--;
	return s;
}
