/*
 * demo_transport.c: the demonstration provider, behind the transports' contract.
 *
 * It is there when no provider is configured, or nothing at all, so that the first request of a
 * newcomer is answered. It speaks OpenAI's chat format, streams word by word, and reports
 * token counts by its own simple rule: one word is one token.
 */
#include "upstream/demo_transport.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "wire/http_parser.h"
#include "wire/json_cursor.h"

enum { REQUEST_MAX = 64 * 1024 * 1024, ANSWER_MAX = 4 * 1024 * 1024, ECHO_MAX = 64 * 1024 };
static const int64_t WORD_US = 15 * MS_US;

struct transport_state {
	struct loop *loop;
};

struct exchange {
	const struct transport_events *events;
	void *owner;
	struct timer timer;
	struct buf answer;	/* head and body */
	size_t at;		/* passed on so far */
	bool head_done, paused, stream;
};

static struct transport_state *demo_open(struct loop *l)
{
	struct transport_state *s = mem_alloc(sizeof(*s));
	s->loop = l;
	return s;
}

static void demo_close(struct transport_state *s)
{
	free(s);
}

/* --- what it says --- */

static struct str last_text(struct arena *a, struct str body)
{
	struct json_cursor c, parts;
	struct str content = STR_NONE;
	if (!json_cursor_open(&c, json_get(body, STR("messages"))))
		return json_text(a, json_get(body, STR("prompt")));
	while (json_cursor_next(&c))
		if (json_is(json_get(c.value, STR("role")), STR("user")))
			content = json_get(c.value, STR("content"));
	if (json_type(content) == JSON_ARRAY && json_cursor_open(&parts, content))
		while (json_cursor_next(&parts))
			if (json_get(parts.value, STR("text")).p)
				content = json_get(parts.value, STR("text"));
	return str_head(json_text(a, content), ECHO_MAX);
}

static unsigned words_in(struct str text)
{
	unsigned n = 0;
	struct str word;
	while (str_split(&text, ' ', &word))
		n += word.n > 0;
	return n;
}

static void add_usage(struct buf *b, struct str question, struct str answer)
{
	unsigned in = words_in(question), out = words_in(answer);
	buf_addf(b, "\"usage\":{\"prompt_tokens\":%u,\"completion_tokens\":%u,\"total_tokens\":%u}", in, out, in + out);
}

static void add_head(struct buf *b, const char *type, size_t length)
{
	buf_addf(b, "HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %zu\r\n\r\n", type, length);
}

static void plain_answer(struct buf *b, struct str question, struct str answer)
{
	buf_addf(b, "{\"id\":\"chatcmpl-demo\",\"object\":\"chat.completion\",\"created\":%lld,\"model\":\"echo\","
		 "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":",
		 (long long)(clock_wall_us() / SECOND_US));
	buf_add_json(b, answer);
	buf_add(b, STR("},\"finish_reason\":\"stop\"}],"));
	add_usage(b, question, answer);
	buf_add(b, STR("}\n"));
}

static void add_chunk(struct buf *b, const char *before, struct str text, const char *after)
{
	buf_addf(b, "data: {\"id\":\"chatcmpl-demo\",\"object\":\"chat.completion.chunk\",\"created\":%lld,"
		 "\"model\":\"echo\",\"choices\":[{\"index\":0,\"delta\":%s", (long long)(clock_wall_us() / SECOND_US), before);
	if (text.p)
		buf_add_json(b, text);
	buf_addf(b, "%s}]}\n\n", after);
}

static void stream_answer(struct buf *b, struct str question, struct str answer)
{
	struct str rest = answer, word;
	add_chunk(b, "{\"role\":\"assistant\",\"content\":\"\"}", STR_NONE, ",\"finish_reason\":null");
	while (str_split(&rest, ' ', &word)) {
		if (rest.p)
			word.n++;	/* the blank belongs to the word before it */
		add_chunk(b, "{\"content\":", word, "},\"finish_reason\":null");
	}
	add_chunk(b, "{}", STR_NONE, ",\"finish_reason\":\"stop\"");
	buf_addf(b, "data: {\"id\":\"chatcmpl-demo\",\"object\":\"chat.completion.chunk\",\"created\":0,\"model\":\"echo\","
		 "\"choices\":[],");
	add_usage(b, question, answer);
	buf_add(b, STR("}\n\ndata: [DONE]\n\n"));
}

static void write_answer(struct exchange *x, struct str body)
{
	struct arena a = ARENA_INIT;
	struct buf text = BUF_INIT(ANSWER_MAX);
	struct str question = last_text(&a, body);
	struct str answer = arena_printf(&a, "weir is running. This is its own echo, no provider was asked: %.*s",
					 STR_FMT(question));
	x->stream = json_type(json_get(body, STR("stream"))) == JSON_TRUE;
	if (x->stream)
		stream_answer(&text, question, answer);
	else
		plain_answer(&text, question, answer);
	add_head(&x->answer, x->stream ? "text/event-stream" : "application/json", text.n);
	buf_add(&x->answer, buf_str(&text));
	buf_free(&text);
	arena_clear(&a);
}

/* --- the exchange --- */

static void release(struct exchange *x)
{
	timer_close(&x->timer);
	buf_free(&x->answer);
	free(x);
}

static void pass_head(struct exchange *x)
{
	static _Thread_local struct http_head head;
	struct http_parser parser = { 0 };
	x->head_done = true;
	if (http_response_parse(&parser, buf_str(&x->answer), &http_response_limits, HTTP_POST, &head) != HTTP_DONE)
		return;
	x->at = head.size;
	x->events->on_head(x->owner, &head);
}

/* One event of a stream, or all of a plain answer. */
static size_t next_piece(const struct exchange *x)
{
	struct str rest = str_skip(buf_str(&x->answer), x->at);
	ptrdiff_t end = x->stream ? str_find(rest, STR("\n\n")) : -1;
	return end < 0 ? rest.n : (size_t)end + 2;
}

static void on_timer(struct timer *t)
{
	struct exchange *x = container_of(t, struct exchange, timer);
	const struct transport_events *events = x->events;
	void *owner = x->owner;
	timer_in(t, WORD_US);	/* before the callbacks, which may cancel */
	if (!x->head_done) {
		pass_head(x);
		return;
	}
	if (x->paused)
		return;
	size_t n = next_piece(x);
	if (n == 0) {
		release(x);
		events->on_end(owner);
		return;
	}
	struct str piece = str_of(x->answer.p + x->at, n);
	x->at += n;
	if (!events->on_body(owner, piece, false))
		x->paused = true;	/* an exchange cancelled in the callback returns true */
}

static struct exchange *demo_start(struct transport_state *s, const struct transport_call *call)
{
	struct exchange *x = mem_alloc(sizeof(*x));
	struct buf request = BUF_INIT(REQUEST_MAX);
	x->events = call->events;
	x->owner = call->owner;
	buf_init(&x->answer, 2 * ANSWER_MAX);
	for (int i = 1; i < call->n_parts; i++)
		buf_add(&request, str_of(call->parts[i].iov_base, call->parts[i].iov_len));
	write_answer(x, json_value(buf_str(&request)));
	buf_free(&request);
	timer_open(&x->timer, s->loop, on_timer);
	timer_in(&x->timer, 0);
	return x;
}

static bool demo_send(struct exchange *x, struct str bytes, bool last)
{
	(void)x, (void)bytes, (void)last;
	return true;
}

static void demo_resume(struct exchange *x)
{
	x->paused = false;
}

static void demo_cancel(struct exchange *x)
{
	release(x);
}

const struct transport demo_transport = {
	.name = "demo", .open = demo_open, .close = demo_close, .start = demo_start, .send = demo_send,
	.resume = demo_resume, .cancel = demo_cancel,
};
