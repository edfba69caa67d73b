/*
 * cascade_counters.c: rows that only grow, as in families.c: read without a lock, added to under one.
 */
#include "telemetry/cascade_counters.h"

#include <pthread.h>

#include "base/mem.h"
#include "core/families.h"

#define SUM(n, h) .name = n, .help = h, .kind = COUNTER_SUM, .scale = 1
#define MONEY(n, h) .name = n, .help = h, .kind = COUNTER_SUM, .scale = 1e-9

static struct counter_family answers = {
	SUM("weir_cascade_answers_total", "Requests to cascades, by the target whose answer was given."), .labels = { "model", "target" },
};
static struct counter_family escalations = {
	SUM("weir_cascade_escalations_total", "Answers of a cascade's target that failed a check: the next target was asked."),
	.labels = { "model", "target" },
};
static struct counter_family failed_checks = {
	SUM("weir_cascade_failed_checks_total", "The same, by the check."), .labels = { "model", "check" },
};
static struct counter_family unjudged = {
	SUM("weir_cascade_unjudged_total", "Answers of a cascade's smaller targets that were given without a check."), .labels = { "model" },
};
static struct counter_family spent = {
	MONEY("weir_cascade_spent_usd_total", "Money spent on requests that a cascade answered, on all of its targets."), .labels = { "model" },
};
static struct counter_family large_cost = {
	MONEY("weir_cascade_large_usd_total", "What the last target alone would have cost for them: its real cost where it answered, else its price "
	      "for this prompt and its usual answer."), .labels = { "model" },
};

static struct counter_family compared = {
	SUM("weir_cascade_compared_total", "Answers of a cascade's smaller targets that were compared with the last target's, by what came of it."),
	.labels = { "model", "result" },
};
static struct counter_family compare_cost = {
	MONEY("weir_cascade_compare_usd_total", "Money spent on comparing."), .labels = { "model" },
};
const char *const compare_results[COMPARE_RESULTS] = { "same", "similar", "different", "large_failed", "not_answered" };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct cascade_model *) models;

struct cascade_model *cascade_models(void)
{
	return atomic_load_explicit(&models, memory_order_acquire);
}

static struct cascade_model *find_model(struct str name)
{
	struct cascade_model *m = cascade_models();
	while (m && !str_eq(m->name, name))
		m = m->next;
	return m;
}

static struct cascade_model *make_model(struct str name)
{
	struct cascade_model *m = mem_alloc(sizeof(*m));
	m->name = name;
	for (enum cascade_check c = 0; c < CASCADE_CHECKS; c++)
		m->failed[c] = counter_of(&failed_checks, (struct str[]){ name, str_c(cascade_check_name(c)) });
	m->unjudged = counter_of(&unjudged, &name);
	for (unsigned i = 0; i < COMPARE_RESULTS; i++)
		m->compared[i] = counter_of(&compared, (struct str[]){ name, str_c(compare_results[i]) });
	m->compare_cost = counter_of(&compare_cost, &name);
	m->spent = counter_of(&spent, &name);
	m->large = counter_of(&large_cost, &name);
	m->next = atomic_load_explicit(&models, memory_order_relaxed);
	atomic_store_explicit(&models, m, memory_order_release);
	return m;
}

static struct cascade_model *model_of(const struct live_model *live)
{
	struct str name = live ? live->name : STR("none");
	struct cascade_model *m = find_model(name);
	if (m)
		return m;
	pthread_mutex_lock(&lock);
	m = find_model(name);
	if (!m)
		m = make_model(name);
	pthread_mutex_unlock(&lock);
	return m;
}

static struct cascade_target *find_target(struct cascade_model *m, struct str name)
{
	struct cascade_target *t = atomic_load_explicit(&m->targets, memory_order_acquire);
	while (t && !str_eq(t->name, name))
		t = t->next;
	return t;
}

/* Behind the others: the report shows them in this order. */
static struct cascade_target *make_target(struct cascade_model *m, struct str name)
{
	struct cascade_target *t = mem_alloc(sizeof(*t)), *last = atomic_load_explicit(&m->targets, memory_order_relaxed);
	t->name = name;
	t->answered = counter_of(&answers, (struct str[]){ m->name, name });
	t->escalated = counter_of(&escalations, (struct str[]){ m->name, name });
	while (last && last->next)
		last = last->next;
	atomic_store_explicit(last ? &last->next : &m->targets, t, memory_order_release);
	return t;
}

static struct cascade_target *target_of(struct cascade_model *m, const struct live_target *live)
{
	struct str name = live ? live->label : STR("none");
	struct cascade_target *t = find_target(m, name);
	if (t)
		return t;
	pthread_mutex_lock(&lock);
	t = find_target(m, name);
	if (!t)
		t = make_target(m, name);
	pthread_mutex_unlock(&lock);
	return t;
}

void families_cascade_answer(struct live_model *model, struct live_target *target, int64_t own, int64_t large, bool judged)
{
	struct cascade_model *m = model_of(model);
	counter_add(target_of(m, target)->answered, 1);
	if (!judged)
		counter_add(m->unjudged, 1);
	if (own < 0 || large < 0)
		return;
	counter_add(m->spent, own);
	counter_add(m->large, large);
}

void families_cascade_failed(struct live_model *model, struct live_target *target, int check)
{
	struct cascade_model *m = model_of(model);
	counter_add(target_of(m, target)->escalated, 1);
	counter_add(m->failed[check < CASCADE_CHECKS ? check : 0], 1);
}

void families_cascade_compared(struct live_model *model, const char *result, int64_t cost)
{
	struct cascade_model *m = model_of(model);
	for (unsigned i = 0; i < COMPARE_RESULTS; i++)
		counter_add(m->compared[i], strcmp(compare_results[i], result) == 0);
	counter_add(m->compare_cost, cost);
}

void cascade_prepare(const struct snapshot *s)
{
	for (unsigned i = 0; i < s->n_models; i++) {
		const struct model *m = s->models[i];
		for (unsigned k = 0; m->cascade && m->live && k < m->n_targets; k++)
			if (m->targets[k]->live)
				target_of(model_of(m->live), m->targets[k]->live);
	}
}
