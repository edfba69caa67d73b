/*
 * connection.c: one caller's connection and its states.
 *
 * Reading stays armed in every state, so that a hang-up is seen while a request is being
 * answered; bytes of later requests are kept, within a bound, until their turn. Every wait
 * has an absolute deadline.
 */
#include "edge/connection.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/tls.h"
#include "edge/limits.h"
#include "edge/listener_list.h"
#include "edge/request_body.h"
#include "edge/request_fill.h"

enum { IN_MAX = 2 * LOOP_SCRATCH, PIPELINE_MAX = 64 * 1024, OUT_CEILING = 16 * 1024 * 1024, LINGER_MAX = 64 * 1024 };

static void on_ready(struct watch *w, bool readable, bool writable);
static void on_timer(struct timer *t);
static bool wants_input(const struct caller *c);
static void process_kept(struct caller *c, struct str more);

static const struct listen_settings *settings_of(struct caller *c)
{
	return c->service->settings(c->service->owner);
}

/* --- life --- */

void caller_go_on(struct caller *c)
{
	watch_read(&c->watch, true);
	if (c->in.n)
		loop_defer(c->service->loop, &c->turn_task);
}

static void free_caller(struct caller *c)
{
	buf_free(&c->in);
	buf_free(&c->out);
	free((char *)(uintptr_t)c->peer.p);
	free(c);
}

/* The turn is over: bytes that waited for an answer's end or for a reader, a peer that was found gone, the end. */
static void on_turn(struct loop_task *task)
{
	struct caller *c = container_of(task, struct caller, turn_task);
	if (c->state == CALLER_CLOSED)
		free_caller(c);
	else if (c->broken)
		caller_close(c);
	else if (c->in.n && wants_input(c))
		process_kept(c, STR_NONE);
}

static void shut(struct caller *c)
{
	c->state = CALLER_CLOSED;
	c->reading_body = c->body_paused = false;
	reply_reset(c);
	request_body_release(c);
	watch_close(&c->watch);
	timer_close(&c->timer);
	io_close(&c->io);
	listener_remove(c->listener, c);
	if (c->counted)
		limits_connection_gone(c->peer_hash);
	loop_task_cancel(&c->send_task);
	loop_task_cancel(&c->turn_task);	/* behind all that is put off already */
	loop_defer(c->service->loop, &c->turn_task);
}

void caller_close(struct caller *c)
{
	struct txn *t = c->txn;
	if (c->state == CALLER_CLOSED)
		return;
	c->txn = NULL;
	shut(c);
	if (t)
		t->ops->hangup(t);
}

void caller_broken(struct caller *c)
{
	if (c->state == CALLER_CLOSED || c->broken)
		return;
	c->broken = true;
	buf_free(&c->out);
	loop_defer(c->service->loop, &c->turn_task);
}

void caller_arm(struct caller *c)
{
	int64_t due = c->out.n ? c->stall_us : INT64_MAX;
	if (c->state != CALLER_BUSY)
		return;
	if (c->reading_body && !c->body_paused && c->look_us < due)
		due = c->look_us;
	timer_at(&c->timer, due);
}

static void idle(struct caller *c)
{
	const struct listen_settings *s = settings_of(c);
	c->state = CALLER_IDLE;
	listener_set_idle(c->listener, c, true);
	timer_in(&c->timer, c->requests ? s->keep_alive_us : s->header_us);
}

void caller_open(struct listener *l, int fd, struct str peer, uint32_t peer_hash)
{
	struct caller *c = mem_alloc(sizeof(*c));
	struct edge_service *service = listener_service(l);
	c->client.ops = &reply_ops;
	c->listener = l;
	c->service = service;
	c->peer = str_of(mem_copy(peer), peer.n);
	c->peer_hash = peer_hash;
	c->counted = true;
	list_init(&c->link);
	loop_task_init(&c->turn_task, on_turn);
	loop_task_init(&c->send_task, reply_send);
	buf_init(&c->in, IN_MAX);
	buf_init(&c->out, OUT_CEILING);
	io_plain(&c->io, fd);
	watch_open(&c->watch, service->loop, fd, on_ready);
	watch_hangup(&c->watch, true);
	timer_open(&c->timer, service->loop, on_timer);
	listener_add(l, c);
	struct tls_context *tls = settings_of(c)->tls;
	if (tls && !tls_accept(&c->io, tls)) {
		caller_close(c);
		return;
	}
	c->is_tls = tls != NULL;
	if (tls) {
		c->state = CALLER_HANDSHAKE;
		timer_in(&c->timer, settings_of(c)->handshake_us);
	} else {
		idle(c);
	}
	watch_read(&c->watch, true);
}

void caller_drain(struct caller *c)
{
	c->keep_alive = false;
	if (c->state == CALLER_IDLE && c->in.n == 0)
		caller_close(c);
}

/* --- the end of an answer --- */

static void linger(struct caller *c)
{
	io_shutdown(&c->io);
	c->state = CALLER_LINGER;
	c->body_got = 0;
	buf_free(&c->in);
	watch_read(&c->watch, true);
	timer_in(&c->timer, settings_of(c)->linger_us);
}

static void next_request(struct caller *c)
{
	bool clean = !c->has_body || c->body_done;
	request_body_release(c);
	if (!c->keep_alive || !clean) {
		linger(c);
		return;
	}
	reply_reset(c);
	idle(c);
	caller_go_on(c);
}

void caller_answered(struct caller *c)
{
	c->txn = NULL;
	c->reading_body = c->body_paused = false;
	c->reader = NULL;
	if (c->state == CALLER_CLOSED || c->broken || c->out.n)
		return;		/* goes on when the rest is out */
	next_request(c);
}

void caller_all_sent(struct caller *c)
{
	if (c->state == CALLER_BUSY && !c->txn && c->out.n == 0 && !c->broken)
		next_request(c);
}

/* --- requests --- */

static void begin_txn(struct caller *c)
{
	c->state = CALLER_BUSY;
	c->requests++;
	listener_set_idle(c->listener, c, false);
	timer_stop(&c->timer);
	c->txn = c->service->begin(c->service->owner, &c->client);
}

static enum error_kind kind_of(unsigned status)
{
	switch (status) {
	case 413: case 414: case 431: return ERR_TOO_LARGE;
	case 417: return ERR_EXPECTATION;
	case 408: return ERR_SLOW_REQUEST;
	default:  return ERR_BAD_REQUEST;
	}
}

static void refuse(struct caller *c, unsigned status, const char *why)
{
	c->minor = 1;
	c->keep_alive = false;
	c->is_head = c->has_body = false;
	begin_txn(c);
	struct txn *t = c->txn;
	request_fill_nothing(t, c->peer);
	t->error.status = (int)status;
	t->ops->refuse(t, kind_of(status), why);
}

static void start(struct caller *c, const struct http_head *head, struct str raw)
{
	const struct listen_settings *s = settings_of(c);
	begin_txn(c);
	c->minor = (uint8_t)head->minor;
	c->keep_alive = head->keep_alive && c->requests < s->keep_alive_requests && !listener_draining(c->listener);
	c->is_head = head->method == HTTP_HEAD;
	c->expect_continue = head->expect_continue;
	c->has_body = head->body != HTTP_BODY_NONE;
	c->chunked_request = head->body == HTTP_BODY_CHUNKED;
	c->body_left = head->body == HTTP_BODY_LENGTH ? head->length : 0;
	c->body_done = c->accepted_body = false;
	c->body_got = c->rate_got = 0;
	c->chunked = (struct chunked){ 0 };
	request_fill(c->txn, head, raw, c->peer);
	c->txn->ops->start(c->txn);
}

/* False: the head is not complete, or was refused. */
static bool feed_head(struct caller *c, struct str *in)
{
	static _Thread_local struct http_head head;
	const struct listen_settings *s = settings_of(c);
	struct http_limits limits = { .max_line = s->max_line, .max_head = s->max_head, .max_header = s->max_header,
				      .max_headers = s->max_headers };
	switch (http_request_parse(&c->parser, *in, &limits, &head)) {
	case HTTP_DONE:
		break;
	case HTTP_BAD:
		refuse(c, head.error, head.why);
		*in = STR_NONE;
		return false;
	case HTTP_MORE:
		if (c->state == CALLER_IDLE) {
			c->state = CALLER_HEAD;
			listener_set_idle(c->listener, c, false);
			timer_in(&c->timer, s->header_us);
		}
		return false;
	}
	struct str raw = str_head(*in, head.size);
	*in = str_skip(*in, head.size);
	start(c, &head, raw);
	return true;
}

static bool wants_input(const struct caller *c)
{
	return c->state == CALLER_IDLE || c->state == CALLER_HEAD ||
	       (c->state == CALLER_BUSY && c->reading_body && !c->body_paused);
}

/* Works off `in` as far as the present state takes it. Returns what is to be kept. */
static struct str work(struct caller *c, struct str in)
{
	while (in.n && wants_input(c)) {
		if (c->state == CALLER_BUSY)
			request_body_feed(c, &in);
		else if (!feed_head(c, &in))
			break;
	}
	return c->state == CALLER_CLOSED || c->state == CALLER_LINGER ? STR_NONE : in;
}

static void pause_when_full(struct caller *c)
{
	if (c->in.n > PIPELINE_MAX && c->state == CALLER_BUSY)
		watch_read(&c->watch, false);
}

static void process(struct caller *c, struct str in)
{
	struct str rest = work(c, in);
	if (!buf_add(&c->in, rest))
		caller_close(c);
	pause_when_full(c);
}

/* Bytes kept from before come first; the buffer goes when nothing is left of them. */
static void process_kept(struct caller *c, struct str more)
{
	struct buf kept = c->in;
	buf_init(&c->in, IN_MAX);
	if (!buf_add(&kept, more)) {
		buf_free(&kept);
		caller_close(c);
		return;
	}
	struct str rest = work(c, buf_str(&kept));
	if (rest.n == 0) {
		buf_free(&kept);
		return;
	}
	buf_consume(&kept, kept.n - rest.n);
	c->in = kept;
	pause_when_full(c);
}

static void input(struct caller *c, struct str bytes)
{
	if (c->in.n)
		process_kept(c, bytes);
	else
		process(c, bytes);
}

/* --- events --- */

static void handshake(struct caller *c)
{
	switch (io_handshake(&c->io)) {
	case IO_OK:
		watch_write(&c->watch, false);
		idle(c);
		break;
	case IO_WANT_READ:
		watch_write(&c->watch, false);
		break;
	case IO_WANT_WRITE:
		watch_write(&c->watch, true);
		break;
	default:
		if (c->service->note)
			c->service->note(c->service->owner, io_error(), c->peer);
		caller_close(c);
		break;
	}
}

/* The peer sends no more: a hang-up in every state. */
static void peer_ended(struct caller *c)
{
	caller_close(c);
}

static void read_scratch(struct caller *c)
{
	struct loop *l = c->service->loop;
	ssize_t n = io_read(&c->io, l->scratch, LOOP_SCRATCH);
	if (n == IO_WANT_READ || n == IO_WANT_WRITE)
		return;
	if (n < 0) {
		peer_ended(c);
	} else if (c->state == CALLER_LINGER) {
		c->body_got += (uint64_t)n;
		if (c->body_got > LINGER_MAX)
			caller_close(c);
	} else {
		input(c, str_of(l->scratch, (size_t)n));
	}
}

/* A large body goes straight to where it will stay. */
static bool read_direct(struct caller *c)
{
	struct str room = c->in.n ? STR_NONE : request_body_space(c);
	if (c->state != CALLER_BUSY)
		return true;	/* the reader had no room and gave up */
	if (room.n == 0)
		return false;
	ssize_t n = io_read(&c->io, (char *)(uintptr_t)room.p, room.n);
	if (n == IO_WANT_READ || n == IO_WANT_WRITE)
		return true;
	if (n < 0)
		peer_ended(c);
	else
		process(c, str_of(room.p, (size_t)n));
	return true;
}

static void on_readable(struct caller *c)
{
	if (!(c->state == CALLER_BUSY && read_direct(c)))
		read_scratch(c);
	while (c->is_tls && c->state != CALLER_CLOSED && !c->broken && c->watch.reading && io_pending(&c->io) > 0) {
		if (!(c->state == CALLER_BUSY && read_direct(c)))
			read_scratch(c);
	}
}

static void on_writable(struct caller *c)
{
	if (!reply_push(c)) {
		caller_close(c);
		return;
	}
	if (c->txn && c->out.n <= CLIENT_LOW_WATER)
		c->txn->ops->drained(c->txn);
	caller_all_sent(c);
}

static void on_ready(struct watch *w, bool readable, bool writable)
{
	struct caller *c = container_of(w, struct caller, watch);
	if (w->hung_up) {
		peer_ended(c);
		return;
	}
	if (c->state == CALLER_HANDSHAKE) {
		handshake(c);
		if (c->state != CALLER_IDLE || io_pending(&c->io) == 0)
			return;
		readable = true;
	}
	if (writable && c->out.n)
		on_writable(c);
	if (c->state != CALLER_CLOSED && !c->broken && readable)
		on_readable(c);
}

/* The socket took nothing for too long, or the body is slower than allowed. */
static void busy_too_long(struct caller *c)
{
	int64_t now = loop_now(c->service->loop) + MS_US;	/* as the timer rounds */
	if (c->out.n && now >= c->stall_us) {
		caller_close(c);
		return;
	}
	if (!c->reading_body || c->body_paused || now < c->look_us || !request_body_too_slow(c)) {
		caller_arm(c);
		return;
	}
	c->reading_body = c->accepted_body = false;
	c->txn->ops->body_failed(c->txn, ERR_SLOW_REQUEST, "The request's body did not come in time.");
}

static void on_timer(struct timer *t)
{
	struct caller *c = container_of(t, struct caller, timer);
	if (c->state == CALLER_HEAD)
		refuse(c, 408, "The request's head did not come in time.");
	else if (c->state == CALLER_BUSY)
		busy_too_long(c);
	else
		caller_close(c);
}
