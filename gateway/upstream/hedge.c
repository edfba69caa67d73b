/*
 * hedge.c: a second attempt at another vendor when the first token is late.
 *
 * Late is what few of the target's latest requests were. Both attempts run until one has
 * something to pass on; the other is cancelled, and charged with what it may have cost.
 * Second attempts are made only while their expected cost stays within the model's share.
 */
#include "core/call.h"
#include "core/families.h"
#include "upstream/walk.h"

#include "base/mem.h"

enum { POOL_MAX = 64 };

static _Thread_local struct list pool;
static _Thread_local unsigned pooled;

void hedge_open(void)
{
	list_init(&pool);
	pooled = 0;
}

void hedge_close(void)
{
	while (!list_empty(&pool)) {
		struct try *y = list_entry(pool.next, struct try, link);
		list_remove(&y->link);
		free(y);
	}
}

static struct try *try_get(void)
{
	if (list_empty(&pool))
		return mem_alloc(sizeof(struct try));
	struct try *y = list_entry(pool.next, struct try, link);
	list_remove(&y->link);
	pooled--;
	return y;
}

void hedge_plan(struct forward *f)
{
	const struct plan *p = f->t->plan;
	const struct routing_policy *policy = &p->model->policy;
	const struct plan_entry *e = f->first.entry;
	f->hedge_at_us = 0;
	if (!policy->hedge_quantile || !p->model->live || f->second || f->t->call->upload || !e->target->live)
		return;
	int64_t late = learned_first(&e->target->live->learned, f->t->stream, policy->hedge_quantile);
	if (late)
		f->hedge_at_us = loop_now(f->t->loop) + late;
}

void hedge_start(struct forward *f)
{
	struct txn *t = f->t;
	const struct plan *p = t->plan;
	struct try *y = try_get();
	f->hedge_at_us = 0;
	*y = (struct try){ .f = f };
	list_init(&y->link);
	attempt_init(&y->attempt, t, &forward_attempt_events);
	f->second = y;
	if (!choose_other_vendor(f, y))
		return;
	int64_t cost = y->entry->cost > 0 ? y->entry->cost : 0;
	if (!share_allows_hedge(&p->model->live->share, cost, p->model->policy.hedge_share)) {
		y->entry->asked = false;
		try_cancel(y);
		return;
	}
	share_note_hedge(&p->model->live->share, cost);
	try_start(y, &f->timeouts);
}

/* Cut short before its first token: it would have taken at least so long. */
static void learn_from(const struct try *loser)
{
	const struct attempt *a = &loser->attempt;
	int64_t now = loop_now(a->t->loop);
	if (a->live && !a->first_content_us)
		learned_note_late(&a->live->learned, now, now - a->began_us, a->t->stream);
}

void hedge_decide(struct forward *f, struct attempt *a)
{
	struct try *winner = container_of(a, struct try, attempt);
	struct try *loser = winner == &f->first ? f->second : &f->first;
	f->hedge_at_us = 0;
	f->t->live_target = a->live;
	if (winner == f->second && f->resume)
		f->resume->possible = false;	/* only the walk's own attempts take notes for a continuation */
	if (!loser || !loser->running)
		return;
	families_hedge(f->t->live_model, winner == f->second);
	learn_from(loser);
	try_cancel(loser);
}

void hedge_end(struct forward *f)
{
	struct try *y = f->second;
	f->second = NULL;
	if (!y)
		return;
	try_cancel(y);
	attempt_free(&y->attempt);
	/* Its memory stays valid: one of its callbacks may have led here. */
	list_prepend(&pool, &y->link);
	if (++pooled > POOL_MAX) {
		struct try *oldest = list_entry(pool.prev, struct try, link);
		list_remove(&oldest->link);
		pooled--;
		free(oldest);
	}
}
