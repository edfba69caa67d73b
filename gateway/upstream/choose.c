/*
 * choose.c: whom to ask next. What the router found when the request came may have changed
 * since: breakers, places and the money already spent are looked at again.
 */
#include "base/digest.h"
#include "core/breaker.h"
#include "core/call.h"
#include "core/credential.h"
#include "core/endpoint.h"
#include "core/slots.h"
#include "core/way.h"
#include "upstream/walk.h"

static int next_credential(const struct try *y, const struct provider *p, int64_t now, struct credential_pause *pause)
{
	unsigned first = p->n_credentials > 1 ? (unsigned)(random_u64() % p->n_credentials) : 0;
	return credential_next(p, first, y->credentials_tried, now, pause);
}

bool choose_credential(struct try *y)
{
	struct credential_pause pause;
	y->credential = next_credential(y, y->entry->target->provider, loop_now(y->f->t->loop), &pause);
	return y->credential >= 0;
}

static bool too_small(const struct forward *f, const struct target *target)
{
	const struct plan_entry *asked = f->first.entry;
	return f->last.kind == ERR_CONTEXT_LENGTH && asked && (target->context == 0 || target->context <= asked->target->context);
}

static bool too_dear(const struct forward *f, struct plan_entry *e)
{
	int64_t most = f->t->plan->model->policy.max_cost;
	if (!most || e->cost < 0 || f->t->cost + e->cost <= most)
		return false;
	e->excluded = "it costs more than the model's ceiling";
	e->excluded_as = ERR_COST_CEILING;
	return true;
}

static bool is_open(const struct forward *f, struct plan_entry *e)
{
	const struct live_target *live = e->target->live;
	enum breaker_class open;
	if (!live || breakers_allow(live->breakers, loop_now(f->t->loop), &open, &e->back_at_us))
		return false;
	e->excluded = breaker_class_name(open);
	e->excluded_as = open == BREAKER_RATE_LIMIT ? ERR_UPSTREAM_RATE_LIMIT : ERR_OVERLOADED;
	e->passing = open == BREAKER_LOADING || open == BREAKER_BUSY || open == BREAKER_RATE_LIMIT;
	return true;
}

/* An answer that is continued goes on in the bytes it began with. */
static bool cannot_continue(const struct forward *f, const struct plan_entry *e)
{
	const struct txn *t = f->t;
	return t->answer.content && way_to(e->target, t->endpoint->dialect, t->call->path) != WAY_RELAY;
}

/* No token of it is there yet, or any more: it is asked later, if at all. */
static void lacks_credential(struct plan_entry *e, const struct credential_pause *pause)
{
	e->excluded = pause->why;
	e->excluded_as = pause->as;
	e->passing = pause->passing;
	e->back_at_us = pause->back_at_us;
}

/* All but its place; chooses the credential. */
static bool is_usable(const struct forward *f, struct plan_entry *e, struct try *y)
{
	const struct provider *p = e->target->provider;
	struct credential_pause pause;
	if (e->asked || too_small(f, e->target) || too_dear(f, e) || is_open(f, e) || cannot_continue(f, e))
		return false;
	y->credentials_tried = 0;
	y->credential = next_credential(y, p, loop_now(f->t->loop), &pause);
	if (p->n_credentials == 0 || y->credential >= 0)
		return true;
	lacks_credential(e, &pause);
	return false;
}

static bool take(struct forward *f, struct plan_entry *e, struct try *y)
{
	if (e->excluded || !is_usable(f, e, y))
		return false;
	if (e->target->live && !slot_claim(e->target->live, e->target->max_concurrent)) {
		e->excluded = "full";
		e->full = true;
		return false;
	}
	y->place = e->target->live;
	y->entry = e;
	return true;
}

bool choose_next(struct forward *f)
{
	struct plan *p = f->t->plan;
	while (f->next < p->n) {
		if (!take(f, &p->entries[f->next++], &f->first))
			continue;
		f->again = p->model->retry.same_target;
		return true;
	}
	return false;
}

bool choose_other_vendor(struct forward *f, struct try *y)
{
	struct plan *p = f->t->plan;
	for (unsigned i = 0; i < p->n; i++)
		if (p->entries[i].target->provider != f->first.entry->target->provider && take(f, &p->entries[i], y))
			return true;
	return false;
}

/* After an answer of `e` that costs what is expected, would `other` break the model's ceiling? */
static bool breaks_ceiling(const struct forward *f, const struct plan_entry *e, const struct plan_entry *other)
{
	int64_t most = f->t->plan->model->policy.max_cost, own = e->cost > 0 ? e->cost : 0;
	return most && other->cost >= 0 && f->t->cost + own + other->cost > most;
}

const struct cascade *choose_terms(const struct forward *f, const struct plan_entry *e)
{
	const struct plan *p = f->t->plan;
	int most = p->model->retry.attempts;
	if (most > 0 && f->t->attempts + 1 >= most)
		return NULL;
	for (unsigned i = 0; e->step && i < p->n; i++) {
		const struct plan_entry *other = &p->entries[i];
		if (other->rung == e->rung && other->step > e->step && !other->excluded && !other->asked && !breaks_ceiling(f, e, other))
			return e->cascade;
	}
	return NULL;
}

bool choose_granted(struct forward *f, struct live_target *t)
{
	struct plan *p = f->t->plan;
	for (unsigned i = 0; i < p->n; i++) {
		struct plan_entry *e = &p->entries[i];
		if (e->target->live != t || !is_usable(f, e, &f->first))
			continue;
		e->excluded = NULL;
		f->first.place = t;
		f->first.entry = e;
		f->again = p->model->retry.same_target;
		return true;
	}
	slot_release(t);
	return false;
}

bool choose_place(struct forward *f)
{
	const struct target *target = f->first.entry->target;
	if (target->live && !slot_claim(target->live, target->max_concurrent))
		return false;
	f->first.place = target->live;
	return true;
}

void choose_refresh(struct forward *f)
{
	struct plan *p = f->t->plan;
	struct credential_pause pause;
	for (unsigned i = 0; i < p->n; i++) {
		struct plan_entry *e = &p->entries[i];
		const struct provider *provider = e->target->provider;
		if (e->asked || e->excluded || is_open(f, e))
			continue;
		if (provider->n_credentials && credential_next(provider, 0, 0, loop_now(f->t->loop), &pause) < 0)
			lacks_credential(e, &pause);
	}
}
