/*
 * transport_client.h: a caller of a transport, for tests: starts exchanges, runs the loop
 * until they end, and records what came.
 */
#ifndef WEIR_TESTS_TRANSPORT_CLIENT_H
#define WEIR_TESTS_TRANSPORT_CLIENT_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/resolver.h"
#include "upstream/transport.h"
#include "wire/http_parser.h"

struct answer {
	unsigned status;
	char content_type[64];
	struct buf body;
	unsigned connected, heads, slices, writables;
	bool more;			/* of the last slice */
	bool ended, failed, unprocessed, timed_out;
	enum transport_failure failure;
	char why[200];
};

struct client {
	const struct transport *transport;
	struct transport_state *state;
	struct loop loop;
	struct origin origin;
	struct exchange *exchange;
	struct transport_call call;
	struct iovec parts[4];
	char head[1024];
	struct answer answer;
	struct timer guard;
	bool stop_at_head;		/* leaves the loop there */
	bool stop_at_body;
	bool pausing;			/* refuses each slice, resumes in the loop's next turn */
	bool holding;			/* refuses, and does not resume */
	size_t upload, uploaded;	/* streamed */
};

static inline void client_stop(struct client *c)
{
	c->exchange = NULL;
	loop_stop(&c->loop);
}

static inline void note_connected(void *owner)
{
	((struct client *)owner)->answer.connected++;
}

static inline void note_head(void *owner, const struct http_head *head)
{
	struct client *c = owner;
	struct str type = http_header(head, HTTP_H_CONTENT_TYPE);
	c->answer.heads++;
	c->answer.status = head->status;
	snprintf(c->answer.content_type, sizeof(c->answer.content_type), "%.*s", STR_FMT(type));
	if (c->stop_at_head)
		loop_stop(&c->loop);
}

static inline void pause_over(void *arg)
{
	struct client *c = arg;
	if (c->exchange)
		c->transport->resume(c->exchange);
}

static inline bool note_body(void *owner, struct str bytes, bool more)
{
	struct client *c = owner;
	assert_true(bytes.n > 0);
	assert_true(buf_add(&c->answer.body, bytes));
	c->answer.slices++;
	c->answer.more = more;
	if (c->stop_at_body)
		loop_stop(&c->loop);
	if (c->pausing)
		loop_post(&c->loop, pause_over, c);
	return !c->pausing && !c->holding;
}

static inline void note_end(void *owner)
{
	struct client *c = owner;
	c->answer.ended = true;
	client_stop(c);
}

static inline void note_fail(void *owner, enum transport_failure f, bool unprocessed, const char *why)
{
	struct client *c = owner;
	c->answer.failed = true;
	c->answer.failure = f;
	c->answer.unprocessed = unprocessed;
	snprintf(c->answer.why, sizeof(c->answer.why), "%s", why);
	client_stop(c);
}

static inline void note_writable(void *owner)
{
	static const char block[64 * 1024];
	struct client *c = owner;
	bool more = true;
	c->answer.writables++;
	while (more && c->uploaded < c->upload) {
		size_t n = c->upload - c->uploaded < sizeof(block) ? c->upload - c->uploaded : sizeof(block);
		c->uploaded += n;
		more = c->transport->send(c->exchange, str_of(block, n), c->uploaded == c->upload);
	}
}

static const struct transport_events client_events = {
	.on_connected = note_connected, .on_head = note_head, .on_body = note_body, .on_end = note_end,
	.on_fail = note_fail, .on_writable = note_writable,
};

static inline void guard_fired(struct timer *t)
{
	struct client *c = container_of(t, struct client, guard);
	c->answer.timed_out = true;
	loop_stop(&c->loop);
}

static inline void client_open(struct client *c, const struct transport *t)
{
	*c = (struct client){ .transport = t };
	assert_true(loop_open(&c->loop));
	timer_open(&c->guard, &c->loop, guard_fired);
	c->state = t->open(&c->loop);
	buf_init(&c->answer.body, 64 << 20);
}

static inline void client_close(struct client *c)
{
	c->transport->close(c->state);
	timer_close(&c->guard);
	loop_close(&c->loop);
	buf_free(&c->answer.body);
}

static inline void client_origin(struct client *c, const char *host, uint16_t port)
{
	c->origin = (struct origin){ .host = str_c(host), .port = port, .host_header = str_c(host),
				     .allow_private = true };
	c->origin.resolved = resolver_row(c->origin.host, port);
}

static inline void begin_start(void *arg)
{
	struct client *c = arg;
	c->exchange = c->transport->start(c->state, &c->call);
	assert_non_null(c->exchange);
	assert_false(c->answer.ended || c->answer.failed || c->answer.heads || c->answer.connected);
}

/* Runs until the exchange ends, the loop is stopped by a flag, or 10 s have gone. */
static inline void client_run(struct client *c)
{
	timer_in(&c->guard, 10 * SECOND_US);
	loop_run(&c->loop);
	timer_stop(&c->guard);
	assert_false(c->answer.timed_out);
}

static inline void client_begin(struct client *c, enum http_method method, const char *path, struct str body)
{
	buf_clear(&c->answer.body);
	c->answer = (struct answer){ .body = c->answer.body };
	size_t length = c->upload ? c->upload : body.n;
	snprintf(c->head, sizeof(c->head), "%.*s %s HTTP/1.1\r\nhost: %.*s\r\ncontent-length: %zu\r\n\r\n",
		 STR_FMT(http_method_name(method)), path, STR_FMT(c->origin.host_header), length);
	c->parts[0] = (struct iovec){ c->head, strlen(c->head) };
	c->parts[1] = (struct iovec){ (char *)(uintptr_t)body.p, body.n / 2 };
	c->parts[2] = (struct iovec){ (char *)(uintptr_t)body.p, 0 };
	c->parts[3] = (struct iovec){ (char *)(uintptr_t)body.p + body.n / 2, body.n - body.n / 2 };
	c->call = (struct transport_call){ .origin = &c->origin, .method = method, .parts = c->parts,
		.n_parts = c->upload ? 1 : 4, .streamed = c->upload > 0, .connect_us = 5 * SECOND_US,
		.events = &client_events, .owner = c };
	loop_post(&c->loop, begin_start, c);
}

static inline void client_ask(struct client *c, enum http_method method, const char *path, struct str body)
{
	client_begin(c, method, path, body);
	client_run(c);
}

static inline void client_get(struct client *c)
{
	client_ask(c, HTTP_GET, "/", STR_NONE);
}

static inline void assert_answer(struct client *c, unsigned status, struct str body)
{
	if (c->answer.failed)
		fail_msg("failed: %d %s", (int)c->answer.failure, c->answer.why);
	assert_true(c->answer.ended);
	assert_int_equal(c->answer.heads, 1);
	assert_int_equal(c->answer.status, status);
	assert_int_equal(c->answer.body.n, body.n);
	if (body.n)
		assert_memory_equal(c->answer.body.p, body.p, body.n);
}

static inline void assert_failed(struct client *c, enum transport_failure f, bool unprocessed)
{
	assert_true(c->answer.failed);
	if (c->answer.failure != f)
		fail_msg("failure %d, not %d: %s", (int)c->answer.failure, (int)f, c->answer.why);
	assert_int_equal(c->answer.unprocessed, unprocessed);
	assert_true(c->answer.why[0]);
}

#endif
