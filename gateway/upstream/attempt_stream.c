/*
 * attempt_stream.c: an answer that is a stream.
 *
 * Events before content are held back, so that a failure can still be answered by another target; with the first
 * content they are passed on, and the memory of the request goes.
 */
#include "core/call.h"
#include "upstream/attempt_parts.h"
#include "upstream/frames.h"

/* First content: what was held back goes out ahead of it. */
static void commit(struct attempt *a)
{
	struct txn *t = a->t;
	a->events->answering(a);
	a->first_content_us = loop_now(t->loop);
	if (t->first_content_us == 0)
		t->first_content_us = a->first_content_us;
	if (!t->answer.begun)
		attempt_emit_head(a, ANSWER_CHUNKED);
	if (a->held.n) {
		struct delta before = { .kind = DELTA_EVENT, .raw = buf_str(&a->held), .more = true };
		attempt_emit(a, &before);
	}
	t->answer.content = true;
	attempt_keep_shown(a);
	a->events->committed(a);
}

/* --- events --- */

static void stream_broke(struct attempt *a, struct str data, const char *why)
{
	struct provider_error e = { .kind = ERR_UPSTREAM_BROKEN };
	if (data.n)
		a->dialect->read_error(200, data, &e);
	attempt_broke(a, e.kind, false, why);
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

/* What an event tells of the answer as a whole. */
static void note(struct attempt *a, const struct event_view *v, struct str data)
{
	if (v->has_usage)
		usage_merge(&a->usage, &v->usage);
	count_content(a, v, data);
	a->finish |= v->finish;
	a->done |= v->done;
}

/* The continuation of an answer that broke: its events are rewritten, and leave at once. */
static bool continued_event(struct attempt *a, const struct event_view *v, struct str data)
{
	struct str event = resume_rewrite(a->resume, v, data);
	struct delta d = { .kind = DELTA_EVENT, .raw = event, .content = v->content, .finish = v->finish };
	note(a, v, data);
	if (event.n && attempt_emit(a, &d) == SINK_FULL)
		attempt_pass_by(a->t, event);	/* already counted as said; the next event waits */
	return true;
}

static const char TOO_LARGE[] = "an event of the answer is too large to be translated";

/* What the caller should get for this event: its bytes, or what they mean in the caller's dialect, which may be nothing. */
static bool speak(struct attempt *a, const struct sse_event *ev, const struct event_view *v, struct str *out)
{
	*out = ev->raw;
	if (!a->translate || ev->comment)
		return true;
	*out = STR_NONE;
	return v->done || translate_event(a->translate, ev->name, ev->data, out);
}

/* A failure in the provider's own words goes on to the caller without the credentials it may repeat. */
static void clean(const struct attempt *a, struct delta *d, struct buf *copy)
{
	size_t at = d->data.n ? (size_t)(d->data.p - d->raw.p) : 0;
	bool inside = d->data.n && d->data.p >= d->raw.p && at + d->data.n <= d->raw.n;
	buf_init(copy, d->raw.n + 1);
	buf_add(copy, d->raw);
	attempt_blank_secrets(a, copy);
	d->raw = buf_str(copy);
	d->data = inside ? str_of(d->raw.p + at, d->data.n) : STR_NONE;
	d->more = false;	/* it leaves before the copy goes */
}

/* Why this event ends the answer; NULL: it does not. `words`: what the provider itself says of it. */
static const char *fault_of(const struct attempt *a, const struct sse_event *ev, const struct event_view *v, struct str *words)
{
	if (v->error && (a->translate || !(v->finish && a->t->answer.content))) {
		*words = ev->data;
		return "the provider reported an error inside the stream";
	}
	if (a->translate && ev->data.n && !v->done && !frames_whole(ev))
		return "an event of the stream is no JSON";
	return NULL;
}

/* Nothing of it is for the caller before there is content. */
static void hold(struct attempt *a, const struct event_view *v, struct str raw)
{
	if (!buf_add(&a->held, raw))
		stream_broke(a, STR_NONE, "more than 1 MiB of events without content");
	if (v->has_usage)
		usage_merge(&a->usage, &v->usage);
}

/* False: the caller's side is full and the event was not taken. What was translated lives until the next event: it leaves now. */
static bool pass_on(struct attempt *a, const struct sse_event *ev, const struct event_view *v, struct str raw, bool more)
{
	struct delta d = { .kind = DELTA_EVENT, .raw = raw, .name = ev->name, .data = ev->data,
			   .content = v->content, .finish = v->finish, .more = more && !a->translate };
	struct buf copy = BUF_INIT(0);
	if (v->error)
		clean(a, &d, &copy);
	bool taken = attempt_emit(a, &d) == SINK_TAKEN;
	buf_free(&copy);
	if (!taken && a->translate) {
		attempt_pass_by(a->t, raw);	/* it cannot be translated twice; the next event waits */
		return true;
	}
	return taken;
}

/* False: the caller's side is full and the event was not taken. */
static bool stream_event(struct attempt *a, const struct sse_event *ev, bool more)
{
	bool *content = &a->t->answer.content;
	struct event_view v = { .want_content = !*content || a->resume };
	struct str raw, words = STR_NONE;
	if (a->done)
		return true;
	if (!ev->comment)
		a->dialect->read_event(ev->name, ev->data, a->quirks, &v);
	const char *fault = fault_of(a, ev, &v, &words);
	if (!fault && a->resume && a->resume->going_on)
		return ev->comment || continued_event(a, &v, ev->data);
	if (!fault && !speak(a, ev, &v, &raw))
		fault = TOO_LARGE;
	if (fault) {
		stream_broke(a, words, fault);
		return true;
	}
	if (!*content && !v.content && !v.finish && !v.done) {
		hold(a, &v, raw);
		return true;
	}
	bool withheld = a->translate ? raw.n == 0 : v.usage_only && a->withhold_usage;
	if (!*content)
		commit(a);
	if (!withheld && !pass_on(a, ev, &v, raw, more))
		return false;
	note(a, &v, ev->data);
	if (a->resume)
		resume_note(a->resume, &v, ev->data);
	return true;
}

/* Passes on whatever whole events `in` completes. False: stop reading, the rest is pending. */
bool attempt_stream_feed(struct attempt *a, struct str in, bool more)
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

/* The blank line that the provider left out: whatever follows would become part of its event. */
static void end_event(struct attempt *a)
{
	struct delta blank = { .kind = DELTA_EVENT, .raw = STR("\n\n"), .more = true };
	if (!a->translate && (a->exchange || a->ended) && a->t->answer.content)
		attempt_emit(a, &blank);
}

void attempt_stream_end(struct attempt *a)
{
	struct txn *t = a->t;
	struct sse_event ev;
	if (a->trial && !attempt_trial_end(a))
		return;
	if (a->frames && !eventstream_end(a->frames)) {
		a->ended = false;
		stream_broke(a, STR_NONE, "the stream ended inside a message");
		return;
	}
	if (sse_end(&a->sse, &ev) == SSE_EVENT && frames_whole(&ev)) {
		if (!stream_event(a, &ev, false)) {
			a->waiting = true;
			buf_add(&a->pending, ev.raw);
			return;
		}
		end_event(a);
	}
	if (!a->exchange && !a->ended)
		return;
	bool whole = a->done || (a->finish && !a->needs_done);
	if (!whole || !t->answer.content) {
		a->ended = false;
		stream_broke(a, STR_NONE, "the stream ended before its end");
		return;
	}
	if (a->translate) {
		struct delta last = { .kind = DELTA_EVENT, .more = true };
		t->odd_end |= translate_ended_oddly(a->translate);
		if (!translate_end(a->translate, &last.raw)) {
			a->ended = false;
			stream_broke(a, STR_NONE, TOO_LARGE);
			return;
		}
		attempt_emit(a, &last);
	} else if (!a->done && !str_empty(a->dialect->done)) {
		struct delta done = { .kind = DELTA_EVENT, .raw = a->dialect->done, .more = true };
		attempt_emit(a, &done);
	}
	attempt_complete(a);
}
