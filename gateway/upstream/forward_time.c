/*
 * forward_time.c: every wait of a transaction, by one lazy timer: it wakes at the earliest deadline, looks at the
 * clock, and goes back to sleep; so a chunk of a stream costs it nothing.
 */
#include "base/clock.h"
#include "upstream/walk.h"

static const int64_t COMMENT_EVERY_US = 10 * SECOND_US;

struct try *forward_running(struct forward *f)
{
	if (f->second && f->second->running && !f->first.running)
		return f->second;
	return &f->first;
}

static void time_out(struct forward *f, const char *why)
{
	struct outcome o = { .kind = ERR_TIMEOUT, .why = why };
	struct try *y = forward_running(f);
	if (y == &f->first && y->running && f->second)
		try_cancel(f->second);
	if (y->running) {
		attempt_fail(&y->attempt, &o);
		return;
	}
	f->last = o;
	queue_leave(f);
	forward_fail(f, ERR_TIMEOUT);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return b && b < a ? b : a;
}

int64_t forward_due(struct forward *f)
{
	const struct txn *t = f->t;
	const struct try *y = forward_running(f);
	const struct attempt *a = &y->attempt;
	int64_t due = t->answer.content && t->stream ? INT64_MAX : t->deadline_us;
	due = sooner(sooner(due, f->backoff_until_us), f->queue_look_us ? f->queue_look_us : f->queue_until_us);
	if (y->running)
		due = sooner(due, attempt_trial_due(a, loop_now(t->loop)));
	if (y->running && attempt_has_content(a))
		due = sooner(due, a->last_byte_us + f->timeouts.idle_us);
	else if (y->running && t->stream)
		due = sooner(due, a->began_us + f->timeouts.first_token_us);
	if (t->stream)
		due = sooner(due, f->comment_us + COMMENT_EVERY_US);
	return sooner(due, f->hedge_at_us);
}

/* A wait that is over ends the turn: true. */
static bool waits_over(struct forward *f, int64_t now)
{
	if (f->backoff_until_us && now >= f->backoff_until_us) {
		f->backoff_until_us = 0;
		if (choose_place(f))
			forward_start(f);
		else
			forward_step(f);
		return true;
	}
	if (f->queue_look_us && now >= f->queue_look_us) {
		queue_look(f);
		return true;
	}
	if (f->queue_until_us && now >= f->queue_until_us) {
		forward_give_up(f);
		return true;
	}
	return false;
}

/* True: a deadline of the transaction or its attempt passed. */
static bool timed_out(struct forward *f, int64_t now)
{
	struct txn *t = f->t;
	struct try *y = forward_running(f);
	struct attempt *a = &y->attempt;
	bool content = attempt_has_content(a);
	const char *why = NULL;
	if (now >= t->deadline_us && !(t->answer.content && t->stream))
		why = "the request's time is over";
	else if (y->running && !a->waiting && !a->end_waits && content && now - a->last_byte_us >= f->timeouts.idle_us)
		why = "the provider fell silent";
	else if (y->running && t->stream && !content && now - a->began_us >= f->timeouts.first_token_us)
		why = "no first token in time";
	if (why)
		time_out(f, why);
	return why;
}

static void keep_caller(struct forward *f, int64_t now)
{
	struct txn *t = f->t;
	struct attempt *a = &forward_running(f)->attempt;
	if (f->comment_us < a->last_byte_us && t->answer.content)
		f->comment_us = a->last_byte_us;
	if (!t->stream || now - f->comment_us < COMMENT_EVERY_US)
		return;
	f->comment_us = now;
	if (!a->waiting && (t->answer.event_stream || !t->answer.begun))
		attempt_keep_alive(a);
}

void forward_on_timer(struct timer *timer)
{
	struct forward *f = container_of(timer, struct forward, timer);
	int64_t now = loop_now(timer->loop);
	if (waits_over(f, now) || timed_out(f, now))
		return;
	if (f->hedge_at_us && now >= f->hedge_at_us)
		hedge_start(f);
	if (f->first.running)
		attempt_trial_look(&f->first.attempt, now);
	keep_caller(f, now);
	timer_at(timer, forward_due(f));
}
