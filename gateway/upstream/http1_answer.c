/*
 * http1_answer.c: the reading half of an exchange: head, framing, body, end.
 *
 * Bytes are parsed where they were read, in the loop's scratch memory. Only an incomplete
 * head, and what is left over when the owner pauses, is copied into the exchange.
 */
#include "upstream/http1_exchange.h"

#include <stdio.h>

#include "base/clock.h"

enum { INTERIMS_MAX = 16, READS_MAX = 16, RECORD = 16 * 1024 };

/* A stale connection shows within a round trip; a later silent close may be a request that was worked on. */
#define STALE_US (5 * SECOND_US)

/* Bytes under way, and the buffer they lie in when it is not the loop's scratch memory. */
struct input {
	struct str in;
	struct buf own;
};

static bool answer_over(const struct exchange *e)
{
	return e->gone || e->paused;
}

static void deliver(struct exchange *e, struct str bytes, bool more)
{
	bool go_on = e->call.events->on_body(e->call.owner, bytes, more);
	if (e->gone || go_on)
		return;
	e->paused = true;
	watch_read(&e->connection->watch, false);
}

/* --- bodies; each step says whether to go on --- */

/* Nothing may lie behind the answer, but TLS may have a message of its own to read. */
static bool connection_clean(struct exchange *e, const struct input *i)
{
	struct io *io = &e->connection->io;
	if (i->in.n)
		return false;
	return io_pending(io) == 0 || io_read(io, e->state->loop->scratch, LOOP_SCRATCH) == IO_WANT_READ;
}

static bool answer_end(struct exchange *e, const struct input *i)
{
	exchange_end(e, e->keep_alive && exchange_all_sent(e) && connection_clean(e, i));
	return false;
}

static bool length_step(struct exchange *e, struct input *i)
{
	if (e->left == 0)
		return answer_end(e, i);
	if (i->in.n == 0)
		return false;
	struct str slice = str_head(i->in, e->left < i->in.n ? (size_t)e->left : i->in.n);
	i->in = str_skip(i->in, slice.n);
	e->left -= slice.n;
	deliver(e, slice, e->left == 0);
	return true;
}

static bool until_close_step(struct exchange *e, struct input *i)
{
	struct str all = i->in;
	if (all.n == 0)
		return false;
	i->in = str_skip(all, all.n);
	deliver(e, all, false);
	return true;
}

static bool chunked_over(struct exchange *e, struct input *i, enum http_result r)
{
	if (r == HTTP_DONE)
		return answer_end(e, i);
	if (r == HTTP_BAD)
		exchange_fail(e, TRANSPORT_PROTOCOL, false, "malformed chunk");
	return false;
}

/* Looks one slice ahead, so that `more` is true only when something really follows at once. */
static bool chunked_step(struct exchange *e, struct input *i)
{
	struct str payload;
	enum http_result r = chunked_next(&e->chunked, &i->in, &payload);
	while (r == HTTP_MORE && payload.n) {
		struct chunked ahead = e->chunked;
		struct str rest = i->in, next;
		r = chunked_next(&ahead, &rest, &next);
		deliver(e, payload, r == HTTP_DONE || next.n > 0);
		if (answer_over(e))
			return false;
		e->chunked = ahead;
		i->in = rest;
		payload = next;
	}
	return chunked_over(e, i, r);
}

static bool body_step(struct exchange *e, struct input *i)
{
	switch ((enum http_body)e->body) {
	case HTTP_BODY_LENGTH:
		return length_step(e, i);
	case HTTP_BODY_CHUNKED:
		return chunked_step(e, i);
	case HTTP_BODY_UNTIL_CLOSE:
		return until_close_step(e, i);
	case HTTP_BODY_NONE:
		break;
	}
	return answer_end(e, i);
}

/* --- head --- */

static bool interim(struct exchange *e)
{
	if (e->state->head.status == 101 || ++e->interims > INTERIMS_MAX) {
		exchange_fail(e, TRANSPORT_PROTOCOL, false, "unexpected interim answers");
		return false;
	}
	return true;
}

/* An error that comes before the request was sent whole is the answer; the rest is not wanted any more. */
static bool final_head(struct exchange *e)
{
	const struct http_head *h = &e->state->head;
	e->has_head = true;
	e->body = (uint8_t)h->body;
	e->left = h->length;
	e->keep_alive = h->keep_alive;
	if (h->status >= 300 && !exchange_all_sent(e))
		exchange_stop_sending(e);
	if (!e->stopped && e->sent < e->total && !exchange_keep_unsent(e)) {
		exchange_fail(e, TRANSPORT_MEMORY, false, "too many bytes wait for the provider");
		return false;
	}
	e->call.events->on_head(e->call.owner, h);
	return true;
}

static bool head_step(struct exchange *e, struct input *i)
{
	struct http_head *h = &e->state->head;
	if (i->in.n == 0)
		return false;
	switch (http_response_parse(&e->parser, i->in, &http_response_limits, e->call.method, h)) {
	case HTTP_MORE:
		return false;
	case HTTP_BAD:
		exchange_fail(e, h->error == 431 ? TRANSPORT_TOO_LARGE : TRANSPORT_PROTOCOL, false, h->why);
		return false;
	case HTTP_DONE:
		break;
	}
	i->in = str_skip(i->in, h->size);
	return h->status < 200 ? interim(e) : final_head(e);
}

/* --- input --- */

static bool input_take(struct exchange *e, struct str bytes, struct input *i)
{
	*i = (struct input){ .in = bytes };
	if (e->held.n == 0)
		return true;
	if (!buf_add(&e->held, bytes))
		return false;
	i->own = e->held;
	i->in = str_skip(buf_str(&i->own), e->held_at);
	buf_init(&e->held, e->held.max);
	return true;
}

static bool input_keep(struct exchange *e, struct input *i)
{
	if (e->gone || i->in.n == 0) {
		buf_free(&i->own);
		return true;
	}
	if (!i->own.p) {
		e->held_at = 0;
		return buf_add(&e->held, i->in);
	}
	e->held_at = (size_t)(i->in.p - i->own.p);
	e->held = i->own;
	return true;
}

static void answer_feed(struct exchange *e, struct str bytes)
{
	struct input i;
	bool ok = input_take(e, bytes, &i);
	if (ok) {
		while (!answer_over(e) && (e->has_head ? body_step(e, &i) : head_step(e, &i)))
			;
		ok = input_keep(e, &i);
	}
	if (!ok)
		exchange_fail(e, TRANSPORT_MEMORY, false, "no memory for the provider's answer");
}

/* --- the connection's end --- */

static void answer_closed(struct exchange *e, enum io_result r)
{
	bool stale = e->reused && !e->answered && loop_now(e->state->loop) - e->sent_us <= STALE_US;
	if (e->has_head && e->body == HTTP_BODY_UNTIL_CLOSE && r == IO_END) {
		exchange_end(e, false);
		return;
	}
	if (stale) {
		exchange_resend(e);
		return;
	}
	char why[192];
	snprintf(why, sizeof(why), "%s: %s", e->has_head ? "cut within the body" : "no complete answer",
		 r == IO_END ? "closed by the provider" : io_error());
	exchange_fail(e, TRANSPORT_RESET, false, why);
}

/* A TLS record that filled its space is likely not the last one. */
static bool read_again(struct exchange *e, ssize_t n, int reads)
{
	struct io *io = &e->connection->io;
	if (!io->tls)
		return false;
	return io_pending(io) > 0 || (n >= RECORD && reads < READS_MAX);
}

void answer_read(struct exchange *e)
{
	struct loop *l = e->state->loop;
	ssize_t n;
	int reads = 0;
	do {
		n = io_read(&e->connection->io, l->scratch, LOOP_SCRATCH);
		if (n == IO_WANT_READ)
			return;
		if (n == IO_WANT_WRITE) {
			watch_write(&e->connection->watch, true);
			return;
		}
		if (n < 0) {
			answer_closed(e, (enum io_result)n);
			return;
		}
		e->answered = true;
		answer_feed(e, str_of(l->scratch, (size_t)n));
	} while (!answer_over(e) && read_again(e, n, ++reads));
}

void answer_resume(struct exchange *e)
{
	answer_feed(e, STR_NONE);
	if (answer_over(e))
		return;
	watch_read(&e->connection->watch, true);
	if (io_pending(&e->connection->io) > 0)
		answer_read(e);
}
