/*
 * share.c: counts that are halved when they grow large, so that they follow the present.
 */
#include "core/share.h"

enum { REQUESTS_MAX = 1000, FEW = 20 };
static const int64_t COST_MAX = INT64_C(1000) * 1000000000;

#define get(x) atomic_load_explicit(&(x), memory_order_relaxed)
#define set(x, v) atomic_store_explicit(&(x), (v), memory_order_relaxed)
#define add(x, v) atomic_fetch_add_explicit(&(x), (v), memory_order_relaxed)

static uint64_t name_of(struct str provider)
{
	uint64_t h = str_hash(provider);
	return h ? h : 1;
}

static void halve(struct share *s)
{
	for (int i = 0; i < SHARE_PROVIDERS; i++)
		set(s->rows[i].n, get(s->rows[i].n) / 2);
	set(s->n, get(s->n) / 2);
}

void share_note(struct share *s, struct str provider)
{
	uint64_t name = name_of(provider), none = 0;
	for (int i = 0; i < SHARE_PROVIDERS; i++, none = 0) {
		if (get(s->rows[i].provider) != name &&
		    !(get(s->rows[i].provider) == 0 && atomic_compare_exchange_strong(&s->rows[i].provider, &none, name)))
			continue;
		add(s->rows[i].n, 1);
		if (add(s->n, 1) >= REQUESTS_MAX)
			halve(s);
		return;
	}
}

bool share_exceeded(const struct share *s, struct str provider, int per_cent)
{
	uint64_t name = name_of(provider), all = get(s->n);
	for (int i = 0; i < SHARE_PROVIDERS; i++)
		if (get(s->rows[i].provider) == name)
			return all >= FEW && ((uint64_t)get(s->rows[i].n) + 1) * 100 > (all + 1) * (unsigned)per_cent;
	return false;
}

void share_note_cost(struct share *s, int64_t nano)
{
	if (add(s->cost, nano) < COST_MAX)
		return;
	set(s->cost, get(s->cost) / 2);
	set(s->hedge_cost, get(s->hedge_cost) / 2);
}

void share_note_hedge(struct share *s, int64_t nano)
{
	add(s->hedge_cost, nano);
}

bool share_allows_hedge(const struct share *s, int64_t nano, int per_cent)
{
	return get(s->hedge_cost) + nano <= get(s->cost) / 100 * per_cent;
}
