/*
 * queue.c: a short wait where all targets are full, loading, or limited for a moment.
 *
 * A request stands in the queues of up to four full targets at once and takes the first
 * place it gets; and it looks again when a pause that is known to end, ends.
 */
#include "core/slots.h"
#include "upstream/walk.h"

static void on_granted(void *owner, struct live_target *t)
{
	struct forward *f = owner;
	for (unsigned i = 0; i < QUEUES_MAX; i++)
		if (f->tickets[i] && slot_target(f->tickets[i]) == t)
			f->tickets[i] = NULL;
	queue_leave(f);
	if (choose_granted(f, t) || choose_next(f))
		forward_go_on(f);
	else if (!queue_wait(f))
		forward_give_up(f);
}

static bool join(struct forward *f, const struct plan_entry *e, unsigned *n)
{
	const struct routing_policy *policy = &f->t->plan->model->policy;
	if (*n == QUEUES_MAX)
		return true;
	f->tickets[*n] = slot_wait(e->target->live, e->target->max_concurrent, f->t->loop, policy->queue_length, on_granted, f);
	*n += f->tickets[*n] != NULL;
	return *n > 0;
}

bool queue_wait(struct forward *f)
{
	struct txn *t = f->t;
	struct plan *p = t->plan;
	int64_t now = loop_now(t->loop);
	unsigned n = 0;
	bool hope = false;
	if (!f->tickets)
		f->tickets = arena_array(&t->arena, struct slot_ticket *, QUEUES_MAX);
	if (!f->queue_end_us)
		f->queue_end_us = now + p->model->policy.queue_wait_us;
	int64_t until = f->queue_end_us < t->deadline_us ? f->queue_end_us : t->deadline_us;
	f->queue_look_us = 0;
	choose_refresh(f);
	for (unsigned i = 0; i < p->n && until > now; i++) {
		struct plan_entry *e = &p->entries[i];
		if (e->asked)
			continue;
		if (e->full)
			hope |= join(f, e, &n);
		if (e->passing && e->back_at_us > now && e->back_at_us <= until) {
			f->queue_look_us = f->queue_look_us && f->queue_look_us < e->back_at_us ? f->queue_look_us : e->back_at_us;
			hope = true;
		}
	}
	if (hope)
		f->queue_until_us = until;
	if (hope)
		timer_at(&f->timer, f->queue_look_us ? f->queue_look_us : until);
	return hope;
}

void queue_look(struct forward *f)
{
	struct plan *p = f->t->plan;
	int64_t now = loop_now(f->t->loop);
	queue_leave(f);
	for (unsigned i = 0; i < p->n; i++)
		if (p->entries[i].passing && p->entries[i].back_at_us <= now) {
			p->entries[i].excluded = NULL;
			p->entries[i].passing = false;
		}
	f->next = 0;
	if (choose_next(f))
		forward_go_on(f);
	else if (!queue_wait(f))
		forward_give_up(f);
}

void queue_leave(struct forward *f)
{
	for (unsigned i = 0; i < QUEUES_MAX && f->tickets; i++)
		if (f->tickets[i])
			slot_leave(f->tickets[i]);
	f->tickets = NULL;
	f->queue_look_us = 0;
}
