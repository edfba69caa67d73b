/*
 * slots.c: one lock for all queues: it is taken only where somebody waits.
 */
#include "core/slots.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"

struct slot_ticket {
	struct list link;		/* in the target's queue; under the lock */
	struct live_target *target;
	struct loop *loop;
	void (*granted)(void *owner, struct live_target *t);
	void *owner;			/* NULL: who waited has left; of the loop's thread */
	int most;
	bool queued;			/* not granted yet; under the lock */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool claim(struct live_target *t, int most)
{
	int32_t n = atomic_fetch_add(&t->in_flight, 1);
	if (most <= 0 || n < most)
		return true;
	atomic_fetch_sub(&t->in_flight, 1);
	return false;
}

bool slot_claim(struct live_target *t, int most)
{
	if (most > 0 && atomic_load(&t->waiting) > 0)
		return false;	/* others were first */
	return claim(t, most);
}

static void deliver(void *arg)
{
	struct slot_ticket *ticket = arg;
	if (ticket->owner)
		ticket->granted(ticket->owner, ticket->target);
	else
		slot_release(ticket->target);
	free(ticket);
}

/* Out of the queue; under the lock. */
static void take_out(struct slot_ticket *ticket)
{
	list_remove(&ticket->link);
	ticket->queued = false;
	atomic_fetch_sub(&ticket->target->waiting, 1);
}

/*
 * The place is given back before the queue is looked at, and a waiter is in the queue before
 * it looks for a place: so one of the two sees the other.
 */
void slot_release(struct live_target *t)
{
	struct slot_ticket *first = NULL;
	atomic_fetch_sub(&t->in_flight, 1);
	if (atomic_load(&t->waiting) == 0)
		return;
	pthread_mutex_lock(&lock);
	if (!list_empty(&t->queue)) {
		first = list_entry(t->queue.next, struct slot_ticket, link);
		if (claim(t, first->most))
			take_out(first);
		else
			first = NULL;
	}
	pthread_mutex_unlock(&lock);
	if (first)
		loop_post(first->loop, deliver, first);
}

struct slot_ticket *slot_wait(struct live_target *t, int most, struct loop *l, int length,
			      void (*granted)(void *, struct live_target *), void *owner)
{
	struct slot_ticket *ticket = mem_alloc(sizeof(*ticket));
	*ticket = (struct slot_ticket){ .target = t, .most = most, .loop = l, .granted = granted, .owner = owner, .queued = true };
	list_init(&ticket->link);
	pthread_mutex_lock(&lock);
	bool room = atomic_load(&t->waiting) < length, free_place = false;
	if (room) {
		if (!t->queue.next)
			list_init(&t->queue);
		list_append(&t->queue, &ticket->link);
		atomic_fetch_add(&t->waiting, 1);
		free_place = t->queue.next == &ticket->link && claim(t, most);
		if (free_place)
			take_out(ticket);
	}
	pthread_mutex_unlock(&lock);
	if (free_place)
		loop_post(l, deliver, ticket);
	if (room)
		return ticket;
	free(ticket);
	return NULL;
}

struct live_target *slot_target(const struct slot_ticket *ticket)
{
	return ticket->target;
}

void slot_leave(struct slot_ticket *ticket)
{
	pthread_mutex_lock(&lock);
	bool queued = ticket->queued;
	if (queued)
		take_out(ticket);
	pthread_mutex_unlock(&lock);
	if (queued)
		free(ticket);
	else
		ticket->owner = NULL;	/* its place is under way to us: deliver() gives it back */
}
