/*
 * attempt_plain.c: an answer that is one body, good or an error.
 *
 * It is held whole up to HELD_MAX, so that a broken one becomes a true 502; a larger one is passed on as it comes.
 */
#include <string.h>

#include "core/call.h"
#include "upstream/answer_check.h"
#include "upstream/attempt_charge.h"
#include "upstream/attempt_parts.h"
#include "wire/json_cursor.h"

bool attempt_pass_bytes(struct attempt *a, struct str bytes, bool more)
{
	struct delta d = { .kind = DELTA_BYTES, .raw = bytes, .content = true, .more = more };
	if (attempt_emit(a, &d) != SINK_TAKEN) {
		a->waiting = true;
		buf_add(&a->pending, bytes);
		return false;
	}
	return true;
}

/* The last bytes are where usage stands. */
static void keep_tail(struct attempt *a, struct str bytes)
{
	if (bytes.n > USAGE_TAIL)
		bytes = str_skip(bytes, bytes.n - USAGE_TAIL);
	if (a->held.n + bytes.n > 2 * USAGE_TAIL)
		buf_consume(&a->held, a->held.n - USAGE_TAIL);
	buf_add(&a->held, bytes);
}

static bool start_passing(struct attempt *a)
{
	struct txn *t = a->t;
	a->passing = true;
	attempt_trial_drop(a);	/* too large to be judged */
	a->events->answering(a);
	a->first_content_us = loop_now(t->loop);
	t->first_content_us = loop_now(t->loop);
	attempt_emit_head(a, a->length >= 0 ? a->length : ANSWER_CHUNKED);
	t->answer.content = true;
	a->events->committed(a);
	bool taken = attempt_pass_bytes(a, buf_str(&a->held), false);	/* flushed, before the bytes move */
	buf_consume(&a->held, a->held.n > USAGE_TAIL ? a->held.n - USAGE_TAIL : 0);
	return taken;
}

bool attempt_plain_feed(struct attempt *a, struct str bytes, bool more)
{
	if (!a->passing) {
		if (a->held.n + bytes.n <= a->held.max)
			return buf_add(&a->held, bytes);
		if (a->translate) {
			attempt_broke(a, ERR_UPSTREAM_BROKEN, false, "the answer is too large to be translated");
			return true;
		}
		if (!start_passing(a)) {
			buf_add(&a->pending, bytes);
			keep_tail(a, bytes);
			return false;
		}
	}
	keep_tail(a, bytes);
	return attempt_pass_bytes(a, bytes, more);
}

static void pass_whole(struct attempt *a)
{
	struct txn *t = a->t;
	struct buf converted = BUF_INIT(4 * (size_t)HELD_MAX);
	struct str body = buf_str(&a->held);
	if (!a->translate && t->call && a->dialect->convert_answer && a->dialect->convert_answer(t->call, body, &converted))
		body = buf_str(&converted);
	t->first_content_us = loop_now(t->loop);
	attempt_emit_head(a, (int64_t)body.n);
	t->answer.content = true;
	if (body.n) {
		struct delta d = { .kind = DELTA_BYTES, .raw = body, .content = true, .more = true };
		attempt_emit(a, &d);
	}
	attempt_complete(a);
	buf_free(&converted);
}

void attempt_plain_deliver(struct attempt *a)
{
	a->events->answering(a);
	attempt_charge(a, true);	/* its header says what it cost */
	pass_whole(a);
}

void attempt_plain_end(struct attempt *a)
{
	const char *why = NULL;
	if (a->translate) {
		attempt_translate_answer(a);
		return;
	}
	a->dialect->read_usage(buf_str(&a->held), a->quirks, &a->usage);
	if (a->passing) {
		attempt_complete(a);
		return;
	}
	if (a->json_answer && !answer_is_sound(buf_str(&a->held), &why)) {
		a->ended = false;
		attempt_broke(a, ERR_UPSTREAM_BROKEN, false, why);
		return;
	}
	if (attempt_trial_plain(a))
		attempt_plain_deliver(a);
}

/* --- errors of the provider --- */

void attempt_error_end(struct attempt *a)
{
	attempt_blank_secrets(a, &a->held);
	struct provider_error e = { .kind = ERR_UPSTREAM_BROKEN };
	struct str body = buf_str(&a->held);
	a->dialect->read_error(a->status, body, &e);
	struct outcome o = { .kind = e.kind, .status = a->status, .retry_after_us = a->retry_after_us ? a->retry_after_us : e.retry_after_us,
			     .why = "the provider answered with an error" };
	o.unprocessed = a->status == 429 || a->status == 503 || a->status == 529;
	if (e.message.n && a->local)
		o.said = arena_copy(&a->t->arena, e.message);
	bool about_request = error_row(e.kind)->next != NEXT_TARGET;
	if (about_request && e.native && !a->translate)
		o.relay = arena_copy(&a->t->arena, body);
	if (about_request && e.message.n)	/* it lies between its quotes */
		o.message = json_text(&a->t->arena, arena_copy(&a->t->arena, str_of(e.message.p - 1, e.message.n + 2)));
	a->ended = false;
	attempt_fail(a, &o);
}
