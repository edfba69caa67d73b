/*
 * replay.c: a kept answer goes the way of all answers.
 */
#include "cache/cached.h"
#include "core/families.h"

static void emit(struct txn *t, enum delta_kind kind, struct str raw)
{
	struct delta d = { .kind = kind, .raw = raw, .content = true };
	t->sinks->take(t->sinks, &d);
}

enum stage_result cache_replay(struct cached *c, const struct entry *e, const char *state)
{
	struct txn *t = c->t;
	t->cache_state = state;
	t->cost_known = true;
	t->usage = e->usage;
	t->answer.status = 200;
	t->answer.content_type = e->type;
	t->answer.headers = NULL;
	t->answer.n_headers = 0;
	t->answer.event_stream = t->stream;
	t->answer.length = t->stream ? ANSWER_CHUNKED : (int64_t)e->body.n;
	t->first_content_us = loop_now(t->loop);
	families_cache(t->live_model, state, e->cost);
	emit(t, DELTA_HEAD, STR_NONE);
	t->answer.content = true;
	if (t->stream && c->pace_us && !c->flight) {	/* a stale one ends what was tried before it */
		pace_begin(c);
		return STAGE_PARKED;
	}
	emit(t, t->stream ? DELTA_EVENT : DELTA_BYTES, e->body);
	emit(t, DELTA_END, STR_NONE);
	txn_end(t);
	return STAGE_ANSWERED;	/* and `c` is gone */
}
