/*
 * http1_transport.c: our own HTTP/1.1 client on the loop, which carries what is billed.
 *
 * In steady state an exchange is one writev() and one recv(): the request leaves on a pooled
 * connection whose read interest is armed already, together with others of its turn. Write interest
 * is asked for after the socket refused bytes only. How an answer is read is http1_answer.c.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "upstream/http1_exchange.h"

enum { SPARE_MAX = 1024, PARTS_AT_ONCE = 64, HELD_MAX = 64 * 1024 + LOOP_SCRATCH };
enum { OUT_HIGH = 256 * 1024, OUT_MAX = 16 * 1024 * 1024 };

static void run_task(struct loop_task *t);
static void run_send(struct loop_task *t);

/* --- birth and end --- */

static struct exchange *exchange_new(struct transport_state *s, const struct transport_call *call)
{
	struct exchange *e;
	if (list_empty(&s->spare)) {
		e = mem_alloc(sizeof(*e));
	} else {
		e = list_entry(s->spare.next, struct exchange, link);
		list_remove(&e->link);
		s->n_spare--;
		*e = (struct exchange){ 0 };
	}
	e->state = s;
	e->call = *call;
	for (int i = 0; i < call->n_parts; i++)
		e->total += call->parts[i].iov_len;
	buf_init(&e->held, HELD_MAX);
	buf_init(&e->out, OUT_MAX);
	loop_task_init(&e->task, run_task);
	loop_task_init(&e->send_task, run_send);
	return e;
}

static void exchange_free(struct exchange *e)
{
	struct transport_state *s = e->state;
	if (s->n_spare >= SPARE_MAX) {
		free(e);
		return;
	}
	list_prepend(&s->spare, &e->link);
	s->n_spare++;
}

/* From here no callback comes; the memory stays for whoever of us still holds it. */
static void exchange_close(struct exchange *e)
{
	e->gone = true;
	loop_task_cancel(&e->task);
	loop_task_cancel(&e->send_task);
	buf_free(&e->held);
	buf_free(&e->out);
	if (e->dial)
		dial_cancel(e->dial);
	if (e->connection)
		connection_close(e->connection);
	e->dial = NULL;
	e->connection = NULL;
}

static void exchange_enter(struct exchange *e)
{
	e->busy = true;
}

static void exchange_leave(struct exchange *e)
{
	e->busy = false;
	if (e->gone)
		exchange_free(e);
}

void exchange_fail(struct exchange *e, enum transport_failure f, bool unprocessed, const char *why)
{
	exchange_close(e);
	e->call.events->on_fail(e->call.owner, f, unprocessed, why);
}

void exchange_end(struct exchange *e, bool reusable)
{
	if (reusable) {
		connection_put(&e->state->pool, e->connection);
		e->connection = NULL;
	}
	exchange_close(e);
	e->call.events->on_end(e->call.owner);
}

/* --- sending --- */

bool exchange_all_sent(const struct exchange *e)
{
	return e->sent == e->total && (!e->call.streamed || (e->last && e->out.n == 0));
}

void exchange_stop_sending(struct exchange *e)
{
	e->stopped = true;
	buf_free(&e->out);
	watch_write(&e->connection->watch, false);
}

static int parts_left(const struct exchange *e, struct iovec *out)
{
	size_t skip = e->sent;
	int n = 0;
	for (int i = 0; i < e->call.n_parts && n < PARTS_AT_ONCE; i++) {
		const struct iovec *part = &e->call.parts[i];
		if (skip >= part->iov_len) {
			skip -= part->iov_len;
			continue;
		}
		out[n++] = (struct iovec){ (char *)part->iov_base + skip, part->iov_len - skip };
		skip = 0;
	}
	return n;
}

/* Whether more may be written now. A broken connection is left to the reader: its answer may be there already. */
static bool sent_well(struct exchange *e, ssize_t n)
{
	if (n > 0)
		return true;
	if (n == IO_WANT_WRITE || n == IO_WANT_READ) {
		watch_write(&e->connection->watch, true);
		return false;
	}
	exchange_stop_sending(e);
	loop_defer(e->state->loop, &e->task);
	return false;
}

static bool send_parts(struct exchange *e)
{
	struct iovec unset iov[PARTS_AT_ONCE];
	while (e->sent < e->total) {
		ssize_t n = io_writev(&e->connection->io, iov, parts_left(e, iov));
		if (!sent_well(e, n))
			return false;
		e->sent += (size_t)n;
	}
	return true;
}

static bool send_out(struct exchange *e)
{
	while (e->out.n) {
		struct iovec all = { e->out.p, e->out.n };
		ssize_t n = io_writev(&e->connection->io, &all, 1);
		if (!sent_well(e, n))
			return false;
		buf_consume(&e->out, (size_t)n);
	}
	buf_free(&e->out);
	return true;
}

bool exchange_keep_unsent(struct exchange *e)
{
	struct buf whole;
	struct iovec iov[PARTS_AT_ONCE];
	buf_init(&whole, OUT_MAX);
	while (e->sent < e->total)
		for (int i = 0, n = parts_left(e, iov); i < n; i++) {
			buf_add(&whole, str_of(iov[i].iov_base, iov[i].iov_len));
			e->sent += iov[i].iov_len;
		}
	buf_add(&whole, buf_str(&e->out));
	buf_free(&e->out);
	e->out = whole;
	return !whole.failed;
}

static void send_more(struct exchange *e)
{
	if (e->stopped || !send_parts(e) || !send_out(e))
		return;
	watch_write(&e->connection->watch, false);
	if (e->throttled && !e->last && e->call.events->on_writable) {
		e->throttled = false;
		e->call.events->on_writable(e->call.owner);
	}
}

/* --- the connection --- */

static void on_ready(struct watch *w, bool readable, bool writable)
{
	struct exchange *e = container_of(w, struct connection, watch)->user;
	exchange_enter(e);
	if (writable)
		send_more(e);
	if (!e->gone && !e->paused && (readable || e->connection->io.tls))
		answer_read(e);
	exchange_leave(e);
}

static void exchange_attach(struct exchange *e, struct connection *c)
{
	e->connection = c;
	c->user = e;
	c->watch.ready = on_ready;
	e->sent_us = loop_now(e->state->loop);
}

static void on_dialled(void *owner, const struct dial_result *r)
{
	struct exchange *e = owner;
	e->dial = NULL;
	exchange_enter(e);
	if (r->ok) {
		exchange_attach(e, connection_open(&e->state->pool, e->call.origin, r->io));
		if (e->unannounced)
			e->call.events->on_connected(e->call.owner);
		e->unannounced = false;
		if (!e->gone)
			send_more(e);
	} else {
		exchange_fail(e, r->failure, true, r->why);
	}
	exchange_leave(e);
}

static void exchange_dial(struct exchange *e)
{
	e->throttled = e->call.streamed;	/* the first on_writable follows the head */
	e->dial = dial_start(e->state->loop, e->call.origin, e->call.connect_us, on_dialled, e);
}

void exchange_resend(struct exchange *e)
{
	connection_close(e->connection);
	e->connection = NULL;
	e->reused = e->stopped = false;
	e->sent = 0;
	exchange_dial(e);
}

/* The first try: what the socket refuses goes when it is writable, as ever. */
static void run_send(struct loop_task *t)
{
	send_parts(container_of(t, struct exchange, send_task));
}

/* What start(), send() and resume() may not do themselves, because callbacks could come of it. */
static void run_task(struct loop_task *t)
{
	struct exchange *e = container_of(t, struct exchange, task);
	exchange_enter(e);
	if (e->unannounced) {
		e->unannounced = false;
		e->call.events->on_connected(e->call.owner);
	}
	if (!e->gone && e->no_memory)
		exchange_fail(e, TRANSPORT_MEMORY, false, "too many bytes wait for the provider");
	if (!e->gone && e->resumed && !e->paused) {
		e->resumed = false;
		answer_resume(e);
	}
	if (!e->gone && !e->paused && e->stopped)
		answer_read(e);
	exchange_leave(e);
}

/* --- the contract --- */

static struct transport_state *http1_open(struct loop *l)
{
	struct transport_state *s = mem_alloc(sizeof(*s));
	s->loop = l;
	list_init(&s->spare);
	pool_open(&s->pool, l);
	return s;
}

static void http1_close(struct transport_state *s)
{
	pool_close(&s->pool);
	list_each(link, &s->spare)
		free(list_entry(link, struct exchange, link));
	free(s);
}

/* A streamed body could not be sent twice, so it never meets a connection that may be stale. */
static struct exchange *http1_start(struct transport_state *s, const struct transport_call *call)
{
	struct exchange *e = exchange_new(s, call);
	struct connection *c = call->streamed ? NULL : pool_take(&s->pool, call->origin);
	e->unannounced = call->events->on_connected != NULL;
	if (!c) {
		exchange_dial(e);
		return e;
	}
	e->reused = true;
	exchange_attach(e, c);
	loop_send(s->loop, &e->send_task);
	if (e->unannounced)
		loop_defer(s->loop, &e->task);
	return e;
}

static bool http1_send(struct exchange *e, struct str bytes, bool last)
{
	e->last = e->last || last;
	if (e->stopped)
		return true;
	if (e->connection && e->sent == e->total && e->out.n == 0 && bytes.n) {
		struct iovec all = { (char *)(uintptr_t)bytes.p, bytes.n };
		ssize_t n = io_writev(&e->connection->io, &all, 1);
		if (sent_well(e, n))
			bytes = str_skip(bytes, (size_t)n);
		if (e->stopped)
			return true;
	}
	if (!buf_add(&e->out, bytes)) {
		e->no_memory = true;
		loop_defer(e->state->loop, &e->task);
	} else if (e->out.n && e->connection) {
		watch_write(&e->connection->watch, true);
	}
	e->throttled = e->throttled || e->out.n > OUT_HIGH;
	return e->out.n <= OUT_HIGH;
}

static void http1_resume(struct exchange *e)
{
	if (!e->paused)
		return;
	e->paused = false;
	e->resumed = true;
	loop_defer(e->state->loop, &e->task);
}

static void http1_cancel(struct exchange *e)
{
	exchange_close(e);
	if (!e->busy)
		exchange_free(e);
}

const struct transport http1_transport = {
	.name = "http1", .open = http1_open, .close = http1_close, .start = http1_start,
	.send = http1_send, .resume = http1_resume, .cancel = http1_cancel,
};
