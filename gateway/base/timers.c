/*
 * timers.c: deadlines in a heap of pointers, four children to a node, with one event of libevent's
 * for the first of them: a timer of a quiet stream takes 40 bytes where an event takes 128.
 */
#include "base/timers.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/mem.h"

enum { CHILDREN = 4, FEWEST = 64 };

/* --- the heap --- */

static void put(struct loop *l, struct timer *t, uint32_t place)
{
	l->timers[place] = t;
	t->place = place;
}

static void rise(struct loop *l, struct timer *t)
{
	uint32_t i = t->place;
	while (i > 0 && l->timers[(i - 1) / CHILDREN]->armed_us > t->armed_us) {
		put(l, l->timers[(i - 1) / CHILDREN], i);
		i = (i - 1) / CHILDREN;
	}
	put(l, t, i);
}

static uint32_t first_child(const struct loop *l, uint32_t i)
{
	uint32_t best = i * CHILDREN + 1;
	for (uint32_t c = best + 1; c <= i * CHILDREN + CHILDREN && c < l->n_timers; c++)
		if (l->timers[c]->armed_us < l->timers[best]->armed_us)
			best = c;
	return best;
}

static void sink(struct loop *l, struct timer *t)
{
	uint32_t i = t->place, c;
	while ((c = first_child(l, i)) < l->n_timers && l->timers[c]->armed_us < t->armed_us) {
		put(l, l->timers[c], i);
		i = c;
	}
	put(l, t, i);
}

static void add(struct loop *l, struct timer *t)
{
	if (l->n_timers == l->cap_timers) {
		l->cap_timers = l->cap_timers ? 2 * l->cap_timers : FEWEST;
		l->timers = mem_resize(l->timers, sizeof(struct timer *) * l->cap_timers);
	}
	put(l, t, l->n_timers++);
	rise(l, t);
}

static void take(struct loop *l, struct timer *t)
{
	struct timer *last = l->timers[--l->n_timers];
	t->armed_us = INT64_MAX;
	if (last == t)
		return;
	put(l, last, t->place);
	rise(l, last);
	sink(l, last);
}

/* --- the alarm --- */

static void set_alarm(struct loop *l)
{
	if (l->n_timers == 0)
		return;
	int64_t wait = l->timers[0]->armed_us - loop_now(l);
	if (wait < 0)
		wait = 0;
	struct timeval tv = { .tv_sec = wait / SECOND_US, .tv_usec = wait % SECOND_US };
	event_add(l->alarm, &tv);
}

/* False: it was put off meanwhile, and waits again. */
static bool is_due(struct loop *l, struct timer *t)
{
	take(l, t);
	/* libevent's coarse clock may be a little ahead of ours. */
	if (t->due_us <= loop_now(l) + MS_US)
		return true;
	if (t->due_us != INT64_MAX) {
		t->armed_us = t->due_us;
		add(l, t);
	}
	return false;
}

static void on_alarm(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	(void)fd, (void)what;
	loop_tick(l);
	/* Those set while others fire are of the next turn, so no timer can hold the loop. */
	int64_t until = loop_now(l) + MS_US;
	for (uint32_t most = l->n_timers; most > 0 && l->n_timers && l->timers[0]->armed_us <= until; most--) {
		struct timer *t = l->timers[0];
		if (!is_due(l, t))
			continue;
		t->due_us = INT64_MAX;
		t->fire(t);
	}
	set_alarm(l);
}

bool timers_open(struct loop *l)
{
	l->alarm = event_new(l->base, -1, 0, on_alarm, l);
	return l->alarm != NULL;
}

void timers_close(struct loop *l)
{
	if (l->alarm)
		event_free(l->alarm);
	free(l->timers);
	l->alarm = NULL;
	l->timers = NULL;
	l->n_timers = l->cap_timers = 0;
}

/* --- timers --- */

void timer_open(struct timer *t, struct loop *l, void (*fire)(struct timer *))
{
	*t = (struct timer){ .loop = l, .due_us = INT64_MAX, .armed_us = INT64_MAX, .fire = fire };
}

void timer_at(struct timer *t, int64_t due_us)
{
	struct loop *l = t->loop;
	t->due_us = due_us;
	if (due_us >= t->armed_us)
		return;
	bool known = t->armed_us != INT64_MAX;
	t->armed_us = due_us;
	if (known)
		rise(l, t);
	else
		add(l, t);
	if (l->timers[0] == t)
		set_alarm(l);
}

void timer_close(struct timer *t)
{
	timer_stop(t);
	if (t->armed_us != INT64_MAX)
		take(t->loop, t);
}
