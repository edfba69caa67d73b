/*
 * judge.c: reasons not to ask a target, the firmest first.
 *
 * What the configuration says is binding. What a table or an estimate says of a model is not
 * always right: such a target makes way for a fitter one, and is asked after all when there is none.
 */
#include "routing/judge.h"

#include <stdatomic.h>

#include "core/breaker.h"
#include "core/call.h"
#include "core/credential.h"
#include "core/dialect.h"
#include "core/endpoint.h"
#include "core/price.h"
#include "core/snapshot.h"
#include "core/txn.h"
#include "core/way.h"

/* --- by configuration --- */

static const char *lacking(unsigned features)
{
	static const char *const words[FEATURES] = {
		"does not know tools", "cannot see images", "cannot hear", "keeps to no schema", "does not reason"
	};
	for (unsigned i = 0; i < FEATURES; i++)
		if (features & 1u << i)
			return words[i];
	return NULL;
}

static const char *against(const struct requires *r, const struct target *t)
{
	if (t->features_known && r->features & ~t->features)
		return lacking(r->features & ~t->features);
	if (r->context && t->context && t->context < r->context)
		return "its context is too small";
	if (r->quality && t->quality && t->quality < r->quality)
		return "its quality is too low";
	if (!str_empty(r->region) && !str_eq(r->region, t->provider->region))
		return "it is in another region";
	return NULL;
}

static const char *by_format(const struct txn *t, const struct target *target)
{
	return way_to(target, t->endpoint->dialect, t->call->path) == WAY_NONE ? "it does not speak the caller's format" : NULL;
}

static const char *by_configuration(const struct txn *t, const struct requires *r, const struct target *target)
{
	const struct provider *p = target->provider;
	struct str only = t->req->header[RH_WEIR_PROVIDER];
	if (!p->usable)
		return "no credential";
	if (!str_empty(only) && !str_eq(only, p->name))
		return "not the provider asked for";
	if (by_format(t, target))
		return by_format(t, target);
	if (!target->price && t->snapshot->pricing.unpriced == UNPRICED_REFUSE && !str_empty(target->model))
		return "its price is not known";
	return against(r, target);
}

/* --- by health --- */

static void by_health(struct plan_entry *e, int64_t now)
{
	const struct live_target *live = e->target->live;
	const struct provider *p = e->target->provider;
	struct credential_pause pause;
	enum breaker_class open;
	if (live && atomic_load_explicit(&live->drained, memory_order_relaxed)) {
		e->excluded = "drained";
	} else if (live && !breakers_allow(live->breakers, now, &open, &e->back_at_us)) {
		e->excluded = breaker_class_name(open);
		e->excluded_as = open == BREAKER_RATE_LIMIT ? ERR_UPSTREAM_RATE_LIMIT : ERR_OVERLOADED;
		e->passing = open == BREAKER_LOADING || open == BREAKER_BUSY || open == BREAKER_RATE_LIMIT;
	} else if (p->n_credentials && credential_next(p, 0, 0, now, &pause) < 0) {
		e->excluded = pause.why;
		e->excluded_as = pause.as;
		e->passing = pause.passing;
		e->back_at_us = pause.back_at_us;
	} else if (live && atomic_load_explicit(&live->healthy, memory_order_relaxed) == 0) {
		e->excluded = "health check fails";
	}
}

static bool is_full(const struct target *t)
{
	return t->max_concurrent > 0 && t->live &&
	       (atomic_load_explicit(&t->live->in_flight, memory_order_relaxed) >= t->max_concurrent ||
		atomic_load_explicit(&t->live->waiting, memory_order_relaxed) > 0);
}

void judge(const struct txn *t, const struct requires *r, struct plan_entry *e)
{
	e->excluded_as = ERR_OVERLOADED;
	e->excluded = by_configuration(t, r, e->target);
	if (by_format(t, e->target))
		e->excluded_as = ERR_BAD_REQUEST;
	if (!e->excluded)
		by_health(e, loop_now(t->loop));
	if (!e->excluded && is_full(e->target)) {
		e->excluded = "full";
		e->full = true;
	}
}

/* --- by the prompt --- */

/* Is there anything to tell apart? Most requests are spared the measuring. */
static bool worth_measuring(const struct txn *t, const struct plan *p)
{
	bool any = false;
	for (unsigned i = 0; i < p->n; i++) {
		const struct target *target = p->entries[i].target;
		any |= target->features_known && target->features != (1u << FEATURES) - 1;
		any |= target->context && (int64_t)t->call->body.n > target->context;
	}
	return any && p->n > 1 && t->call->json;
}

void judge_fit(struct txn *t, struct plan *p)
{
	unsigned fit = 0;
	if (!worth_measuring(t, p))
		return;
	const struct prompt *prompt = txn_prompt(t);
	for (unsigned i = 0; i < p->n; i++) {
		struct plan_entry *e = &p->entries[i];
		const struct target *target = e->target;
		const char *why = target->features_known ? lacking(prompt->needs & ~target->features) : NULL;
		if (!why && target->context && (int64_t)t->call->body.n > target->context &&
		    estimate_input(target->live ? &target->live->learned.input : NULL, prompt) > target->context)
			why = "its context is too small";
		e->unfit = why && !e->excluded;
		if (e->unfit) {
			e->excluded = why;
			e->excluded_as = ERR_OVERLOADED;
		}
		fit += !e->excluded;
	}
	for (unsigned i = 0; i < p->n && !fit; i++)
		if (p->entries[i].unfit)
			p->entries[i].excluded = NULL;
}

/* --- by money --- */

void judge_cost(const struct plan *p, struct plan_entry *e, int64_t spent)
{
	int64_t most = p->model->policy.max_cost;
	if (!most || e->excluded || e->cost < 0 || spent + e->cost <= most)
		return;
	e->excluded = "it costs more than the model's ceiling";
	e->excluded_as = ERR_COST_CEILING;
}
