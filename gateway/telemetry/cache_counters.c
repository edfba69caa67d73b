/*
 * cache_counters.c: what the cache did for each model.
 */
#include "telemetry/cache_counters.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/counters.h"
#include "base/mem.h"
#include "core/families.h"

static struct counter_family cache_requests = {
	.name = "weir_cache_requests_total", .help = "Requests to models whose answers are kept, by what the cache did.", .kind = COUNTER_SUM, .scale = 1,
	.labels = { "model", "result" },
};
static struct counter_family cache_misses = {
	.name = "weir_cache_misses_total", .kind = COUNTER_SUM, .scale = 1,
	.help = "Questions without a kept answer, by why: none, over its time, unreadable, the store away, not wanted, of another form, evicted.",
	.labels = { "model", "reason" },
};
static struct counter_family cache_items = {
	.name = "weir_cache_items_total", .help = "Inputs of batches of embeddings that are looked up one by one, by what the cache did.", .kind = COUNTER_SUM, .scale = 1,
	.labels = { "model", "result" },
};
static struct counter_family cache_saved = {
	.name = "weir_cache_saved_usd_total", .help = "What answers out of the cache cost when they were bought.",
	.kind = COUNTER_SUM, .scale = 1e-9, .labels = { "model" },
};

/* In this order they are shown. */
static const struct str results[] = { STR_INIT("hit"), STR_INIT("coalesced"), STR_INIT("stale"), STR_INIT("miss"), STR_INIT("bypass") };
static const struct str item_results[] = { STR_INIT("hit"), STR_INIT("stale"), STR_INIT("miss") };
static const struct str reasons[] = { STR_INIT("absent"), STR_INIT("expired"), STR_INIT("broken"), STR_INIT("store"), STR_INIT("asked"),
				      STR_INIT("form"), STR_INIT("evicted") };

/* A model's series, found once. Rows live as long as the process, as models do. */
struct row {
	struct row *next;			/* at the same place */
	const struct live_model *model;		/* NULL: requests of no model */
	struct counter *results[array_len(results)], *reasons[array_len(reasons)], *items[array_len(item_results)], *saved;
};

enum { PLACES = 1024 };
static _Atomic(struct row *) rows[PLACES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct row *row_make(const struct live_model *model)
{
	struct row *r = mem_alloc(sizeof(*r));
	struct str name = model ? model->name : STR("none");
	r->model = model;
	for (size_t i = 0; i < array_len(results); i++)
		r->results[i] = counter_of(&cache_requests, (struct str[]){ name, results[i] });
	for (size_t i = 0; i < array_len(reasons); i++)
		r->reasons[i] = counter_of(&cache_misses, (struct str[]){ name, reasons[i] });
	for (size_t i = 0; i < array_len(item_results); i++)
		r->items[i] = counter_of(&cache_items, (struct str[]){ name, item_results[i] });
	r->saved = counter_of(&cache_saved, &name);
	return r;
}

static struct row *find(struct row *r, const struct live_model *model)
{
	while (r && r->model != model)
		r = r->next;
	return r;
}

/* Read without a lock, added to under one. */
static struct row *row_of(const struct live_model *model)
{
	_Atomic(struct row *) *place = &rows[(uintptr_t)model / 64 % PLACES];
	struct row *r = find(atomic_load_explicit(place, memory_order_acquire), model);
	if (likely(r))
		return r;
	pthread_mutex_lock(&lock);
	struct row *first = atomic_load_explicit(place, memory_order_relaxed);
	r = find(first, model);
	if (!r) {
		r = row_make(model);
		r->next = first;
		atomic_store_explicit(place, r, memory_order_release);
	}
	pthread_mutex_unlock(&lock);
	return r;
}

static void count(struct counter *const *series, const struct str *names, size_t n, const char *name, unsigned times)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(names[i], str_c(name)))
			counter_add(series[i], times);
}

void families_cache(struct live_model *model, const char *result, int64_t saved)
{
	struct row *r = row_of(model);
	count(r->results, results, array_len(results), result, 1);
	if (saved > 0)
		counter_add(r->saved, saved);
}

void families_cache_miss(struct live_model *model, const char *why)
{
	count(row_of(model)->reasons, reasons, array_len(reasons), why, 1);
}

void families_cache_items(struct live_model *model, const char *result, unsigned n)
{
	count(row_of(model)->items, item_results, array_len(item_results), result, n);
}

void families_cache_saved(struct live_model *model, int64_t saved)
{
	counter_add(row_of(model)->saved, saved);
}

/* Whoever may turn it on. */
static bool may_cache(const struct snapshot *s, const struct model *m)
{
	bool any = m->policy.cache || s->settings.cache.on_request;
	for (unsigned i = 0; i < s->n_keys; i++)
		any |= s->keys[i]->cache > 0;
	return any;
}

void cache_counters_prepare(const struct snapshot *s)
{
	for (unsigned i = 0; i < s->n_models; i++)
		if (s->models[i]->live && may_cache(s, s->models[i]))
			row_of(s->models[i]->live);
}
