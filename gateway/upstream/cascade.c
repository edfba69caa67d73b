/*
 * cascade.c: the walk over a cascade: whose answer is judged, and what the whole of it cost.
 */
#include "core/cascade.h"
#include "core/families.h"
#include "core/price.h"
#include "upstream/compare.h"
#include "upstream/walk.h"

/* The last target of the cascade that could be asked: what everything would go to without it. */
static const struct plan_entry *largest(const struct plan *p, const struct plan_entry *e)
{
	const struct plan_entry *last = e;
	for (unsigned i = 0; i < p->n; i++)
		if (p->entries[i].rung == e->rung && p->entries[i].step > last->step)
			last = &p->entries[i];
	return last;
}

void cascade_begin(struct forward *f)
{
	const struct plan_entry *e = f->first.entry;
	f->cascade.on = e->step > 0 && !f->t->comparison;
	f->first.attempt.observed = f->t->comparison;
	if (f->t->comparison)
		f->first.attempt.cascade = e->cascade;
	if (!f->cascade.on)
		return;
	const struct plan_entry *last = largest(f->t->plan, e);
	f->cascade.last = last == e;
	f->cascade.large = last->target->price;
	f->cascade.large_output = last->output;
	f->cascade.before = f->t->cost;
	f->first.attempt.cascade = choose_terms(f, e);
}

/* What the last target would have taken for the same prompt and an answer of its usual length. */
static int64_t large_cost(const struct forward *f, const struct attempt *a)
{
	const struct txn *t = f->t;
	struct usage u = { .known = true, .input = t->usage.input, .output = f->cascade.large_output };
	if (f->cascade.last)
		return t->cost - f->cascade.before;
	if (!f->cascade.large || f->cascade.large_output < 0)
		return -1;
	return price_cost(f->cascade.large, &u, (enum service_tier)a->service);
}

void cascade_end(struct forward *f, const struct attempt *a)
{
	const struct txn *t = f->t;
	bool known = t->cost_known && !t->cost_missing;
	if (t->comparison)
		compare_completed(f->t);
	if (f->cascade.on)
		families_cascade_answer(t->live_model, a->live, known ? t->cost : -1, large_cost(f, a), a->judged || f->cascade.last);
}

void cascade_judged(struct forward *f, const struct attempt *a, const struct attempt_verdict *v)
{
	if (f->t->comparison)
		compare_judged(f->t, v);
	else if (a->cascade && a->cascade->compare && v->whole)
		compare_maybe(f->t, a->cascade->compare, v->text);
}
