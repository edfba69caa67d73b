/*
 * attempt.c: one try at one target, from the first byte sent to the last delta passed on.
 *
 * Streams: events before content are held back, so that a failure can still be answered by
 * another target; with the first content they are passed on, and the memory of the request
 * goes. Plain answers are held whole up to HELD_MAX, so that a broken one becomes a true
 * 502; larger ones are passed on as they come.
 */
#include "upstream/attempt.h"

#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "core/endpoint.h"
#include "core/way.h"
#include "upstream/answer_check.h"
#include "upstream/attempt_charge.h"
#include "upstream/attempt_show.h"
#include "upstream/demo_transport.h"
#include "upstream/failure.h"
#include "upstream/frames.h"
#include "upstream/request_write.h"
#include "wire/http_parser.h"
#include "wire/json_cursor.h"

static _Thread_local struct transport_state *hot_state, *general_state, *demo_state;

void upstream_open(struct loop *l)
{
	hot_state = http1_transport.open(l);
	general_state = curl_transport.open(l);
	demo_state = demo_transport.open(l);
}

void upstream_close(void)
{
	http1_transport.close(hot_state);
	curl_transport.close(general_state);
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
	buf_free(&a->held);
	buf_free(&a->pending);
	sse_free(&a->sse);
	frames_free(a->frames);
	a->frames = NULL;
	translate_free(a->translate);
	a->translate = NULL;
}

void attempt_cancel(struct attempt *a)
{
	if (a->exchange)
		a->transport->cancel(a->exchange);
	a->exchange = NULL;
}

void attempt_fail(struct attempt *a, const struct outcome *o)
{
	attempt_cancel(a);
	a->events->failed(a, o);
}

static void fail(struct attempt *a, enum error_kind kind, bool unprocessed, const char *why)
{
	a->sent &= !unprocessed;
	struct outcome o = { .kind = kind, .status = a->status, .unprocessed = unprocessed,
			     .retry_after_us = a->retry_after_us, .why = why };
	attempt_fail(a, &o);
}

/* --- towards the caller --- */

static enum sink_result emit(struct attempt *a, struct delta *d)
{
	return a->t->sinks->take(a->t->sinks, d);
}

/* To the caller although its queue is full. */
static void pass_by(struct txn *t, struct str bytes)
{
	t->unrecorded = true;
	client_write(t->client, &bytes, 1);
}

static void emit_head(struct attempt *a, int64_t length)
{
	struct txn *t = a->t;
	struct delta head = { .kind = DELTA_HEAD, .may_park = true };
	t->answer.status = a->status;
	t->answer.event_stream = a->event_stream;
	t->answer.length = length;
	t->answer.content_type = a->content_type;
	emit(a, &head);
}

static void complete(struct attempt *a)
{
	struct delta end = { .kind = DELTA_END, .may_park = true };
	a->end_waits = emit(a, &end) != SINK_TAKEN;
	if (!a->end_waits)
		a->events->completed(a);
}

/* First content: what was held back goes out ahead of it. */
static void commit(struct attempt *a)
{
	struct txn *t = a->t;
	a->events->answering(a);
	a->first_content_us = loop_now(t->loop);
	if (t->first_content_us == 0)
		t->first_content_us = a->first_content_us;
	if (!t->answer.begun)
		emit_head(a, ANSWER_CHUNKED);
	if (a->held.n) {
		struct delta before = { .kind = DELTA_EVENT, .raw = buf_str(&a->held), .more = true };
		emit(a, &before);
	}
	t->answer.content = true;
	a->events->committed(a);
}

/* --- streams --- */

static void stream_broke(struct attempt *a, struct str data, const char *why)
{
	struct provider_error e = { .kind = ERR_UPSTREAM_BROKEN };
	if (data.n)
		a->dialect->read_error(200, data, &e);
	fail(a, e.kind, false, why);
}

/* Enough to say later how much was delivered, should the provider not say it. */
static void count_content(struct attempt *a, const struct event_view *v, struct str data)
{
	if (!v->content)
		return;
	a->n_events++;
	a->data_bytes += data.n;
	a->data_least = data.n < a->data_least ? (uint32_t)data.n : a->data_least;
}

/* The continuation of an answer that broke: its events are rewritten, and leave at once. */
static bool continued_event(struct attempt *a, const struct event_view *v, struct str data)
{
	struct str event = resume_rewrite(a->resume, v, data);
	struct delta d = { .kind = DELTA_EVENT, .raw = event, .content = v->content, .finish = v->finish };
	a->finish |= v->finish;
	a->done |= v->done;
	if (v->has_usage)
		usage_merge(&a->usage, &v->usage);
	count_content(a, v, data);
	if (event.n && emit(a, &d) == SINK_FULL)
		pass_by(a->t, event);	/* already counted as said; the next event waits */
	return true;
}

/* What the caller should get for this event: its bytes, or what they mean in the caller's dialect, which may be nothing. */
static struct str speak(struct attempt *a, const struct sse_event *ev, const struct event_view *v)
{
	if (!a->translate || ev->comment)
		return ev->raw;
	return v->done ? STR_NONE : translate_event(a->translate, ev->name, ev->data);
}

/* False: the caller's side is full and the event was not taken. */
static bool stream_event(struct attempt *a, const struct sse_event *ev, bool more)
{
	struct txn *t = a->t;
	struct event_view v = { .want_content = !t->answer.content || a->resume };
	if (a->done)
		return true;
	if (!ev->comment)
		a->dialect->read_event(ev->name, ev->data, a->quirks, &v);
	if (v.error && !(v.finish && t->answer.content)) {
		stream_broke(a, ev->data, "the provider reported an error inside the stream");
		return true;
	}
	if (a->resume && a->resume->going_on)
		return ev->comment || continued_event(a, &v, ev->data);
	struct str raw = speak(a, ev, &v);
	if (!t->answer.content && !v.content && !v.finish && !v.done) {
		if (!buf_add(&a->held, raw))
			stream_broke(a, STR_NONE, "more than 1 MiB of events without content");
		if (v.has_usage)
			usage_merge(&a->usage, &v.usage);
		return true;
	}
	bool withheld = a->translate ? raw.n == 0 : v.usage_only && a->withhold_usage;
	if (!t->answer.content)
		commit(a);
	/* What was translated lives until the next event: it leaves now. */
	struct delta d = { .kind = DELTA_EVENT, .raw = raw, .name = ev->name, .data = ev->data,
			   .content = v.content, .finish = v.finish, .more = more && !a->translate };
	if (!withheld && emit(a, &d) != SINK_TAKEN) {
		if (!a->translate)
			return false;
		pass_by(t, raw);	/* it cannot be translated twice; the next event waits */
	}
	if (v.has_usage)
		usage_merge(&a->usage, &v.usage);
	count_content(a, &v, ev->data);
	a->finish |= v.finish;
	a->done |= v.done;
	if (a->resume)
		resume_note(a->resume, &v, ev->data);
	return true;
}

/* Passes on whatever whole events `in` completes. False: stop reading, the rest is pending. */
static bool stream_feed(struct attempt *a, struct str in, bool more)
{
	struct sse_event ev;
	for (;;) {
		enum sse_result r = a->frames ? frames_feed(a->frames, &in, &ev) : sse_feed(&a->sse, &in, &ev);
		if (r == SSE_MORE)
			break;
		if (r == SSE_BAD) {
			stream_broke(a, STR_NONE, "malformed event stream");
			return true;
		}
		/* An event put together from two reads lives until the next call: it leaves now. */
		bool taken = stream_event(a, &ev, (more || in.n > 0) && !a->sse.used);
		if (!a->exchange && !a->ended)
			return true;	/* it failed, or the caller left, meanwhile */
		if (!taken) {
			a->waiting = true;
			buf_add(&a->pending, ev.raw);
			buf_add(&a->pending, in);
			return false;
		}
	}
	/* Withheld or held events at the end of a read leave earlier ones unflushed. */
	if (!more && a->t->answer.begun && a->t->client)
		client_flush(a->t->client);
	if (!more && a->t->answer.content)
		buf_free(&a->held);
	return true;
}

static void stream_end(struct attempt *a)
{
	struct txn *t = a->t;
	struct sse_event ev;
	if (a->frames && !eventstream_end(a->frames)) {
		a->ended = false;
		stream_broke(a, STR_NONE, "the stream ended inside a message");
		return;
	}
	if (sse_end(&a->sse, &ev) == SSE_EVENT && !stream_event(a, &ev, false)) {
		a->waiting = true;
		buf_add(&a->pending, ev.raw);
		return;
	}
	if (!a->exchange && !a->ended)
		return;
	bool whole = a->done || a->finish;
	if (!whole || !t->answer.content) {
		a->ended = false;
		stream_broke(a, STR_NONE, "the stream ended before its end");
		return;
	}
	if (a->translate) {
		struct delta last = { .kind = DELTA_EVENT, .raw = translate_end(a->translate), .more = true };
		emit(a, &last);
	} else if (!a->done && !str_empty(a->dialect->done)) {
		struct delta done = { .kind = DELTA_EVENT, .raw = a->dialect->done, .more = true };
		emit(a, &done);
	}
	complete(a);
}

/* --- plain answers --- */

static bool pass_bytes(struct attempt *a, struct str bytes, bool more)
{
	struct delta d = { .kind = DELTA_BYTES, .raw = bytes, .content = true, .more = more };
	if (emit(a, &d) != SINK_TAKEN) {
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
	a->events->answering(a);
	a->first_content_us = loop_now(t->loop);
	t->first_content_us = loop_now(t->loop);
	emit_head(a, a->length >= 0 ? a->length : ANSWER_CHUNKED);
	t->answer.content = true;
	a->events->committed(a);
	bool taken = pass_bytes(a, buf_str(&a->held), false);	/* flushed, before the bytes move */
	buf_consume(&a->held, a->held.n > USAGE_TAIL ? a->held.n - USAGE_TAIL : 0);
	return taken;
}

static bool plain_feed(struct attempt *a, struct str bytes, bool more)
{
	if (!a->passing) {
		if (a->held.n + bytes.n <= HELD_MAX)
			return buf_add(&a->held, bytes);
		if (a->translate) {
			fail(a, ERR_UPSTREAM_BROKEN, false, "an answer of more than 1 MiB, which is too large to be translated");
			return true;
		}
		if (!start_passing(a)) {
			buf_add(&a->pending, bytes);
			keep_tail(a, bytes);
			return false;
		}
	}
	keep_tail(a, bytes);
	return pass_bytes(a, bytes, more);
}

static void plain_deliver(struct attempt *a)
{
	struct txn *t = a->t;
	struct buf converted = BUF_INIT(4 * (size_t)HELD_MAX);
	struct str body = buf_str(&a->held);
	if (!a->translate && t->call && a->dialect->convert_answer && a->dialect->convert_answer(t->call, body, &converted))
		body = buf_str(&converted);
	t->first_content_us = loop_now(t->loop);
	emit_head(a, (int64_t)body.n);
	t->answer.content = true;
	if (body.n) {
		struct delta d = { .kind = DELTA_BYTES, .raw = body, .content = true, .more = true };
		emit(a, &d);
	}
	complete(a);
	buf_free(&converted);
}

static bool plain_translate(struct attempt *a)
{
	struct buf converted = BUF_INIT(4 * (size_t)HELD_MAX);
	bool good = translate_answer(a->translate, buf_str(&a->held), &converted);
	buf_free(&a->held);
	a->held = converted;
	return good;
}

static void plain_end(struct attempt *a)
{
	const char *why = NULL;
	a->dialect->read_usage(buf_str(&a->held), a->quirks, &a->usage);
	if (a->passing) {
		complete(a);
		return;
	}
	if (a->json_answer && !answer_is_sound(buf_str(&a->held), &why)) {
		a->ended = false;
		fail(a, ERR_UPSTREAM_BROKEN, false, why);
		return;
	}
	if (a->translate && !plain_translate(a)) {
		a->ended = false;
		fail(a, ERR_UPSTREAM_BROKEN, false, "the answer holds no choice");
		return;
	}
	a->events->answering(a);
	attempt_charge(a, true);	/* its header says what it cost */
	plain_deliver(a);
}

/* --- errors of the provider --- */

static void error_end(struct attempt *a)
{
	struct provider_error e = { .kind = ERR_UPSTREAM_BROKEN };
	struct str body = buf_str(&a->held);
	a->dialect->read_error(a->status, body, &e);
	struct outcome o = { .kind = e.kind, .status = a->status, .retry_after_us = a->retry_after_us,
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

/* --- the transport's events --- */

/* Binary on their side; the caller gets the events of its own dialect. */
static void open_frames(struct attempt *a)
{
	a->frames = frames_new();
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
		fail(a, ERR_UPSTREAM_BROKEN, false, "the provider redirects, which is not followed");
	else if (!str_empty(http_header(head, HTTP_H_CONTENT_ENCODING)) &&
		 !str_ieq(http_header(head, HTTP_H_CONTENT_ENCODING), STR("identity")))
		fail(a, ERR_UPSTREAM_BROKEN, false, "the provider compressed its answer although not asked to");
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
		return stream_feed(a, bytes, more);
	if (a->status >= 300) {
		buf_add(&a->held, str_head(bytes, ERROR_BODY_MAX - (a->held.n < ERROR_BODY_MAX ? a->held.n : ERROR_BODY_MAX)));
		return true;
	}
	return plain_feed(a, bytes, more);
}

static void finish(struct attempt *a)
{
	if (a->event_stream)
		stream_end(a);
	else if (a->status >= 300)
		error_end(a);
	else
		plain_end(a);
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
	if (a->event_stream && (a->done || a->finish) && !a->waiting) {
		a->ended = true;
		finish(a);
		return;
	}
	fail(a, failure_kind(f), unprocessed, why);
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

/* The request's bytes. False: the target's format cannot carry it, and t->error says why. */
static bool write_call(struct attempt *a, const struct target *target, struct transport_call *call)
{
	struct txn *t = a->t;
	struct str path, body;
	if (way_to(target->provider, t->endpoint->dialect, t->call->path) != WAY_TRANSLATE) {
		a->dialect = t->endpoint->dialect ? t->endpoint->dialect : target->provider->dialect;
		request_write(t, target, call, &a->withhold_usage);
		return true;
	}
	a->dialect = target->provider->dialect;
	a->resume = NULL;	/* notes are taken of the caller's own format only */
	a->translate = translate_request(t, target, &path, &body);
	if (a->translate)
		request_write_translated(t, target, path, body, call);
	return a->translate != NULL;
}

void attempt_start(struct attempt *a, const struct target *target, const struct credential *credential,
		   int64_t connect_us)
{
	struct txn *t = a->t;
	const struct provider *p = target->provider;
	struct transport_call call = { .connect_us = connect_us, .events = &transport_events, .owner = a };
	a->live = target->live;
	a->credential = credential ? credential->live : NULL;
	a->quirks = p->quirks;
	a->local = p->local;
	a->json_answer = t->endpoint->good != ANSWER_ANY;
	a->began_us = a->last_byte_us = loop_now(t->loop);
	attempt_charge_begin(a, target);
	if (!write_call(a, target, &call)) {
		struct outcome o = { .kind = ERR_UPSTREAM_REJECTED, .status = 400, .message = t->error.message,
				     .why = "its format cannot carry the request" };
		a->events->failed(a, &o);
		return;
	}
	struct outcome refused;
	if (!attempt_show(a, p, credential, &call, &refused)) {
		a->events->failed(a, &refused);
		return;
	}
	bool general = !str_empty(p->origin.proxy);
	a->transport = p->demo ? &demo_transport : general ? &curl_transport : &http1_transport;
	struct transport_state *state = p->demo ? demo_state : general ? general_state : hot_state;
	a->exchange = a->transport->start(state, &call);
}

void attempt_drained(struct attempt *a)
{
	if (a->end_waits) {
		complete(a);
		return;
	}
	if (!a->waiting)
		return;
	a->waiting = false;
	struct buf rest = a->pending;
	buf_init(&a->pending, rest.max);
	bool room = a->event_stream ? stream_feed(a, buf_str(&rest), false) : pass_bytes(a, buf_str(&rest), false);
	buf_free(&rest);
	if (!room)
		return;
	if (a->ended)
		finish(a);
	else if (a->exchange)
		a->transport->resume(a->exchange);
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
		emit(a, &head);
	}
	struct delta comment = { .kind = DELTA_EVENT, .raw = STR(": keep-alive\n\n") };
	emit(a, &comment);
}
