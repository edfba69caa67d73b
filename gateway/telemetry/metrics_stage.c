/*
 * metrics_stage.c: counts a request when it is over, however it ended.
 *
 * Second in the table, so it leaves last but one: all it reads is final. It reads only what
 * outlives a settled stream.
 */
#include "core/endpoint.h"
#include "core/journal.h"
#include "core/txn.h"
#include "telemetry/families.h"
#include "telemetry/stages.h"

static enum stage_result enter(struct txn *t unused_arg)
{
	counter_add(families_in_flight(), 1);
	return STAGE_NEXT;
}

static void count_tokens(const struct route_counters *r, struct target_counters *target, const struct usage *u)
{
	const int64_t n[TOKEN_TYPES] = { u->input, u->output, u->cached, u->cache_write, u->reasoning };
	if (!u->known)
		return;
	for (unsigned i = 0; i < TOKEN_TYPES; i++)
		if (n[i] > 0)
			counter_add(r->tokens[i], n[i]);
	counter_observe(r->ai_input, u->input > 0 ? (uint64_t)u->input : 0);
	counter_observe(r->ai_output, u->output > 0 ? (uint64_t)u->output : 0);
	atomic_fetch_add_explicit(&target->input, u->input > 0 ? u->input : 0, memory_order_relaxed);
	atomic_fetch_add_explicit(&target->output, u->output > 0 ? u->output : 0, memory_order_relaxed);
}

static void count_first_token(const struct txn *t, const struct endpoint_counters *e, const struct route_counters *r,
			      struct target_counters *target)
{
	if (!t->first_content_us || t->first_content_us < t->began_us)
		return;
	uint64_t first = (uint64_t)(t->first_content_us - t->began_us);
	counter_observe(e->first_token, first);
	if (t->attempts == 1)
		counter_observe(target->first_token, first);
	if (!t->stream)
		return;
	counter_observe(r->ai_first_token, first);
	if (t->usage.known && t->usage.output > 1 && t->ended_us > t->first_content_us)
		counter_observe(r->ai_per_token,
				(uint64_t)((t->ended_us - t->first_content_us) / (t->usage.output - 1)));
}

/* What a target did, and what was ours of the time. */
static void count_target(const struct txn *t, struct model_counters *m, const struct endpoint_counters *e,
			 const char *endpoint, int64_t took)
{
	struct target_counters *target = families_target(t->live_target);
	struct route_counters *r = families_route(m, endpoint, t->live_target);
	int64_t waiting = t->upstream_since_us ? t->ended_us - t->upstream_since_us : 0;
	int64_t ours = took - t->upstream_us - waiting;
	count_tokens(r, target, &t->usage);
	count_first_token(t, e, r, target);
	families_ai_duration(r, t->error.kind, took);
	counter_observe(e->overhead, ours > 0 ? (uint64_t)ours : 0);
	if (t->attempts > 1)
		counter_add(m->retries, t->attempts - 1);
}

static void leave(struct txn *t)
{
	const char *endpoint = t->endpoint ? t->endpoint->name : "none";
	struct model_counters *m = families_model(t->live_model);
	struct endpoint_counters *e = families_endpoint(m, endpoint);
	int64_t took = t->ended_us > t->began_us ? t->ended_us - t->began_us : 0;
	counter_add(families_in_flight(), -1);
	journal_end(t);
	families_request(e, t->error.kind, t->answer.begun ? t->answer.status : error_status(&t->error));
	counter_observe(e->duration, (uint64_t)took);
	if (t->live_target && t->attempts > 0)
		count_target(t, m, e, endpoint, took);
	if (t->answer.begun && t->answer.event_stream && (t->cut || t->caller_gone))
		families_abort(t->caller_gone);
}

const struct stage metrics_stage = { .name = "metrics", .enter = enter, .leave = leave };
