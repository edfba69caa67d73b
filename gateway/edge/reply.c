/*
 * reply.c: answers onto the wire.
 *
 * Written parts are borrowed and gathered, and leave in one system call at flush: head and
 * body of a plain answer together, all events of one read as one chunk. Only what the socket
 * refuses is copied. The gathering place is one per thread: a connection that begins to write
 * flushes the one before it, so a quiet stream holds no buffer.
 */
#include <stdio.h>

#include "edge/connection.h"
#include "edge/request_body.h"
#include "wire/http_write.h"

enum { PARTS_MAX = 60, HEAD_MAX = 8 * 1024, OUT_MAX = 16 * 1024 * 1024 };

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
	c->begun = c->ended = c->chunked_answer = c->want_drain = false;
	c->sent = 0;
}

/* --- onto the wire --- */

static void arm_stall(struct caller *c)
{
	timer_in(&c->timer, c->service->settings(c->service->owner)->write_stall_us);
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
	timer_stop(&c->timer);
	buf_free(&c->out);
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
	if (c->out.n == 0)
		return true;
	if (!c->watch.writing)
		arm_stall(c);
	watch_write(&c->watch, true);
	return true;
}

static void add(struct iovec *v, int *n, struct str s)
{
	if (s.n)
		v[(*n)++] = (struct iovec){ (void *)(uintptr_t)s.p, s.n };
}

static void flush_gathered(void)
{
	struct caller *c = gather.owner;
	struct iovec v[PARTS_MAX + 4];
	char size[24];
	int n = 0;
	bool chunk = c->chunked_answer && gather.total > 0;
	gather.owner = NULL;
	add(v, &n, str_of(gather.head, gather.n_head));
	if (chunk)
		add(v, &n, str_of(size, (size_t)snprintf(size, sizeof(size), "%zx\r\n", gather.total)));
	for (unsigned i = 0; i < gather.n; i++)
		add(v, &n, gather.parts[i]);
	if (chunk)
		add(v, &n, STR("\r\n"));
	if (c->chunked_answer && c->ended)
		add(v, &n, STR("0\r\n\r\n"));
	if (n && c->state != CALLER_CLOSED && !send_parts(c, v, n))
		caller_broken(c);
}

void reply_raw(struct caller *c, struct str bytes)
{
	struct iovec v = { (void *)(uintptr_t)bytes.p, bytes.n };
	if (!send_parts(c, &v, 1))
		caller_broken(c);
}

/* --- heads --- */

static bool add_text(struct str s)
{
	if (s.n > HEAD_MAX - gather.n_head)
		return false;
	memcpy(gather.head + gather.n_head, s.p, s.n);
	gather.n_head += s.n;
	return true;
}

static bool is_clean(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t')
			return false;
	return true;
}

static bool add_header(struct str name, struct str value)
{
	return is_clean(name) && is_clean(value) && str_chr(name, ':') < 0 && add_text(name) && add_text(STR(": ")) &&
	       add_text(value) && add_text(STR("\r\n"));
}

static bool add_framing(struct caller *c, const struct answer_head *h)
{
	char length[24];
	bool none = h->status == 204 || h->status == 304 || h->status < 200;
	c->chunked_answer = false;
	if (none)
		return true;
	if (h->length >= 0)
		return add_header(STR("content-length"),
				  str_of(length, (size_t)snprintf(length, sizeof(length), "%lld", (long long)h->length)));
	c->chunked_answer = c->minor == 1 && !c->is_head;
	if (c->minor == 0)
		c->keep_alive = false;	/* the end of the connection is the end of the body */
	return c->minor == 0 || add_header(STR("transfer-encoding"), STR("chunked"));
}

static bool write_head(struct caller *c, const struct answer_head *h)
{
	struct buf line = HTTP_FIXED_BUF(gather.head, HEAD_MAX);
	bool good = http_put_status(&line, (unsigned)h->status);
	gather.n_head = line.n;
	if (h->content_type.n)
		good = good && add_header(STR("content-type"), h->content_type);
	good = good && add_framing(c, h);
	for (unsigned i = 0; i < h->n_headers; i++)
		good = good && add_header(h->headers[i].name, h->headers[i].value);
	good = good && add_text(h->event_stream ? STR("cache-control: no-cache\r\nx-accel-buffering: no\r\n") :
				STR("cache-control: no-store\r\n"));
	good = good && add_text(STR("x-content-type-options: nosniff\r\n"));
	if (!c->keep_alive)
		good = good && add_text(STR("connection: close\r\n"));
	else if (c->minor == 0)
		good = good && add_text(STR("connection: keep-alive\r\n"));
	return good && add_text(STR("\r\n"));
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
	return true;
}

static void write_parts(struct client *client, const struct str *parts, unsigned n)
{
	struct caller *c = caller_of(client);
	own_gather(c);
	for (unsigned i = 0; i < n; i++) {
		if (parts[i].n == 0 || c->is_head)
			continue;
		if (gather.n == PARTS_MAX) {
			flush_gathered();
			own_gather(c);
		}
		gather.parts[gather.n++] = parts[i];
		gather.total += parts[i].n;
		c->sent += parts[i].n;
	}
}

static void flush(struct client *client)
{
	if (gather.owner == caller_of(client))
		flush_gathered();
}

static void end(struct client *client)
{
	struct caller *c = caller_of(client);
	own_gather(c);
	c->ended = true;
	flush_gathered();
	caller_answered(c);
}

static void abort_answer(struct client *client)
{
	struct caller *c = caller_of(client);
	flush(client);
	c->txn = NULL;
	io_reset_on_close(&c->io);
	caller_close(c);
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
