/*
 * pace.c: a kept stream event by event, as if it were written now.
 */
#include "base/clock.h"
#include "cache/cached.h"

static void let_go(struct cached *c)
{
	if (c->timed)
		timer_close(&c->timer);
	c->timed = false;
	c->t->cancel = NULL;
	c->t->on_drain = NULL;
}

static void cancel(struct txn *t)
{
	let_go(t->cached);
}

/* Up to and with the blank line. */
static struct str next_event(struct str rest)
{
	for (size_t i = 0; i + 1 < rest.n; i++) {
		bool blank = rest.p[i] == '\n' && (rest.p[i + 1] == '\n' || (i + 2 < rest.n && rest.p[i + 1] == '\r' && rest.p[i + 2] == '\n'));
		if (blank)
			return str_head(rest, i + (rest.p[i + 1] == '\n' ? 2 : 3));
	}
	return rest;
}

static void give_next(struct cached *c)
{
	struct txn *t = c->t;
	struct str event = next_event(str_skip(c->entry.body, c->at));
	struct delta d = { .kind = event.n ? DELTA_EVENT : DELTA_END, .raw = event, .content = true };
	if (t->sinks->take(t->sinks, &d) != SINK_TAKEN)
		return;		/* on_drain comes */
	c->at += event.n;
	if (event.n) {
		timer_in(&c->timer, c->pace_us);
		return;
	}
	let_go(c);
	txn_end(t);
}

static void on_timer(struct timer *timer)
{
	give_next(container_of(timer, struct cached, timer));
}

static void on_drain(struct txn *t)
{
	if (!timer_pending(&t->cached->timer))
		give_next(t->cached);
}

void pace_begin(struct cached *c)
{
	struct txn *t = c->t;
	c->at = 0;
	timer_open(&c->timer, t->loop, on_timer);
	c->timed = true;
	t->cancel = cancel;
	t->on_drain = on_drain;
	give_next(c);
}

void pace_end(struct cached *c)
{
	if (c->timed)
		let_go(c);
}
