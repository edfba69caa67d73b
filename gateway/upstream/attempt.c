/*
 * attempt.c: one try at one target, from the first byte sent to the transport's last word.
 * What comes of an answer is in attempt_stream.c and attempt_plain.c.
 */
#include "upstream/attempt_parts.h"

#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "core/endpoint.h"
#include "core/way.h"
#include "upstream/answer_check.h"
#include "upstream/attempt_charge.h"
#include "upstream/attempt_show.h"
#include "upstream/media_fetch.h"
#include "upstream/demo_transport.h"
#include "upstream/failure.h"
#include "upstream/frames.h"
#include "upstream/request_write.h"
#include "upstream/trial.h"
#include "wire/http_parser.h"

static _Thread_local struct transport_state *hot_state, *general_state, *demo_state;

void upstream_open(struct loop *l)
{
	hot_state = http1_transport.open(l);
	general_state = curl_transport.open(l);
	media_fetch_open(l);
	demo_state = demo_transport.open(l);
}

void upstream_close(void)
{
	http1_transport.close(hot_state);
	curl_transport.close(general_state);
	media_fetch_close();
	demo_transport.close(demo_state);
}

void attempt_init(struct attempt *a, struct txn *t, const struct attempt_events *events)
{
	*a = (struct attempt){ .t = t, .events = events, .length = -1, .data_least = UINT32_MAX };
	buf_init(&a->held, HELD_MAX);
	buf_init(&a->pending, HELD_MAX + LOOP_SCRATCH);
	sse_init(&a->sse);
}

void attempt_free(struct attempt *a)
{
	attempt_cancel(a);
	token_unref(a->token);
	a->token = NULL;
	free(a->shown);
	a->shown = NULL;
	buf_free(&a->held);
	buf_free(&a->pending);
	sse_free(&a->sse);
	frames_free(a->frames);
	a->frames = NULL;
	translate_free(a->translate);
	a->translate = NULL;
	attempt_trial_drop(a);
}

void attempt_cancel(struct attempt *a)
{
	attempt_translate_cancel(a);
	if (a->exchange)
		a->transport->cancel(a->exchange);
	a->exchange = NULL;
}

void attempt_fail(struct attempt *a, const struct outcome *o)
{
	attempt_cancel(a);
	a->events->failed(a, o);
}

void attempt_broke(struct attempt *a, enum error_kind kind, bool unprocessed, const char *why)
{
	a->sent &= !unprocessed;
	struct outcome o = { .kind = kind, .status = a->status, .unprocessed = unprocessed,
			     .retry_after_us = a->retry_after_us, .why = why };
	attempt_fail(a, &o);
}

/* --- the transport's events --- */

/* Binary on their side; the caller gets the events of its own dialect. */
static void open_frames(struct attempt *a)
{
	a->frames = frames_new();
	if (a->trial)
		trial_in_frames(a->trial);
	a->event_stream = true;
	a->content_type = STR("text/event-stream; charset=utf-8");
}

static void on_head(void *owner, const struct http_head *head)
{
	struct attempt *a = owner;
	struct str type = http_header(head, HTTP_H_CONTENT_TYPE);
	a->status = (int)head->status;
	a->last_byte_us = loop_now(a->t->loop);
	a->retry_after_us = answer_retry_after(head);
	a->length = head->body == HTTP_BODY_LENGTH ? (int64_t)head->length : -1;
	a->content_type = arena_copy(&a->t->arena, type);
	bool good = a->status >= 200 && a->status < 300;
	attempt_was_shown(a, good, head);
	a->event_stream = good && str_istarts(type, STR("text/event-stream"));
	if (good && a->translate && a->t->stream && str_istarts(type, STR("application/vnd.amazon.eventstream")))
		open_frames(a);
	if (a->status >= 300 && a->status < 400)
		attempt_broke(a, ERR_UPSTREAM_BROKEN, false, "the provider redirects, which is not followed");
	else if (!str_empty(http_header(head, HTTP_H_CONTENT_ENCODING)) &&
		 !str_ieq(http_header(head, HTTP_H_CONTENT_ENCODING), STR("identity")))
		attempt_broke(a, ERR_UPSTREAM_BROKEN, false, "the provider compressed its answer although not asked to");
}

static bool on_body(void *owner, struct str bytes, bool more)
{
	struct attempt *a = owner;
	a->last_byte_us = loop_now(a->t->loop);
	a->received += bytes.n;
	if (a->waiting) {
		buf_add(&a->pending, bytes);
		return false;
	}
	if (a->event_stream)
		return a->trial ? attempt_trial_feed(a, bytes) : attempt_stream_feed(a, bytes, more);
	if (a->status >= 300) {
		buf_add(&a->held, str_head(bytes, ERROR_BODY_MAX - (a->held.n < ERROR_BODY_MAX ? a->held.n : ERROR_BODY_MAX)));
		return true;
	}
	return attempt_plain_feed(a, bytes, more);
}

static void finish(struct attempt *a)
{
	if (a->event_stream)
		attempt_stream_end(a);
	else if (a->status >= 300)
		attempt_error_end(a);
	else
		attempt_plain_end(a);
}

static void on_end(void *owner)
{
	struct attempt *a = owner;
	a->exchange = NULL;
	a->ended = true;
	if (!a->waiting)
		finish(a);
}

static void on_fail(void *owner, enum transport_failure f, bool unprocessed, const char *why)
{
	struct attempt *a = owner;
	a->exchange = NULL;
	/* A stream that said all it had to say may be cut after it. */
	bool whole = a->done || a->finish || (a->trial && trial_is_whole(a->trial));
	if (a->event_stream && whole && !a->waiting) {
		a->ended = true;
		finish(a);
		return;
	}
	attempt_broke(a, failure_kind(f), unprocessed, why);
}

static void on_connected(void *owner)
{
	struct attempt *a = owner;
	a->sent = true;
}

static void on_writable(void *owner)
{
	struct attempt *a = owner;
	if (a->t->client)
		client_more_body(a->t->client);
}

static const struct transport_events transport_events = {
	.on_connected = on_connected, .on_head = on_head, .on_body = on_body, .on_end = on_end, .on_fail = on_fail, .on_writable = on_writable,
};

/* --- what the walk asks for --- */

void attempt_send(struct attempt *a, const struct attempt_aim *aim, struct transport_call *call)
{
	const struct provider *p = aim->target->provider;
	struct outcome refused;
	call->connect_us = aim->connect_us;
	call->events = &transport_events;
	call->owner = a;
	a->needs_done = a->t->call->several && a->dialect && a->dialect->done.n && !(a->quirks & QUIRK_NO_DONE);
	attempt_trial_begin(a);
	if (!attempt_show(a, p, aim->credential, call, &refused)) {
		a->events->failed(a, &refused);
		return;
	}
	bool general = !str_empty(p->origin.proxy);
	a->transport = p->demo ? &demo_transport : general ? &curl_transport : &http1_transport;
	struct transport_state *state = p->demo ? demo_state : general ? general_state : hot_state;
	a->exchange = a->transport->start(state, call);
}

void attempt_start(struct attempt *a, const struct target *target, const struct credential *credential,
		   int64_t connect_us)
{
	struct txn *t = a->t;
	const struct provider *p = target->provider;
	struct attempt_aim aim = { a, target, credential, connect_us };
	a->live = target->live;
	a->credential = credential ? credential->live : NULL;
	a->quirks = p->quirks;
	a->local = p->local;
	a->json_answer = t->endpoint->good != ANSWER_ANY;
	a->began_us = a->last_byte_us = loop_now(t->loop);
	attempt_charge_begin(a, target);
	if (way_to(target, t->endpoint->dialect, t->call->path) == WAY_TRANSLATE) {
		a->dialect = way_dialect(target);
		a->resume = NULL;	/* notes are taken of the caller's own format only */
		buf_free(&a->held);
		buf_init(&a->held, TRANSLATE_ANSWER_MAX);
		attempt_translate_request(a, &aim);
		return;
	}
	struct transport_call call;
	a->dialect = t->endpoint->dialect ? t->endpoint->dialect : p->dialect;
	request_write(t, target, &call, &a->withhold_usage);
	attempt_send(a, &aim, &call);
}

void attempt_drained(struct attempt *a)
{
	if (a->end_waits) {
		attempt_complete(a);
		return;
	}
	if (!a->waiting)
		return;
	a->waiting = false;
	struct buf rest = a->pending;
	buf_init(&a->pending, rest.max);
	bool room = a->event_stream ? attempt_stream_feed(a, buf_str(&rest), false) : attempt_pass_bytes(a, buf_str(&rest), false);
	buf_free(&rest);
	if (!room)
		return;
	if (a->ended)
		finish(a);
	else if (a->exchange)
		a->transport->resume(a->exchange);
}
