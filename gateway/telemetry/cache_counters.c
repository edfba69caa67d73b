/*
 * cache_counters.c: what the cache did for each model.
 */
#include "telemetry/cache_counters.h"

#include "base/counters.h"
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
static struct counter_family cache_saved = {
	.name = "weir_cache_saved_usd_total", .help = "What answers out of the cache cost when they were bought.",
	.kind = COUNTER_SUM, .scale = 1e-9, .labels = { "model" },
};

static struct counter *two(struct counter_family *f, struct str a, struct str b)
{
	return counter_of(f, (struct str[]){ a, b });
}

void families_cache(struct live_model *model, const char *result, int64_t saved)
{
	struct str name = model ? model->name : STR("none");
	counter_add(two(&cache_requests, name, str_c(result)), 1);
	if (saved > 0)
		counter_add(counter_of(&cache_saved, &name), saved);
}

void families_cache_miss(struct live_model *model, const char *why)
{
	counter_add(two(&cache_misses, model ? model->name : STR("none"), str_c(why)), 1);
}

static void prepare_cache(struct str model)
{
	static const char *const results[] = { "hit", "coalesced", "stale", "miss", "bypass" }, *const reasons[] = { "absent", "expired", "broken", "store", "asked", "form", "evicted" };
	for (size_t i = 0; i < array_len(results); i++)
		two(&cache_requests, model, str_c(results[i]));
	for (size_t i = 0; i < array_len(reasons); i++)
		two(&cache_misses, model, str_c(reasons[i]));
	counter_of(&cache_saved, &model);
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
			prepare_cache(s->models[i]->live->name);
}
