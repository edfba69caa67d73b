/*
 * follow.c: a transaction that waits for the answer somebody else asked for, and gets it as it is recorded.
 */
#include "cache/cached.h"

#include "base/clock.h"
#include "core/call.h"
#include "core/families.h"
#include "core/plan.h"

static void let_go(struct cached *c)
{
	if (c->timed)
		timer_close(&c->timer);
	c->timed = false;
	loop_task_cancel(&c->look);
	flight_unwatch(&c->watch);
	c->flight = NULL;
	c->t->cancel = NULL;
	c->t->on_drain = NULL;
}

void follow_end(struct cached *c)
{
	let_go(c);
}

static void cancel(struct txn *t)
{
	let_go(t->cached);
}

/* --- what it gets --- */

static void give_head(struct cached *c, const struct flight_view *v)
{
	struct txn *t = c->t;
	struct delta d = { .kind = DELTA_HEAD };
	c->headed = true;
	t->cache_state = v->label;
	t->cost_known = true;
	t->answer.status = v->status;
	t->answer.content_type = arena_copy(&t->arena, v->type);
	t->answer.headers = NULL;
	t->answer.n_headers = 0;
	t->answer.event_stream = v->event_stream;
	t->answer.length = v->length;
	t->sinks->take(t->sinks, &d);
}

static void give_comments(struct cached *c, const struct flight_view *v)
{
	struct delta d = { .kind = DELTA_EVENT, .raw = STR(": keep-alive\n\n") };
	if (c->comments == v->comments || !v->event_stream)
		return;
	c->comments = v->comments;
	c->t->sinks->take(c->t->sinks, &d);
}

/* The first bytes: from here on a stream ends when its flight does, and needs its request no more. */
static void begin_content(struct cached *c)
{
	struct txn *t = c->t;
	if (t->answer.content)
		return;
	t->answer.content = true;
	t->first_content_us = loop_now(t->loop);
	if (t->answer.event_stream) {
		timer_stop(&c->timer);
		txn_settle_down(t);
	}
}

/* All that is recorded, as far as the caller's queue takes it; false: it is full. */
static bool give(struct cached *c, struct flight_view *v)
{
	struct txn *t = c->t;
	struct buf piece = BUF_INIT(SIZE_MAX >> 1);
	bool room = true;
	do {
		buf_clear(&piece);
		flight_read(c->flight, c->at, &piece, v);
		if (v->head && !c->headed)
			give_head(c, v);
		if (!piece.n)
			break;
		begin_content(c);
		struct delta d = { .kind = v->event_stream ? DELTA_EVENT : DELTA_BYTES, .raw = buf_str(&piece), .content = true };
		room = t->sinks->take(t->sinks, &d) == SINK_TAKEN;
		c->at += room ? piece.n : 0;
	} while (room);
	buf_free(&piece);
	return room;
}

/* --- its end --- */

static void complete(struct cached *c, const struct flight_view *v)
{
	struct txn *t = c->t;
	struct delta d = { .kind = DELTA_END };
	t->usage = v->usage;
	families_cache(t->live_model, v->label, v->cost);
	let_go(c);
	t->sinks->take(t->sinks, &d);
	txn_end(t);
}

static void fail(struct cached *c, const struct flight_view *v)
{
	struct txn *t = c->t;
	const struct error *e = v->error;
	t->error = *e;
	t->error.message = arena_copy(&t->arena, e->message);
	t->error.param = arena_copy(&t->arena, e->param);
	t->error.code = arena_copy(&t->arena, e->code);
	t->error.relay = arena_copy(&t->arena, e->relay);
	t->cache_state = v->label;
	t->cut = t->answer.content;
	families_cache(t->live_model, v->label, 0);
	let_go(c);
	t->ops->fail(t);
}

/* As if it came only now. */
static void ask_anew(struct cached *c)
{
	let_go(c);
	c->asked = c->headed = false;
	c->comments = 0;
	c->t->cache_state = NULL;
	txn_resume(c->t, c->generation);
}

static void look(struct cached *c)
{
	struct flight_view v;
	if (!give(c, &v))
		return;
	switch (v.state) {
	case FLIGHT_OPEN:
		give_comments(c, &v);
		break;
	case FLIGHT_WHOLE:
		complete(c, &v);
		break;
	case FLIGHT_AGAIN:
		if (!c->t->answer.content) {
			ask_anew(c);
			break;
		}
		fail(c, &v);
		break;
	case FLIGHT_FAILED:
		fail(c, &v);
		break;
	}
}

static void on_wake(struct flight_watch *w)
{
	look(container_of(w, struct cached, watch));
}

static void on_drain(struct txn *t)
{
	look(t->cached);
}

static void on_look(struct loop_task *task)
{
	look(container_of(task, struct cached, look));
}

static void on_deadline(struct timer *timer)
{
	struct cached *c = container_of(timer, struct cached, timer);
	struct txn *t = c->t;
	t->cut = t->answer.content;
	let_go(c);
	txn_fail(t, ERR_TIMEOUT, "The answer did not come in time.");
}

/* The model's total time, or the caller's own if that is shorter. */
static int64_t deadline(const struct txn *t)
{
	int64_t total = t->plan->model->timeouts.total_us;
	if (t->call->timeout_us && t->call->timeout_us < total)
		total = t->call->timeout_us;
	return t->began_us + total;
}

enum stage_result follow_begin(struct cached *c)
{
	struct txn *t = c->t;
	c->at = 0;
	c->watch.wake = on_wake;
	list_init(&c->watch.link);
	timer_open(&c->timer, t->loop, on_deadline);
	c->timed = true;
	t->deadline_us = deadline(t);
	timer_at(&c->timer, t->deadline_us);
	t->cancel = cancel;
	t->on_drain = on_drain;
	flight_watch(c->flight, &c->watch, t->loop);
	loop_task_init(&c->look, on_look);
	loop_defer(t->loop, &c->look);	/* at what is recorded already */
	return STAGE_PARKED;
}
