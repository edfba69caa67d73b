/*
 * plugin_counters.c: what is counted of plugins. Names come from the configuration.
 */
#include <stdatomic.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/live.h"
#include "core/snapshot.h"
#include "plugin_host/plugin_host.h"
#include "plugin_host/run.h"

static struct counter_family outcomes = {
	.name = "weir_plugin_requests_total", .help = "Requests that came to a plugin, by what it did with them.",
	.kind = COUNTER_SUM, .scale = 1, .labels = { "plugin", "outcome" },
};
static struct counter_family hits = {
	.name = "weir_plugin_hits_total", .help = "Uses of what a plugin was configured with, such as rules, by its name.",
	.kind = COUNTER_SUM, .scale = 1, .labels = { "plugin", "name" },
};
static struct counter_family avoided = {
	.name = "weir_plugin_calls_avoided_total", .help = "Requests that a plugin answered, so no model was asked.",
	.kind = COUNTER_SUM, .scale = 1, .labels = { "plugin", "model" },
};
static struct counter_family saved = {
	.name = "weir_plugin_saved_usd_total", .help = "What those requests would have cost, by the model's running mean.",
	.kind = COUNTER_SUM, .scale = 1e-9, .labels = { "plugin", "model" },
};
static struct counter_family overruns = {
	.name = "weir_plugin_overruns_total", .help = "Calls of a plugin that kept the thread longer than 10 ms.",
	.kind = COUNTER_SUM, .scale = 1, .labels = { "plugin", "hook" },
};

static struct counter_family stuck = {
	.name = "weir_plugin_stuck_total", .help = "Calls of a plugin that kept the thread longer than a second.",
	.kind = COUNTER_SUM, .scale = 1, .labels = { "plugin", "hook" },
};
static struct counter_family cuts = {
	.name = "weir_plugin_cut_off_total", .help = "Patterns that took more steps than they may, and counted as no match.",
	.kind = COUNTER_SUM, .scale = 1, .labels = { "plugin" },
};
static struct counter_family off = {
	.name = "weir_plugin_off", .help = "1: the plugin crashed weir three times within an hour, and is switched off.",
	.kind = COUNTER_GAUGE, .scale = 1, .labels = { "plugin" },
};

static const int64_t OVERRUN_US = 10 * MS_US, TELL_US = 100 * MS_US;

static struct counter *two(struct counter_family *f, struct str a, struct str b)
{
	return counter_of(f, (struct str[]){ a, b });
}

static const char *const outcome_words[OUTCOMES] = {
	"continue", "change", "answer", "reject", "timeout", "failure", "invalid", "off"
};

/*
 * Series are kept where they are counted, because to find one takes a lock that all threads share. Rows hang in lists that only
 * grow, read without a lock; two threads that miss the same one both make it, and one row is never found again.
 */
enum { BUCKETS = 256, ROWS_MOST = COUNTER_SERIES_MAX, PREPARED_MOST = 500 };

struct row {
	struct row *next;
	struct str name;
	struct counter *first, *second;
};

struct table {
	_Atomic(struct row *) buckets[BUCKETS];
	_Atomic unsigned n;
};

struct plugin_counts {
	struct counter *outcomes[OUTCOMES];
	struct table hits, models;
};

struct plugin_counts *plugin_counts_new(struct str plugin)
{
	struct plugin_counts *c = mem_alloc(sizeof(*c));
	for (unsigned o = 0; o < OUTCOMES; o++)
		c->outcomes[o] = two(&outcomes, plugin, str_c(outcome_words[o]));
	return c;
}

/* Names that come without end are counted without being kept. */
static struct row find(struct table *t, struct str name, struct str plugin, struct counter_family *first, struct counter_family *second)
{
	_Atomic(struct row *) *bucket = &t->buckets[str_hash(name) % BUCKETS];
	for (struct row *r = atomic_load(bucket); r; r = r->next)
		if (str_eq(r->name, name))
			return *r;
	struct row made = { .first = two(first, plugin, name), .second = second ? two(second, plugin, name) : NULL };
	if (atomic_fetch_add(&t->n, 1) >= ROWS_MOST)
		return made;
	struct row *r = mem_alloc(sizeof(*r));
	made.name = str_of(mem_copy(name), name.n);
	made.next = atomic_load(bucket);
	do
		*r = made;
	while (!atomic_compare_exchange_weak(bucket, &made.next, r));
	return made;
}

static struct row hit_of(struct plugin_record *r, struct str why)
{
	return find(&r->counts->hits, why, r->name, &hits, NULL);
}

static struct row model_of(struct plugin_record *r, const struct live_model *m)
{
	return find(&r->counts->models, m ? m->name : STR("none"), r->name, &avoided, &saved);
}

void count_outcome(const struct plugin_use *u, enum plugin_outcome o)
{
	counter_add(u->record->counts->outcomes[o], 1);
}

/* Of thousands of names only those are made that are counted: a family has room for 2,000. */
void prepare_hit(struct plugin_record *r, struct str why)
{
	if (atomic_load(&r->counts->hits.n) < PREPARED_MOST)
		hit_of(r, why);
}

void count_hit(const struct plugin_use *u, struct str why)
{
	counter_add(hit_of(u->record, why).first, 1);
}

void count_avoided(const struct plugin_use *u, const struct live_model *m)
{
	struct row row = model_of(u->record, m);
	counter_add(row.first, 1);
	int64_t cost = m ? atomic_load_explicit(&m->mean_cost, memory_order_relaxed) : 0;
	if (cost > 0)
		counter_add(row.second, cost);
}

void count_overrun(const struct plugin_use *u, const char *hook, int64_t took_us)
{
	if (took_us < OVERRUN_US)
		return;
	counter_add(two(&overruns, u->name, str_c(hook)), 1);
	if (took_us >= TELL_US)
		log_warn("plugin %.*s kept a thread for %lld ms in %s()", STR_FMT(u->name), (long long)(took_us / MS_US), hook);
}

void count_cut_off(const struct plugin_use *u)
{
	counter_add(counter_of(&cuts, &u->name), 1);
}

void count_stuck(struct str plugin, const char *hook)
{
	counter_add(two(&stuck, plugin, str_c(hook)), 1);
}

void show_off(struct str plugin, bool is)
{
	counter_set(counter_of(&off, &plugin), is);
}

/* A sixteenth of the way to each new cost; races lose one of two, no more. */
void learn_cost(struct live_model *m, int64_t cost)
{
	int64_t mean = atomic_load_explicit(&m->mean_cost, memory_order_relaxed);
	atomic_store_explicit(&m->mean_cost, mean ? mean + (cost - mean) / 16 : cost, memory_order_relaxed);
}

/* --- before anything is counted --- */

static void prepare_hooks(const struct plugin_use *u)
{
	const struct weir_plugin *p = u->plugin;
	const struct { const char *name; bool has; } hooks[] = {
		{ "request", p->request }, { "result", p->result }, { "target", p->target }, { "delta", p->delta },
		{ "arguments", p->arguments }, { "answered", p->answered }, { "check", p->check }, { "end", p->end },
	};
	for (size_t i = 0; i < array_len(hooks); i++)
		if (hooks[i].has) {
			two(&overruns, u->name, str_c(hooks[i].name));
			two(&stuck, u->name, str_c(hooks[i].name));
		}
}

void plugins_prepare(const struct snapshot *s)
{
	const struct plugin_set *set = s->plugins;
	for (const struct plugin_use *u = set ? set->uses : NULL; u && u < set->uses + set->n; u++) {
		prepare_hooks(u);
		counter_of(&cuts, &u->name);
		show_off(u->name, plugin_is_off(u));
		for (unsigned i = 0; i < s->n_models; i++)
			if (s->models[i]->live)
				model_of(u->record, s->models[i]->live);
	}
}
