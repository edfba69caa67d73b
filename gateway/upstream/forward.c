/*
 * forward.c: the walk over the plan, from the first attempt to an answer or an honest error.
 *
 * The same target is asked again only when the request is provably unprocessed; the next
 * one on any failure before content (unless the model says `uncertain: never`). Retries and
 * walking on have separate budgets, one deadline holds for all of it. After content the
 * model's on_stream_failure decides.
 *
 * One lazy timer serves every wait of the transaction: it wakes at the earliest deadline,
 * looks at the clock, and goes back to sleep; so a chunk of a stream costs it nothing.
 */
#include "upstream/forward.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/breaker.h"
#include "core/call.h"
#include "core/endpoint.h"
#include "core/plan.h"
#include "core/snapshot.h"
#include "core/txn.h"
#include "upstream/attempt.h"
#include "upstream/attempt_charge.h"
#include "upstream/failure.h"
#include "upstream/upload.h"

enum { IDLE_FORWARDS_MAX = 256, ATTEMPTS_MAX = 64 };
static const int64_t COMMENT_EVERY_US = 10 * SECOND_US, LONG_RETRY_US = 60 * SECOND_US;

struct forward {
	struct list link;		/* in the pool of the thread */
	struct txn *t;
	struct attempt attempt;
	struct timer timer;
	struct loop_task step_task;	/* the next attempt begins outside the callback that ended the last */
	unsigned next;			/* plan entry to ask next */
	struct plan_entry *entry;	/* being asked */
	int again;			/* further tries of this entry's target */
	unsigned credentials_tried;	/* bits of the provider's list */
	int credential;			/* index in it, -1: none */
	bool trials[BREAKER_CLASSES];	/* half-open trials this attempt holds */
	bool credential_trials[BREAKER_CLASSES];
	bool slot;			/* counted in live_target.in_flight */
	bool running;			/* an attempt is under way */
	int64_t backoff_until_us;	/* waiting to try again; 0: not */
	int64_t comment_us;		/* last byte towards the caller, for keep-alive comments */
	struct outcome last;		/* of the latest failure */
	/* Copied, because the snapshot goes at the commit. */
	struct timeouts timeouts;
	struct breaker_settings breaker;
	struct resume resume;
};

static _Thread_local struct list pool;
static _Thread_local unsigned pooled;
static _Thread_local struct loop *thread_loop;

static void step(struct forward *f);

/* --- life --- */

static void on_timer(struct timer *timer);
static void on_step(struct loop_task *task);

void forward_open(struct loop *l)
{
	list_init(&pool);
	thread_loop = l;
	upstream_open(l);
}

static void forward_release(struct forward *f)
{
	timer_close(&f->timer);
	free(f);
}

void forward_close(void)
{
	while (!list_empty(&pool)) {
		struct forward *f = list_entry(pool.next, struct forward, link);
		list_remove(&f->link);
		forward_release(f);
	}
	pooled = 0;
	upstream_close();
}

static struct forward *forward_get(void)
{
	if (!list_empty(&pool)) {
		struct forward *f = list_entry(pool.next, struct forward, link);
		list_remove(&f->link);
		pooled--;
		return f;
	}
	struct forward *f = mem_alloc(sizeof(*f));
	list_init(&f->link);
	timer_open(&f->timer, thread_loop, on_timer);
	loop_task_init(&f->step_task, on_step);
	return f;
}

static void forward_put(struct forward *f)
{
	loop_task_cancel(&f->step_task);
	timer_stop(&f->timer);
	attempt_free(&f->attempt);
	resume_free(&f->resume);
	f->t = NULL;
	if (pooled >= IDLE_FORWARDS_MAX) {
		forward_release(f);
		return;
	}
	list_prepend(&pool, &f->link);
	pooled++;
}

/* --- what an attempt holds of live state --- */

static void enter_all(struct breaker *all, bool *trials, int64_t now)
{
	for (enum breaker_class c = 0; c < BREAKER_CLASSES; c++)
		breaker_enter(&all[c], now, &trials[c]);
}

static void release_all(struct breaker *all, bool *trials)
{
	for (enum breaker_class c = 0; c < BREAKER_CLASSES; c++) {
		breaker_release(&all[c], trials[c]);
		trials[c] = false;
	}
}

static void succeed_all(struct breaker *all, bool *trials)
{
	for (enum breaker_class c = 0; c < BREAKER_CLASSES; c++) {
		breaker_succeed(&all[c], trials[c]);
		trials[c] = false;
	}
}

static void hold(struct forward *f)
{
	struct attempt *a = &f->attempt;
	int64_t now = loop_now(f->t->loop);
	if (a->live) {
		enter_all(a->live->breakers, f->trials, now);
		atomic_fetch_add_explicit(&a->live->in_flight, 1, memory_order_relaxed);
		f->slot = true;
	}
	if (a->credential)
		enter_all(a->credential->breakers, f->credential_trials, now);
}

static void let_go(struct forward *f, bool success)
{
	struct attempt *a = &f->attempt;
	void (*all)(struct breaker *, bool *) = success ? succeed_all : release_all;
	if (f->slot)
		atomic_fetch_sub_explicit(&a->live->in_flight, 1, memory_order_relaxed);
	f->slot = false;
	if (a->live)
		all(a->live->breakers, f->trials);
	if (a->credential)
		all(a->credential->breakers, f->credential_trials);
}

/*
 * Time spent waiting for providers is theirs, the rest is our overhead: their time begins
 * when they were asked and is over when the turn begins that their bytes came with.
 */
static void upstream_clock(struct txn *t, bool running)
{
	int64_t now = loop_now(t->loop);
	if (t->upstream_since_us && now > t->upstream_since_us)
		t->upstream_us += now - t->upstream_since_us;
	t->upstream_since_us = running ? now : 0;
}

/* --- endings --- */

static void end_with_error(struct forward *f, enum error_kind kind)
{
	struct txn *t = f->t;
	t->error.kind = kind;
	failure_describe(t, &f->last);
	t->ops->fail(t);
}

static void completed(struct attempt *a)
{
	struct forward *f = container_of(a, struct forward, attempt);
	struct txn *t = f->t;
	f->running = false;
	attempt_charge(a, true);
	let_go(f, true);
	upstream_clock(t, false);
	failure_count(t, a, NULL);
	txn_end(t);
}

static void committed(struct attempt *a)
{
	struct forward *f = container_of(a, struct forward, attempt);
	if (f->resume.possible)
		return;		/* the request may be needed once more */
	f->entry = NULL;
	txn_settle_down(f->t);
}

/* --- choosing whom to ask next --- */

static int next_credential(const struct forward *f, const struct provider *p)
{
	enum breaker_class open;
	int64_t back, now = loop_now(f->t->loop);
	unsigned first = p->n_credentials > 1 ? (unsigned)(random_u64() % p->n_credentials) : 0;
	for (unsigned i = 0; i < p->n_credentials; i++) {
		unsigned c = (first + i) % p->n_credentials;
		if (f->credentials_tried & 1u << c)
			continue;
		if (!p->credentials[c].live || breakers_allow(p->credentials[c].live->breakers, now, &open, &back))
			return (int)c;
	}
	return -1;
}

static bool entry_usable(struct forward *f, struct plan_entry *e)
{
	const struct target *target = e->target;
	enum breaker_class open;
	if (e->excluded)
		return false;
	if (f->last.kind == ERR_CONTEXT_LENGTH && f->entry &&
	    (target->context == 0 || target->context <= f->entry->target->context))
		return false;
	if (target->live && !breakers_allow(target->live->breakers, loop_now(f->t->loop), &open, &e->back_at_us)) {
		e->excluded = breaker_class_name(open);
		e->excluded_as = open == BREAKER_RATE_LIMIT ? ERR_UPSTREAM_RATE_LIMIT : ERR_OVERLOADED;
		return false;
	}
	f->credentials_tried = 0;
	f->credential = next_credential(f, target->provider);
	return target->provider->n_credentials == 0 || f->credential >= 0;
}

static bool choose_next(struct forward *f)
{
	struct plan *p = f->t->plan;
	while (f->next < p->n) {
		struct plan_entry *e = &p->entries[f->next++];
		if (!entry_usable(f, e))
			continue;
		f->entry = e;
		f->again = p->model->retry.same_target;
		return true;
	}
	return false;
}

static bool may_try(const struct forward *f)
{
	const struct retry *r = &f->t->plan->model->retry;
	int most = r->attempts > 0 ? r->attempts : ATTEMPTS_MAX;
	return f->t->attempts < most && loop_now(f->t->loop) < f->t->deadline_us && f->t->client;
}

/* --- one attempt --- */

static void start_attempt(struct forward *f)
{
	struct txn *t = f->t;
	const struct provider *p = f->entry->target->provider;
	const struct credential *c = f->credential >= 0 ? &p->credentials[f->credential] : NULL;
	int64_t connect = f->timeouts.connect_us, left = t->deadline_us - loop_now(t->loop);
	f->credentials_tried |= f->credential >= 0 ? 1u << f->credential : 0;
	f->running = true;
	f->backoff_until_us = 0;
	t->attempts++;
	t->cut = false;
	t->live_target = f->entry->target->live;
	upstream_clock(t, true);
	attempt_free(&f->attempt);
	attempt_init(&f->attempt, t, f->attempt.events);
	f->attempt.resume = f->resume.possible ? &f->resume : NULL;
	attempt_start(&f->attempt, f->entry->target, c, left < connect ? left : connect);
	if (t->upstream_since_us)
		t->upstream_since_us = clock_us();	/* writing the request was ours */
	hold(f);
	timer_at(&f->timer, loop_now(t->loop) + (t->stream ? COMMENT_EVERY_US : f->timeouts.total_us));
	if (t->stream && f->timeouts.first_token_us < COMMENT_EVERY_US)
		timer_in(&f->timer, f->timeouts.first_token_us);
	if (t->deadline_us < f->timer.due_us)
		timer_at(&f->timer, t->deadline_us);
	if (t->call && t->call->upload)
		upload_begin(t, &f->attempt);
}

/* Another credential of the same provider, when the failure is that of the credential. */
static bool other_credential(struct forward *f)
{
	enum error_kind k = f->last.kind;
	if (k != ERR_UPSTREAM_AUTH && k != ERR_UPSTREAM_BILLING && k != ERR_UPSTREAM_RATE_LIMIT)
		return false;
	f->credential = next_credential(f, f->entry->target->provider);
	return f->credential >= 0;
}

static int64_t backoff(const struct forward *f)
{
	const struct retry *r = &f->t->plan->model->retry;
	int tried = r->same_target - f->again;
	int64_t wait = r->backoff_us << (tried < 6 ? tried : 6);
	wait -= (int64_t)(random_u64() % (uint64_t)(wait / 4 + 1));
	return f->last.retry_after_us > wait ? f->last.retry_after_us : wait;
}

static bool same_again(struct forward *f)
{
	if (!f->last.unprocessed || f->again <= 0 || error_row(f->last.kind)->next != NEXT_TARGET)
		return false;
	int64_t wait = backoff(f), now = loop_now(f->t->loop);
	if (wait > LONG_RETRY_US || now + wait >= f->t->deadline_us)
		return false;
	f->again--;
	f->credentials_tried = 0;
	f->credential = next_credential(f, f->entry->target->provider);
	f->backoff_until_us = now + wait;
	timer_at(&f->timer, f->backoff_until_us);
	return f->credential >= 0 || f->entry->target->provider->n_credentials == 0;
}

static bool may_walk_on(const struct forward *f)
{
	const struct model *m = f->t->plan->model;
	if (f->t->call->upload)
		return f->last.unprocessed && f->attempt.received == 0 && !upload_sent(f->t);
	switch (error_row(f->last.kind)->next) {
	case NEXT_NONE:       return false;
	case NEXT_IF_ALLOWED: return m->content_policy_next;
	default: break;
	}
	return f->last.unprocessed || f->last.status || m->retry.uncertain == UNCERTAIN_NEXT;
}

static void on_step(struct loop_task *task)
{
	step(container_of(task, struct forward, step_task));
}

/* Decides after a failure: try again, walk on, or give up. */
static void step(struct forward *f)
{
	struct txn *t = f->t;
	t->cut = t->answer.content;
	if (!may_try(f) || !may_walk_on(f)) {
		end_with_error(f, f->last.kind);
		return;
	}
	if (other_credential(f)) {
		start_attempt(f);
		return;
	}
	if (same_again(f))
		return;
	struct live_target *from = t->live_target;
	if (!choose_next(f)) {
		end_with_error(f, f->last.kind);
		return;
	}
	failure_walk_on(t, from, f->entry->target->live, &f->last);
	start_attempt(f);
}

static void failed(struct attempt *a, const struct outcome *o)
{
	struct forward *f = container_of(a, struct forward, attempt);
	struct txn *t = f->t;
	f->last = *o;
	f->last.why = o->why ? arena_copy(&t->arena, str_c(o->why)).p : NULL;	/* the transport's words do not last */
	f->running = false;
	upstream_clock(t, false);
	attempt_charge(a, false);
	failure_count(t, a, o);
	failure_trip(a, o, &f->breaker, loop_now(t->loop), f->trials, f->credential_trials);
	let_go(f, false);
	t->error.retry_after_s = (int)((o->retry_after_us + SECOND_US - 1) / SECOND_US);
	if (t->answer.content && !resume_prepare(&f->resume, t)) {
		t->cut = true;
		end_with_error(f, o->kind);
		return;
	}
	loop_defer(t->loop, &f->step_task);
}

static const struct attempt_events attempt_events = {
	.completed = completed, .failed = failed, .committed = committed,
};

/* --- time --- */

static void time_out(struct forward *f, const char *why)
{
	struct outcome o = { .kind = ERR_TIMEOUT, .why = why };
	if (f->running) {
		attempt_fail(&f->attempt, &o);
		return;
	}
	f->last = o;
	end_with_error(f, ERR_TIMEOUT);
}

/* The next moment something has to be looked at. */
static int64_t next_due(const struct forward *f)
{
	const struct txn *t = f->t;
	const struct attempt *a = &f->attempt;
	int64_t due = t->answer.content && t->stream ? INT64_MAX : t->deadline_us;
	int64_t other = INT64_MAX;
	if (f->backoff_until_us)
		other = f->backoff_until_us;
	else if (f->running && t->answer.content)
		other = a->last_byte_us + f->timeouts.idle_us;
	else if (f->running && t->stream)
		other = a->began_us + f->timeouts.first_token_us;
	due = other < due ? other : due;
	if (t->stream && f->comment_us + COMMENT_EVERY_US < due)
		due = f->comment_us + COMMENT_EVERY_US;
	return due;
}

static void on_timer(struct timer *timer)
{
	struct forward *f = container_of(timer, struct forward, timer);
	struct txn *t = f->t;
	struct attempt *a = &f->attempt;
	int64_t now = loop_now(timer->loop);
	bool content = t->answer.content;
	if (f->backoff_until_us && now >= f->backoff_until_us) {
		start_attempt(f);
		return;
	}
	if (now >= t->deadline_us && !(content && t->stream)) {
		time_out(f, "the request's time is over");
		return;
	}
	if (f->running && !a->waiting && content && now - a->last_byte_us >= f->timeouts.idle_us) {
		time_out(f, "the provider fell silent");
		return;
	}
	if (f->running && t->stream && !content && now - a->began_us >= f->timeouts.first_token_us) {
		time_out(f, "no first token in time");
		return;
	}
	if (f->comment_us < a->last_byte_us && content)
		f->comment_us = a->last_byte_us;
	if (t->stream && now - f->comment_us >= COMMENT_EVERY_US) {
		f->comment_us = now;
		if (!a->waiting && (t->answer.event_stream || !t->answer.begun))
			attempt_keep_alive(a);
	}
	timer_at(timer, next_due(f));
}

/* --- the stage --- */

static void cancel(struct txn *t)
{
	struct forward *f = t->stage_data;
	loop_task_cancel(&f->step_task);
	attempt_cancel(&f->attempt);
	timer_stop(&f->timer);
	if (f->running) {
		f->running = false;
		attempt_charge(&f->attempt, false);
		upstream_clock(t, false);
		let_go(f, false);
	}
}

static void on_drain(struct txn *t)
{
	struct forward *f = t->stage_data;
	attempt_drained(&f->attempt);
}

/* Nothing in the plan can be asked: the kindest reason decides the error. */
static enum stage_result none_left(struct txn *t)
{
	const struct plan *p = t->plan;
	enum error_kind kind = p->n ? ERR_UPSTREAM_RATE_LIMIT : ERR_OVERLOADED;
	int64_t back = INT64_MAX, now = loop_now(t->loop);
	for (unsigned i = 0; i < p->n; i++) {
		if (p->entries[i].excluded_as != ERR_UPSTREAM_RATE_LIMIT)
			kind = ERR_OVERLOADED;
		if (p->entries[i].back_at_us > now && p->entries[i].back_at_us < back)
			back = p->entries[i].back_at_us;
	}
	t->error.retry_after_s = back == INT64_MAX ? 0 : (int)((back - now) / SECOND_US + 1);
	if (p->n == 1)
		return txn_error(t, kind, "The target %.*s cannot be asked now: %s.",
				 STR_FMT(p->entries[0].target->name), p->entries[0].excluded);
	return txn_error(t, kind, "None of the %u targets of this model can be asked now.", p->n);
}

static void set_deadline(struct txn *t, const struct timeouts *limits)
{
	int64_t total = limits->total_us;
	if (t->call->timeout_us && t->call->timeout_us < total)
		total = t->call->timeout_us;
	t->deadline_us = t->began_us + total;
}

static enum stage_result enter(struct txn *t)
{
	struct forward *f = forward_get();
	const struct model *m = t->plan->model;
	f->t = t;
	f->next = 0;
	f->entry = NULL;
	f->last = (struct outcome){ .kind = ERR_OVERLOADED };
	f->running = f->slot = false;
	f->backoff_until_us = 0;
	f->comment_us = t->began_us;
	f->timeouts = m->timeouts;
	f->breaker = t->snapshot->settings.breaker;
	resume_init(&f->resume, m->on_stream_failure == STREAM_FAILURE_RESUME && t->call->resumable);
	attempt_init(&f->attempt, t, &attempt_events);
	t->stage_data = f;
	t->cancel = cancel;
	t->on_drain = on_drain;
	set_deadline(t, &m->timeouts);
	if (!choose_next(f))
		return none_left(t);
	start_attempt(f);
	return STAGE_PARKED;
}

static void leave(struct txn *t)
{
	struct forward *f = t->stage_data;
	if (!f)
		return;
	cancel(t);
	t->stage_data = NULL;
	forward_put(f);
}

const struct stage forward_stage = { .name = "forward", .enter = enter, .leave = leave };
