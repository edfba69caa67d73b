/*
 * fetch.c: one request, one answer held whole.
 */
#include "upstream/fetch.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "upstream/transport.h"
#include "wire/http_parser.h"

static const int64_t CONNECT_US = 5 * SECOND_US;

struct fetch {
	struct list link;
	struct exchange *exchange;
	struct arena arena;
	struct iovec parts[2];
	struct buf answer;
	int status;
	void (*done)(void *owner, int status, struct str body, const char *failure);
	void *owner;
};

static _Thread_local struct loop *loop;
static _Thread_local struct transport_state *state;
static _Thread_local struct list running;

static void fetch_free(struct fetch *f)
{
	list_remove(&f->link);
	buf_free(&f->answer);
	arena_clear(&f->arena);
	free(f);
}

static void finish(struct fetch *f, const char *failure)
{
	f->done(f->owner, failure ? 0 : f->status, failure ? STR_NONE : buf_str(&f->answer), failure);
	fetch_free(f);
}

static void on_head(void *owner, const struct http_head *head)
{
	((struct fetch *)owner)->status = head->status;
}

static bool on_body(void *owner, struct str bytes, bool more)
{
	(void)more;
	buf_add(&((struct fetch *)owner)->answer, bytes);
	return true;
}

static void on_end(void *owner)
{
	struct fetch *f = owner;
	finish(f, f->answer.failed ? "its answer is too large" : NULL);
}

static void on_fail(void *owner, enum transport_failure failure, bool unprocessed, const char *why)
{
	static const char *const words[] = {
		[TRANSPORT_RESOLVE] = "its name has no address", [TRANSPORT_FORBIDDEN] = "its address is private",
		[TRANSPORT_CONNECT] = "no connection", [TRANSPORT_TLS] = "TLS failed", [TRANSPORT_RESET] = "the answer was cut",
		[TRANSPORT_PROTOCOL] = "the answer is not HTTP", [TRANSPORT_TOO_LARGE] = "the answer's head is too large",
		[TRANSPORT_MEMORY] = "no memory",
	};
	(void)unprocessed, (void)why;
	finish(owner, words[failure]);
}

static const struct transport_events events = { .on_head = on_head, .on_body = on_body, .on_end = on_end, .on_fail = on_fail };

static const char *method_name(enum http_method m)
{
	return m == HTTP_POST ? "POST" : m == HTTP_PUT ? "PUT" : m == HTTP_DELETE ? "DELETE" : "GET";
}

static struct fetch *start(const struct fetch_request *q)
{
	struct fetch *f = mem_alloc(sizeof(*f));
	struct str head = arena_printf(&f->arena, "%s %.*s HTTP/1.1\r\nhost: %.*s\r\nuser-agent: weir/" WEIR_VERSION "\r\n%.*s"
				       "content-length: %zu\r\n\r\n", method_name(q->method), STR_FMT(q->path),
				       STR_FMT(q->origin->host_header), STR_FMT(q->headers), q->body.n);
	struct str body = arena_copy(&f->arena, q->body);
	f->parts[0] = (struct iovec){ (void *)(uintptr_t)head.p, head.n };
	f->parts[1] = (struct iovec){ (void *)(uintptr_t)body.p, body.n };
	buf_init(&f->answer, q->answer_max);
	f->done = q->done;
	f->owner = q->owner;
	if (!state)
		state = curl_transport.open(loop);
	list_append(&running, &f->link);
	struct transport_call call = { .origin = q->origin, .method = q->method, .parts = f->parts, .n_parts = body.n ? 2 : 1,
				       .connect_us = CONNECT_US, .events = &events, .owner = f };
	f->exchange = curl_transport.start(state, &call);
	return f;
}

static void cancel(struct fetch *f)
{
	curl_transport.cancel(f->exchange);
	fetch_free(f);
}

const struct fetch_ops fetch_ops = { .start = start, .cancel = cancel };

void fetch_open(struct loop *l)
{
	loop = l;
	list_init(&running);
}

void fetch_close(void)
{
	while (!list_empty(&running))
		cancel(list_entry(running.next, struct fetch, link));
	if (state)
		curl_transport.close(state);
	state = NULL;
}
