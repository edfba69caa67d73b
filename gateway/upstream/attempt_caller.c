/*
 * attempt_caller.c: an attempt's words towards the caller: head, deltas, end.
 */
#include "upstream/attempt_charge.h"
#include "upstream/attempt_parts.h"

enum sink_result attempt_emit(struct attempt *a, struct delta *d)
{
	return a->t->sinks->take(a->t->sinks, d);
}

/* To the caller although its queue is full. */
void attempt_pass_by(struct txn *t, struct str bytes)
{
	t->unrecorded = true;
	if (t->client)
		client_write(t->client, &bytes, 1);
}

void attempt_emit_head(struct attempt *a, int64_t length)
{
	struct txn *t = a->t;
	struct delta head = { .kind = DELTA_HEAD, .may_park = true };
	t->answer.status = a->status;
	t->answer.event_stream = a->event_stream;
	t->answer.length = length;
	t->answer.content_type = a->content_type;
	attempt_emit(a, &head);
}

void attempt_complete(struct attempt *a)
{
	struct delta end = { .kind = DELTA_END, .may_park = true };
	attempt_charge(a, true);	/* whoever keeps the answer keeps what it cost */
	a->end_waits = attempt_emit(a, &end) != SINK_TAKEN;
	if (!a->end_waits)
		a->events->completed(a);
}

void attempt_keep_alive(struct attempt *a)
{
	struct txn *t = a->t;
	if (!t->answer.begun) {
		struct delta head = { .kind = DELTA_HEAD, .may_park = true };
		t->answer.status = 200;
		t->answer.event_stream = true;
		t->answer.length = ANSWER_CHUNKED;
		t->answer.content_type = STR("text/event-stream; charset=utf-8");
		attempt_emit(a, &head);
	}
	struct delta comment = { .kind = DELTA_EVENT, .raw = STR(": keep-alive\n\n") };
	attempt_emit(a, &comment);
}
