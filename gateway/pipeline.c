/*
 * pipeline.c: THE TABLE. Read downwards it is a request going in; read upwards it is the
 * bookkeeping on the way out. Only stages that were entered leave, so a refused request is
 * counted and logged by the same code as a served one.
 */
#include "pipeline.h"

#include "access/auth.h"
#include "api/answer_writer.h"
#include "api/decode.h"
#include "api/endpoints.h"
#include "api/models.h"
#include "base/clock.h"
#include "cache/cache.h"
#include "core/dialect.h"
#include "limits/limits.h"
#include "metering/capture.h"
#include "metering/ledger.h"
#include "plugin_host/plugin_host.h"
#include "routing/router.h"
#include "telemetry/stages.h"
#include "upstream/forward.h"

static const struct stage *const stages[] = {
	&access_log_stage,	/* the line is written last */
	&ledger_stage,		/* the durable record */
	&metrics_stage,
	&endpoint_stage,	/* what is asked for */
	&auth_stage,		/* who asks, before the body is read */
	&local_stage,		/* what weir answers by itself: models */
	&decode_stage,		/* the body: read, checked, indexed */
	&plugins_stage,		/* steps of the operator's own */
	&decode_changes_stage,	/* what they changed is read again */
	&router_stage,		/* the plan */
	&plugin_targets_stage,	/* their word on it */
	&cache_ask_stage,	/* answered before? The question leaves with that of the limits */
	&limits_stage,		/* what may be used and spent: reserved, settled at the end */
	&capture_stage,		/* some are kept for a replay */
	&plugin_answer_stage,	/* what one of them answered */
	&cache_stage,		/* the answer of before */
	&forward_stage,		/* walks it */
};

/* The only writer of t->state. */
static void txn_move(struct txn *t, enum txn_state to)
{
	t->state = to;
}

static void leave_all(struct txn *t)
{
	while (t->stages_entered > 0) {
		const struct stage *s = stages[--t->stages_entered];
		if (s->leave)
			s->leave(t);
	}
}

static void end(struct txn *t)
{
	if (t->state == TXN_DONE)
		return;
	txn_move(t, TXN_DONE);
	t->ended_us = clock_us();	/* the turn's own work is part of it */
	if (t->caller_gone && t->error.kind == ERR_NONE)
		t->error.kind = ERR_CALLER_GONE;
	t->cancel = NULL;
	t->on_drain = NULL;
	t->client = NULL;
	leave_all(t);
	loop_defer(t->loop, &t->recycle);
}

static void fail(struct txn *t)
{
	if (t->state == TXN_DONE)
		return;
	cache_give_rest(t);
	answer_error(t);
	end(t);
}

/* Enters stage after stage until one waits, answers or fails. */
static void run(struct txn *t)
{
	txn_move(t, TXN_RUNNING);
	for (unsigned i = t->stages_entered ? t->stages_entered - 1 : 0; i < array_len(stages); i++) {
		t->stages_entered = i + 1;
		switch (stages[i]->enter(t)) {
		case STAGE_NEXT:
			continue;
		case STAGE_PARKED:
			if (t->state == TXN_RUNNING)
				txn_move(t, TXN_PARKED);
			return;
		case STAGE_ANSWERED:
			return;
		case STAGE_FAILED:
			fail(t);
			return;
		}
	}
}

static void start(struct txn *t)
{
	t->method = t->req->method;
	answer_writer_lay(t);
	run(t);
}

/* The head could not be read: it is logged and counted like every other request. */
static void refuse(struct txn *t, enum error_kind kind, const char *why)
{
	t->refused = true;
	answer_writer_lay(t);
	for (unsigned i = 0; i < 3; i++) {	/* the record-keepers */
		t->stages_entered = i + 1;
		stages[i]->enter(t);
	}
	t->dialect = dialect_find(STR("openai"));
	txn_error(t, kind, "%s", why);
	fail(t);
}

static void drained(struct txn *t)
{
	if (cache_drained(t) && t->on_drain)
		t->on_drain(t);
}

static void hangup(struct txn *t)
{
	if (t->state == TXN_DONE)
		return;
	t->client = NULL;
	t->caller_gone = true;
	if (cache_is_followed(t)) {	/* it comes again when the last of them is gone, too */
		drained(t);
		return;
	}
	if (t->error.kind == ERR_NONE)
		t->error.kind = ERR_CALLER_GONE;
	if (t->cancel)
		t->cancel(t);
	end(t);
}

static void body_failed(struct txn *t, enum error_kind kind, const char *why)
{
	if (t->state == TXN_DONE)
		return;
	if (t->cancel)
		t->cancel(t);
	t->refused = true;	/* what is left of the body cannot be told from a next request */
	txn_error(t, kind, "%s", why);
	fail(t);
}

static void body_too_large(struct txn *t)
{
	body_failed(t, ERR_TOO_LARGE, "The request's body is larger than this gateway takes (listen.max_body).");
}

static void settle_down(struct txn *t)
{
	txn_move(t, TXN_STREAMING);
	t->req = NULL;
	t->snapshot = NULL;
	t->rate = NULL;
	t->denied = NULL;
	t->dropped = STR_NONE;
	t->answered_by = STR_NONE;
	t->cache_id = STR_NONE;
	t->cache_items = STR_NONE;
	t->key = NULL;
	t->call = NULL;
	t->plan = NULL;
	arena_clear(&t->arena);
}

const struct txn_ops pipeline_ops = {
	.start = start, .refuse = refuse, .hangup = hangup, .drained = drained, .body_too_large = body_too_large,
	.body_failed = body_failed, .resume = run, .fail = fail, .end = end, .settle_down = settle_down,
	.stale = cache_stale, .rule = plugins_last,
};
