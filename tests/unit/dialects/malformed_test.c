/*
 * malformed_test.c: answers of every provider dialect with something wrong in them: cut, of other types, deep, huge, twice.
 *
 * Whatever comes is read without harm; what callers of any dialect are then given is well-formed; and no stream without its last
 * event, and no body that is not whole, is told as an answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/dialects/recordings.h"
#include "tests/unit/dialects/replay.h"
#include "wire/json_scan.h"

enum { VALUES_MOST = 4000, EVENTS_MOST = 400 };

#define DEEP "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
#define DEEP_END "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"

static const struct str wrong[] = {
	STR_INIT("\"\""), STR_INIT("\"x\""), STR_INIT("\"\\ud800\\u0000\\n\""), STR_INIT("7"), STR_INIT("-1"), STR_INIT("1.5"), STR_INIT("1e999"),
	STR_INIT("9223372036854775808"), STR_INIT("99999999999999999999999999999999"), STR_INIT("null"), STR_INIT("true"), STR_INIT("{}"), STR_INIT("[]"),
	STR_INIT("[null]"), STR_INIT("[{}]"), STR_INIT("{\"a\":{\"a\":[1,{\"a\":null}]}}"), STR_INIT(DEEP DEEP_END), STR_INIT(DEEP), STR_INIT("{\"type\":"),
	STR_INIT("\"no end"), STR_INIT("}"), STR_INIT(""),
};

static const char *const callers[] = { "openai", "anthropic", "openai-responses", "gemini" };

/* --- where something can be wrong --- */

struct places {
	struct str value[VALUES_MOST];
	unsigned n;
};

static void find_values(struct places *p, struct str v)
{
	struct json_cursor c;
	if (p->n < VALUES_MOST)
		p->value[p->n++] = v;
	if (json_cursor_open(&c, v))
		while (json_cursor_next(&c))
			find_values(p, c.value);
}

/* `text` with `value`, a span of it, replaced. */
static struct str spoilt(struct buf *b, struct str text, struct str value, struct str by)
{
	buf_clear(b);
	buf_add(b, str_head(text, (size_t)(value.p - text.p)));
	buf_add(b, by);
	buf_add(b, str_skip(text, (size_t)(value.p - text.p) + value.n));
	return buf_str(b);
}

/* The first member of an object once more, with null. */
static struct str doubled(struct buf *b, struct str text, struct str value)
{
	struct json_cursor c;
	if (json_type(value) != JSON_OBJECT || !json_cursor_open(&c, value) || !json_cursor_next(&c))
		return text;
	buf_clear(b);
	buf_add(b, str_head(text, (size_t)(value.p - text.p) + 1));
	buf_addf(b, "\"%.*s\":null,", STR_FMT(c.key));
	buf_add(b, str_skip(text, (size_t)(value.p - text.p) + 1));
	return buf_str(b);
}

/* --- plain answers --- */

/* True: there was an answer. */
static bool try_plain(const struct dialect *d, struct str body, struct buf *out)
{
	bool any = false;
	if (!json_scan_is_object(body))
		return false;	/* as the attempt finds it: broken */
	for (size_t i = 0; i < array_len(callers); i++) {
		buf_clear(out);
		json_t *said = replay_plain(d, body, dialect_find(str_c(callers[i])), out);
		any |= said != NULL;
		if (said && !out->failed && !json_scan_is_object(buf_str(out)))
			fail_msg("%s from %s\n%.*s\n%.*s", callers[i], d->name, STR_FMT(body), STR_FMT(buf_str(out)));
		json_decref(said);
	}
	return any;
}

static void spoil_plain(const struct dialect *d, struct str body)
{
	struct places *p = calloc(1, sizeof(*p));
	struct buf b = BUF_INIT(REPLAY_MAX), out = BUF_INIT(REPLAY_MAX);
	body = json_value(body);
	assert_true(try_plain(d, body, &out));
	for (size_t cut = 0; cut < body.n; cut++) {
		char *part = malloc(cut + 1);	/* of its own, so that a step beyond its end is seen */
		memcpy(part, body.p, cut);
		assert_false(try_plain(d, str_of(part, cut), &out));
		json_decref(replay_plain(d, str_of(part, cut), NULL, NULL));
		free(part);
	}
	find_values(p, body);
	for (unsigned i = 0; i < p->n; i++) {
		for (size_t j = 0; j < array_len(wrong); j++)
			try_plain(d, spoilt(&b, body, p->value[i], wrong[j]), &out);
		try_plain(d, doubled(&b, body, p->value[i]), &out);
	}
	buf_free(&b);
	buf_free(&out);
	free(p);
}

/* --- streams --- */

struct told {
	struct str name, data;
	unsigned values;	/* in the data; set when it was looked at */
};

struct events {
	struct arena arena;
	struct told event[EVENTS_MOST];
	unsigned n;
};

static void take_events(struct events *e, const struct recording *r)
{
	struct replay_frames f;
	struct sse_event ev;
	struct str in = r->answer;
	replay_frames_init(&f, r->binary);
	while (replay_next(&f, &in, &ev) == SSE_EVENT && e->n < EVENTS_MOST)
		if (!ev.comment)
			e->event[e->n++] = (struct told){ arena_copy(&e->arena, ev.name), arena_copy(&e->arena, ev.data), 0 };
	replay_frames_free(&f);
}

static void check_events(const struct buf *out, const struct dialect *d, const char *caller)
{
	struct str rest = buf_str(out);
	struct sse_event ev;
	struct sse s;
	sse_init(&s);
	while (sse_feed(&s, &rest, &ev) == SSE_EVENT)
		if (!str_eq(ev.data, STR("[DONE]")) && !json_scan_is_object(ev.data))
			fail_msg("%s from %s: %.*s", caller, d->name, STR_FMT(ev.raw));
	sse_free(&s);
}

/* With `data` instead of the one at `at` (beyond the end: all as they came), without those from `until` on. */
static bool try_stream(const struct dialect *d, const struct events *e, unsigned at, struct str data, unsigned until, const char *caller, struct buf *out)
{
	const struct dialect *to = dialect_find(str_c(caller));
	struct chat_writer *w = calloc(1, *to->chat->writer_size);
	struct replay r;
	buf_clear(out);
	w->in.take = to->chat->write_event;
	w->out = out;
	w->frame = (struct chat_frame){ .request_id = STR("req-1"), .model = STR("m"), .usage = true };
	replay_begin(&r, d, &w->in);
	for (unsigned i = 0; i < e->n && i < until; i++) {
		const struct sse_event ev = { .name = e->event[i].name, .data = i == at ? data : e->event[i].data };
		replay_event(&r, &ev);
	}
	bool whole = replay_end(&r, &w->in);
	if (!out->failed)
		check_events(out, d, caller);
	if (to->chat->writer_free)
		to->chat->writer_free(w);
	free(w);
	return whole;
}

/* Of pieces that look alike the first will do. */
static bool seen_before(const struct events *e, unsigned at)
{
	const struct told *t = &e->event[at];
	for (unsigned i = 0; i < at; i++)
		if (e->event[i].values == t->values && str_eq(e->event[i].name, t->name))
			return true;
	return false;
}

/* The reader is safe on any bytes, though an attempt gives it JSON only. */
static void read_blindly(const struct dialect *d, struct str name, struct str data)
{
	struct arena a = ARENA_INIT;
	struct chat_gather g;
	struct replay r;
	chat_gather_init(&g, &a, REPLAY_MAX);
	replay_begin(&r, d, &g.in);
	d->chat->read_event(r.reader, name, data);
	replay_end(&r, &g.in);
	arena_clear(&a);
}

static void spoil_event(const struct dialect *d, struct events *e, unsigned at, struct buf *b, struct buf *out)
{
	struct str data = e->event[at].data;
	struct places *p = calloc(1, sizeof(*p));
	find_values(p, json_value(data));
	e->event[at].values = p->n;
	if (seen_before(e, at)) {
		free(p);
		return;
	}
	for (unsigned i = 0; i < p->n; i++)
		for (size_t j = 0; j <= array_len(wrong); j++) {
			struct str by = j < array_len(wrong) ? spoilt(b, data, p->value[i], wrong[j]) : doubled(b, data, p->value[i]);
			try_stream(d, e, at, by, e->n, callers[(i + j) % array_len(callers)], out);
		}
	for (size_t cut = 0; cut < data.n; cut++) {
		char *part = malloc(cut + 1);
		memcpy(part, data.p, cut);
		try_stream(d, e, at, str_of(part, cut), e->n, callers[cut % array_len(callers)], out);
		read_blindly(d, e->event[at].name, str_of(part, cut));
		free(part);
	}
	free(p);
}

static bool says_end(const struct dialect *d, const struct told *t)
{
	struct event_view v = { .want_content = true };
	d->read_event(t->name, t->data, 0, &v);
	return v.finish || v.done;
}

static void spoil_stream(const struct dialect *d, const struct recording *r)
{
	struct events *e = calloc(1, sizeof(*e));
	struct buf b = BUF_INIT(REPLAY_MAX), out = BUF_INIT(REPLAY_MAX);
	unsigned end = 0;
	take_events(e, r);
	while (end < e->n && !says_end(d, &e->event[end]))
		end++;
	assert_true(end < e->n);
	for (size_t i = 0; i < array_len(callers); i++) {
		assert_true(try_stream(d, e, e->n, STR(""), e->n, callers[i], &out));
		for (unsigned until = 0; until <= end; until++)
			assert_false(try_stream(d, e, e->n, STR(""), until, callers[i], &out));
	}
	for (unsigned at = 0; at < e->n; at++)
		spoil_event(d, e, at, &b, &out);
	buf_free(&b);
	buf_free(&out);
	arena_clear(&e->arena);
	free(e);
}

/* --- one of each kind --- */

struct wanted {
	const char *file, *dialect, *endpoint;
	bool stream, done;
	const char *with;	/* in the answer */
	size_t most;
};

static void spoil(const struct recording *r, void *arg)
{
	struct wanted *w = arg;
	const struct dialect *d = dialect_find(str_c(w->dialect));
	if (w->done || r->status != 200 || r->stream != w->stream || r->answer.n > w->most || (!r->binary && !str_has(r->answer, str_c(w->with))) ||
	    !str_has(r->endpoint, str_c(w->endpoint)))
		return;
	w->done = true;
	if (r->stream)
		spoil_stream(d, r);
	else
		spoil_plain(d, r->answer);
}

#define AT "tests/cases/recordings/"

static void test_every_dialect(void **state)
{
	static struct wanted rows[] = {
		{ AT "openai.jsonl.gz", "openai", "chat", false, false, "tool_calls", 4000 },
		{ AT "openai.jsonl.gz", "openai", "chat", true, false, "tool_calls", 8000 },
		{ AT "mistral.jsonl.gz", "openai", "chat", true, false, "thinking", 60000 },
		{ AT "openai.jsonl.gz", "openai-responses", "responses", false, false, "function_call", 8000 },
		{ AT "openai.jsonl.gz", "openai-responses", "responses", true, false, "function_call", 16000 },
		{ AT "native/anthropic.jsonl.gz", "anthropic", "messages", false, false, "tool_use", 4000 },
		{ AT "native/anthropic.jsonl.gz", "anthropic", "messages", true, false, "tool_use", 8000 },
		{ AT "native/anthropic.jsonl.gz", "anthropic", "messages", true, false, "thinking_delta", 30000 },
		{ AT "native/gemini.jsonl.gz", "gemini", "generate", false, false, "functionCall", 8000 },
		{ AT "native/gemini.jsonl.gz", "gemini", "streamGenerate", true, false, "functionCall", 8000 },
		{ AT "native/bedrock.jsonl.gz", "bedrock", "converse", false, false, "toolUse", 4000 },
		{ AT "native/bedrock.jsonl.gz", "bedrock", "converse-stream", true, false, "", 6000 },
		{ AT "native/cohere.jsonl.gz", "cohere", "v2chat", false, false, "tool_calls", 6000 },
		{ AT "native/cohere.jsonl.gz", "cohere", "v2chat", true, false, "tool-call", 12000 },
	};
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		each_recording_of(rows[i].file, spoil, &rows[i]);
		if (!rows[i].done)
			fail_msg("%s: no such recording", rows[i].file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_dialect) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
