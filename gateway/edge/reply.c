/*
 * reply.c: answers onto the wire.
 *
 * Written parts are borrowed and gathered, and leave in one system call at flush: head and
 * body of a plain answer together, all events of one read as one chunk. Only what the socket
 * refuses is copied, and the end of a small answer, which leaves with others of its turn. The gathering place is one per thread: a connection that begins to write
 * flushes the one before it, so a quiet stream holds no buffer. So parts must live until flush().
 *
 * A peer found gone here is told to the service after its call, never from within it.
 */
#include "edge/connection.h"
#include "edge/request_body.h"
#include "wire/http_write.h"

enum { PARTS_MAX = 60, HEAD_MAX = 32 * 1024, SOON_MAX = 16 * 1024, FRAMING_MAX = 64 };

static _Thread_local struct gather {
	struct caller *owner;
	char head[HEAD_MAX];
	size_t n_head;
	struct str parts[PARTS_MAX];
	unsigned n;
	size_t total;		/* bytes of the parts */
} gather;

static struct caller *caller_of(struct client *client)
{
	return container_of(client, struct caller, client);
}

static void flush_gathered(void);

static void own_gather(struct caller *c)
{
	if (gather.owner == c)
		return;
	if (gather.owner)
		flush_gathered();
	gather.owner = c;
	gather.n_head = gather.n = 0;
	gather.total = 0;
}

void reply_reset(struct caller *c)
{
	if (gather.owner == c)
		gather.owner = NULL;
	c->begun = c->ended = c->chunked_answer = c->bodiless = false;
	c->answer_left = ANSWER_CHUNKED;
	c->sent = 0;
}

/* --- onto the wire --- */

static void arm_stall(struct caller *c)
{
	c->stall_us = loop_now(c->service->loop) + c->service->settings(c->service->owner)->write_stall_us;
	caller_arm(c);
}

bool reply_push(struct caller *c)
{
	while (c->out.n) {
		struct iovec v = { c->out.p, c->out.n };
		ssize_t sent = io_writev(&c->io, &v, 1);
		if (sent == IO_WANT_WRITE || sent == IO_WANT_READ) {
			watch_write(&c->watch, true);
			return true;
		}
		if (sent < 0)
			return false;
		buf_consume(&c->out, (size_t)sent);
		arm_stall(c);
	}
	watch_write(&c->watch, false);
	buf_free(&c->out);
	caller_arm(c);
	return true;
}

static bool keep(struct caller *c, const struct iovec *v, int n, size_t skip)
{
	for (int i = 0; i < n; i++) {
		struct str part = str_of(v[i].iov_base, v[i].iov_len);
		size_t here = skip < part.n ? skip : part.n;
		skip -= here;
		if (!buf_add(&c->out, str_skip(part, here)))
			return false;
	}
	return true;
}

/* Sends the parts, keeping a copy of what is refused. False: the peer is gone. */
static bool send_parts(struct caller *c, const struct iovec *v, int n)
{
	size_t skip = 0;
	if (c->out.n == 0) {
		ssize_t sent = io_writev(&c->io, v, n);
		if (sent == IO_BROKEN || sent == IO_END)
			return false;
		skip = sent > 0 ? (size_t)sent : 0;
	}
	if (!keep(c, v, n, skip))
		return false;
	if (c->out.n && !c->watch.writing)
		arm_stall(c);
	if (c->out.n == 0)
		return true;
	watch_write(&c->watch, true);
	return true;
}

static void add(struct iovec *v, int *n, struct str s)
{
	if (s.n)
		v[(*n)++] = (struct iovec){ (void *)(uintptr_t)s.p, s.n };
}

/* The end of a small answer: it leaves with others of this turn. */
static bool send_soon(struct caller *c, const struct iovec *v, int n)
{
	size_t all = gather.n_head + gather.total + FRAMING_MAX;
	if (!c->ended || c->out.n || all > SOON_MAX || !buf_reserve(&c->out, all) || !keep(c, v, n, 0))
		return false;
	loop_send(c->service->loop, &c->send_task);
	return true;
}

void reply_send(struct loop_task *t)
{
	struct caller *c = container_of(t, struct caller, send_task);
	if (c->out.n == 0 || c->watch.writing)
		return;		/* gone already, or on its way */
	if (!reply_push(c))
		caller_broken(c);
	else if (c->out.n)
		arm_stall(c);
	caller_all_sent(c);
}

static void flush_gathered(void)
{
	struct caller *c = gather.owner;
	struct iovec unset v[PARTS_MAX + 4];
	char size[HTTP_CHUNK_PREFIX_MAX];
	int n = 0;
	bool chunk = c->chunked_answer && gather.total > 0;
	gather.owner = NULL;
	add(v, &n, str_of(gather.head, gather.n_head));
	if (chunk)
		add(v, &n, str_of(size, http_chunk_prefix(size, gather.total)));
	for (unsigned i = 0; i < gather.n; i++)
		add(v, &n, gather.parts[i]);
	if (chunk)
		add(v, &n, STR("\r\n"));
	if (c->chunked_answer && c->ended)
		add(v, &n, HTTP_CHUNK_LAST);
	if (n && c->state != CALLER_CLOSED && !c->broken && !send_soon(c, v, n) && !send_parts(c, v, n))
		caller_broken(c);
}

void reply_raw(struct caller *c, struct str bytes)
{
	struct iovec v = { (void *)(uintptr_t)bytes.p, bytes.n };
	if (!c->broken && !send_parts(c, &v, 1))
		caller_broken(c);
}

/* --- heads --- */

/* The end of a body by the connection's, by chunks, or none at all. */
static void put_framing(struct caller *c, struct buf *b, const struct answer_head *h)
{
	bool none = h->status == 204 || h->status == 304 || h->status < 200;
	c->bodiless = none || c->is_head;
	c->chunked_answer = false;
	if (none)
		return;
	if (h->length >= 0) {
		http_put_header_u64(b, STR("content-length"), (uint64_t)h->length);
	} else if (c->minor == 0) {
		c->keep_alive = false;
	} else {
		c->chunked_answer = !c->is_head;
		http_put_own(b, STR("transfer-encoding"), STR("chunked"));
	}
}

static bool write_head(struct caller *c, const struct answer_head *h)
{
	struct buf b = HTTP_FIXED_BUF(gather.head, HEAD_MAX);
	bool cached = false;
	http_put_status(&b, (unsigned)h->status);
	if (h->content_type.n)
		http_put_header(&b, STR("content-type"), h->content_type);
	put_framing(c, &b, h);
	for (unsigned i = 0; i < h->n_headers; i++) {
		cached |= str_ieq(h->headers[i].name, STR("cache-control"));
		(i < h->n_own ? http_put_own : http_put_header)(&b, h->headers[i].name, h->headers[i].value);
	}
	if (!cached)
		http_put_own(&b, STR("cache-control"), STR("private, no-store"));
	if (h->event_stream)
		http_put_own(&b, STR("x-accel-buffering"), STR("no"));
	http_put_own(&b, STR("x-content-type-options"), STR("nosniff"));
	if (!c->keep_alive)
		http_put_own(&b, STR("connection"), STR("close"));
	else if (c->minor == 0)
		http_put_own(&b, STR("connection"), STR("keep-alive"));
	http_put_end(&b);
	gather.n_head = b.n;
	return !b.failed;
}

/* --- the contract --- */

static void read_body(struct client *client, struct body_reader *r)
{
	caller_body_wanted(caller_of(client), r);
}

static void more_body(struct client *client)
{
	caller_more_body(caller_of(client));
}

static bool begin(struct client *client, const struct answer_head *h)
{
	struct caller *c = caller_of(client);
	own_gather(c);
	gather.n_head = 0;
	/* A body that was announced and is not read makes the next request unfindable. */
	if (h->close || (c->has_body && !c->body_done && !c->accepted_body))
		c->keep_alive = false;
	if (!write_head(c, h)) {
		gather.n_head = 0;
		return false;
	}
	c->begun = true;
	if (h->event_stream)
		request_body_release(c);	/* a stream may last; its request's memory goes with the commit */
	c->answer_left = h->length >= 0 && !c->bodiless ? h->length : ANSWER_CHUNKED;
	return true;
}

static void write_parts(struct client *client, const struct str *parts, unsigned n)
{
	struct caller *c = caller_of(client);
	own_gather(c);
	for (unsigned i = 0; i < n; i++) {
		struct str part = c->answer_left >= 0 ? str_head(parts[i], (size_t)c->answer_left) : parts[i];
		if (part.n == 0 || c->bodiless)
			continue;
		if (gather.n == PARTS_MAX) {
			flush_gathered();
			own_gather(c);
		}
		gather.parts[gather.n++] = part;
		gather.total += part.n;
		c->sent += part.n;
		if (c->answer_left >= 0)
			c->answer_left -= (int64_t)part.n;
	}
}

static void flush(struct client *client)
{
	if (gather.owner == caller_of(client))
		flush_gathered();
}

static void abort_answer(struct client *client)
{
	struct caller *c = caller_of(client);
	c->txn = NULL;
	flush(client);
	io_reset_on_close(&c->io);
	caller_close(c);
}

static void end(struct client *client)
{
	struct caller *c = caller_of(client);
	if (!c->begun || c->answer_left > 0) {
		abort_answer(client);	/* shorter than its head says: the caller must not wait for the rest */
		return;
	}
	own_gather(c);
	c->ended = true;
	flush_gathered();
	caller_answered(c);
}

static size_t queued(const struct client *client)
{
	return container_of(client, const struct caller, client)->out.n;
}

static uint64_t sent(const struct client *client)
{
	return container_of(client, const struct caller, client)->sent;
}

const struct client_ops reply_ops = {
	.read_body = read_body, .more_body = more_body, .begin = begin, .write = write_parts, .flush = flush,
	.end = end, .abort = abort_answer, .queued = queued, .sent = sent,
};
