/*
 * forward.c: the walk over the plan, from the first attempt to an answer or an honest error.
 *
 * The same target is asked again only when the request is provably unprocessed; the next
 * one on any failure before content (unless the model says `uncertain: never`). Retries and
 * walking on have separate budgets, one deadline holds for all of it. After content the
 * model's on_stream_failure decides.
 */
#include "upstream/forward.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "core/affinity.h"
#include "core/call.h"
#include "core/endpoint.h"
#include "core/families.h"
#include "upstream/attempt_charge.h"
#include "upstream/failure.h"
#include "upstream/ladder.h"
#include "upstream/translate_work.h"
#include "upstream/upload.h"
#include "upstream/walk.h"

enum { IDLE_FORWARDS_MAX = 256, ATTEMPTS_MAX = 64 };
static const int64_t LONG_RETRY_US = 60 * SECOND_US;

static _Thread_local struct list pool;
static _Thread_local unsigned pooled;
static _Thread_local struct loop *thread_loop;

static enum stage_result none_left(struct txn *t);

/* --- life --- */

static void on_step(struct loop_task *task);

void forward_open(struct loop *l)
{
	list_init(&pool);
	thread_loop = l;
	hedge_open();
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
	hedge_close();
	translate_work_close(thread_loop);
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
	timer_open(&f->timer, thread_loop, forward_on_timer);
	loop_task_init(&f->step_task, on_step);
	return f;
}

static void forward_put(struct forward *f)
{
	loop_task_cancel(&f->step_task);
	timer_stop(&f->timer);
	attempt_free(&f->first.attempt);
	resume_free(f->resume);
	f->resume = NULL;
	f->t = NULL;
	if (pooled >= IDLE_FORWARDS_MAX) {
		forward_release(f);
		return;
	}
	list_prepend(&pool, &f->link);
	pooled++;
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

void forward_fail(struct forward *f, enum error_kind kind)
{
	struct txn *t = f->t;
	if (ladder_answers(t, kind))
		return;
	t->error.kind = kind;
	failure_describe(t, &f->last);
	t->ops->fail(t);
}

static struct try *try_of(struct attempt *a)
{
	return container_of(a, struct try, attempt);
}

static void completed(struct attempt *a)
{
	struct try *y = try_of(a);
	struct txn *t = y->f->t;
	attempt_charge(a, true);
	if (y->f->hedges && t->live_model)
		share_note_cost(&t->live_model->share, t->cost);
	try_let_go(y, true);
	cascade_end(y->f, a);
	if (a->live)
		atomic_store_explicit(&a->live->answered_us, loop_now(t->loop), memory_order_relaxed);
	upstream_clock(t, false);
	failure_count(t, a, NULL);
	txn_end(t);
}

static void answering(struct attempt *a)
{
	struct forward *f = try_of(a)->f;
	const struct plan *p = f->t->plan;
	hedge_decide(f, a);
	if (p && p->session && a->live)
		affinity_note(p->session, a->live, loop_now(f->t->loop));
}

static void committed(struct attempt *a)
{
	struct forward *f = try_of(a)->f;
	if (f->resume && f->resume->possible)
		return;		/* the request may be needed once more */
	f->first.entry = NULL;
	if (f->second)
		f->second->entry = NULL;
	txn_settle_down(f->t);
}

static void judged(struct attempt *a, const struct attempt_verdict *v)
{
	cascade_judged(try_of(a)->f, a, v);
}

static bool may_try(const struct forward *f)
{
	const struct retry *r = &f->t->plan->model->retry;
	int most = r->attempts > 0 ? r->attempts : ATTEMPTS_MAX;
	return f->t->attempts < most && loop_now(f->t->loop) < f->t->deadline_us;
}

/* --- one attempt --- */

void forward_start(struct forward *f)
{
	struct txn *t = f->t;
	struct try *y = &f->first;
	const struct model *m = t->plan->model;
	f->backoff_until_us = f->queue_until_us = f->queue_look_us = 0;
	t->cut = false;
	t->live_target = y->entry->target->live;
	if (t->attempts == 0 && m->policy.max_share && m->live)
		share_note(&m->live->share, y->entry->target->provider->name);
	upstream_clock(t, true);
	attempt_free(&y->attempt);
	attempt_init(&y->attempt, t, &forward_attempt_events);
	y->attempt.resume = f->resume && f->resume->possible ? f->resume : NULL;
	cascade_begin(f);
	try_start(y, &f->timeouts);
	if (!y->running)
		return;
	if (t->upstream_since_us)
		t->upstream_since_us = clock_us();	/* writing the request was ours */
	hedge_plan(f);
	timer_at(&f->timer, forward_due(f));
	if (t->call && t->call->upload)
		upload_begin(t, &y->attempt);
}

/* Another credential of the same provider, when the failure is that of the credential. */
static bool other_credential(struct forward *f)
{
	enum error_kind k = f->last.kind;
	if (k != ERR_UPSTREAM_AUTH && k != ERR_UPSTREAM_BILLING && k != ERR_UPSTREAM_RATE_LIMIT)
		return false;
	return choose_credential(&f->first) && choose_place(f);
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
	const struct provider *p = f->first.entry->target->provider;
	if (!f->last.unprocessed || f->again <= 0 || error_row(f->last.kind)->next != NEXT_TARGET)
		return false;
	int64_t wait = backoff(f), now = loop_now(f->t->loop);
	if (wait > LONG_RETRY_US || now + wait >= f->t->deadline_us)
		return false;
	f->again--;
	f->first.credentials_tried = 0;
	if (!choose_credential(&f->first) && p->n_credentials)
		return false;
	f->backoff_until_us = now + wait;
	timer_at(&f->timer, f->backoff_until_us);
	return true;
}

static bool may_walk_on(const struct forward *f)
{
	const struct model *m = f->t->plan->model;
	if (f->t->call->upload)
		return f->last.unprocessed && f->first.attempt.received == 0 && !upload_sent(f->t);
	switch (error_row(f->last.kind)->next) {
	case NEXT_NONE:       return false;
	case NEXT_IF_ALLOWED: return m->content_policy_next;
	default: break;
	}
	return f->last.unprocessed || f->last.status || m->retry.uncertain == UNCERTAIN_NEXT;
}

static void on_step(struct loop_task *task)
{
	forward_step(container_of(task, struct forward, step_task));
}

void forward_go_on(struct forward *f)
{
	struct live_target *from = f->t->live_target;
	if (from && f->t->attempts)
		failure_walk_on(f->t, from, f->first.entry->target->live, &f->last);
	forward_start(f);
}

void forward_give_up(struct forward *f)
{
	queue_leave(f);
	if (f->t->attempts) {
		forward_fail(f, f->last.kind);
		return;
	}
	none_left(f->t);
	if (!ladder_answers(f->t, f->t->error.kind))
		f->t->ops->fail(f->t);
}

/* Decides after a failure: try again, walk on, wait, or give up. */
void forward_step(struct forward *f)
{
	struct txn *t = f->t;
	t->cut = t->answer.content;
	if (!may_try(f) || !may_walk_on(f))
		forward_fail(f, f->last.kind);
	else if (other_credential(f))
		forward_start(f);
	else if (same_again(f))
		return;
	else if (choose_next(f))
		forward_go_on(f);
	else if (!t->call->upload && queue_wait(f))
		return;
	else
		forward_fail(f, f->last.kind);
}

/*
 * Was it the target's fault? Not before it was asked, nor when it has answered. The first failure of a request counts. When the same request fails at
 * a second target, although others had no trouble with the first, that is evidence about the request.
 */
static bool is_targets_fault(const struct forward *f, const struct attempt *a, const struct outcome *o)
{
	if (!a->transport || a->ended)
		return false;
	return !f->blamed || (o->kind != ERR_UPSTREAM_BROKEN && o->kind != ERR_UPSTREAM_OVERLOADED && o->kind != ERR_TIMEOUT);
}

/* It answered others after it last failed one. */
static bool was_well(const struct live_target *t)
{
	return t && atomic_load_explicit(&t->answered_us, memory_order_relaxed) >=
			    atomic_load_explicit(&t->failed_us, memory_order_relaxed);
}

static void failed(struct attempt *a, const struct outcome *o)
{
	struct try *y = try_of(a);
	struct forward *f = y->f;
	struct txn *t = f->t;
	struct try *other = y == &f->first ? f->second : &f->first;
	f->last = *o;
	f->last.why = o->why ? arena_copy(&t->arena, str_c(o->why)).p : NULL;	/* the transport's words do not last */
	attempt_charge(a, false);
	failure_count(t, a, o);
	bool taught = failure_teaches(a, o);
	if (taught)
		f->last.kind = ERR_UPSTREAM_BROKEN;	/* of the way, not of the request: another one may be tried */
	if ((failure_trip(a, o, &f->breaker, is_targets_fault(f, a, o), y->trials) || taught) && y->entry) {
		y->entry->asked = false;	/* it was no refusal for good */
		f->next = 0;
	}
	bool answered = o->kind == ERR_UPSTREAM_CHECK;	/* it is well, and not good enough */
	f->blamed |= !answered && was_well(a->live);
	if (a->live)
		atomic_store_explicit(answered ? &a->live->answered_us : &a->live->failed_us, loop_now(t->loop), memory_order_relaxed);
	try_let_go(y, answered);
	t->error.retry_after_s = (int)((o->retry_after_us + SECOND_US - 1) / SECOND_US);
	if (other && other->running)
		return;		/* it may answer yet */
	upstream_clock(t, false);
	if (t->answer.content && !(f->resume && resume_prepare(f->resume, t))) {
		t->cut = true;
		forward_fail(f, o->kind);
		return;
	}
	loop_defer(t->loop, &f->step_task);
}

const struct attempt_events forward_attempt_events = {
	.completed = completed, .failed = failed, .answering = answering, .committed = committed, .judged = judged,
};

/* --- the stage --- */

static void cancel(struct txn *t)
{
	struct forward *f = t->stage_data;
	bool was_running = forward_running(f)->running;
	loop_task_cancel(&f->step_task);
	queue_leave(f);
	timer_stop(&f->timer);
	try_cancel(&f->first);
	hedge_end(f);
	if (was_running)
		upstream_clock(t, false);
}

static void on_drain(struct txn *t)
{
	struct forward *f = t->stage_data;
	attempt_drained(&forward_running(f)->attempt);
}

/* Nothing in the plan can be asked: the kindest reason decides the error. */
static enum stage_result none_left(struct txn *t)
{
	const struct plan *p = t->plan;
	enum error_kind kind = p->n ? p->entries[0].excluded_as : ERR_OVERLOADED;
	int64_t back = INT64_MAX, now = loop_now(t->loop);
	if (t->denied) {
		families_refusal(t->live_key);
		t->error = *t->denied;
		return STAGE_FAILED;
	}
	for (unsigned i = 0; i < p->n; i++) {
		if (p->entries[i].excluded_as != kind)
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
	f->first.f = f;
	f->first.entry = NULL;
	f->first.running = f->blamed = false;
	f->hedges = m->policy.hedge_quantile > 0;
	f->last = (struct outcome){ .kind = ERR_OVERLOADED };
	f->backoff_until_us = f->queue_until_us = f->queue_look_us = f->queue_end_us = f->hedge_at_us = 0;
	f->tickets = NULL;
	f->comment_us = t->began_us;
	f->timeouts = m->timeouts;
	f->breaker = t->snapshot->settings.breaker;
	f->resume = m->on_stream_failure == STREAM_FAILURE_RESUME && t->call->resumable ? resume_new() : NULL;
	attempt_init(&f->first.attempt, t, &forward_attempt_events);
	t->stage_data = f;
	t->cancel = cancel;
	t->on_drain = on_drain;
	set_deadline(t, &m->timeouts);
	if (choose_next(f))
		forward_start(f);
	else if (t->call->upload || !queue_wait(f))
		return none_left(t), ladder_answers(t, t->error.kind) ? STAGE_ANSWERED : STAGE_FAILED;
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
