/*
 * openai_chat_test.c: what the events of chat and completions say, by hand and as vendors sent them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/call.h"
#include "core/dialect.h"
#include "tests/unit/dialects/recordings.h"
#include "wire/sse.h"

static const struct dialect *chat(void)
{
	return dialect_find(STR("openai"));
}

static struct event_view read_it(struct str name, struct str data, bool want_content)
{
	struct event_view v = { .want_content = want_content };
	chat()->read_event(name, data, 0, &v);
	return v;
}

enum says { CONTENT = 1, TEXT_ONLY = 2, FINISH = 4, DONE = 8, USAGE = 16, USAGE_ONLY = 32, ERROR = 64 };

static unsigned says(const struct event_view *v)
{
	return (v->content ? CONTENT : 0u) | (v->text_only ? TEXT_ONLY : 0u) | (v->finish ? FINISH : 0u) |
	       (v->done ? DONE : 0u) | (v->has_usage ? USAGE : 0u) | (v->usage_only ? USAGE_ONLY : 0u) |
	       (v->error ? ERROR : 0u);
}

struct row {
	struct str data;
	unsigned says;
	struct str text;
};

static void check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct event_view v = read_it(STR(""), rows[i].data, true);
		if (says(&v) != rows[i].says || !str_eq(v.text, rows[i].text))
			fail_msg("%.*s: says %u, text %.*s", STR_FMT(rows[i].data), says(&v), STR_FMT(v.text));
	}
}

static void test_content(void **state)
{
	static const struct row rows[] = {
		{ STR_INIT("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\\n\"},\"finish_reason\":null}]}"),
		  CONTENT | TEXT_ONLY, STR_INIT("a\\n") },
		{ STR_INIT("{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}"),
		  0, STR_INIT("") },
		{ STR_INIT("{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":null}}]}"),
		  0, STR_INIT("") },
		{ STR_INIT("{\"choices\":[{\"index\":0,\"delta\":{}}]}"), 0, STR_INIT("") },
		{ STR_INIT("{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}"), CONTENT | TEXT_ONLY, STR_INIT("a") },
		{ STR_INIT("{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"a\"}}]}"), CONTENT, STR_INIT("a") },
		{ STR_INIT("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\",\"tool_calls\":[]}}]}"),
		  CONTENT | TEXT_ONLY, STR_INIT("a") },
		{ STR_INIT("{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0}]}}]}"),
		  CONTENT, STR_INIT("") },
		{ STR_INIT("{\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"hm\"}}]}"),
		  CONTENT, STR_INIT("") },
		{ STR_INIT("{\"choices\":[{\"index\":0,\"delta\":{\"refusal\":\"no\",\"content\":\"a\"}}]}"),
		  CONTENT, STR_INIT("") },
		{ STR_INIT("{\"choices\":[{\"index\":0,\"delta\":{\"content\":[{\"type\":\"text\",\"text\":\"a\"}]}}]}"),
		  CONTENT, STR_INIT("") },
		/* completions */
		{ STR_INIT("{\"choices\":[{\"index\":0,\"text\":\"a\",\"finish_reason\":null}]}"), CONTENT, STR_INIT("") },
		{ STR_INIT("{\"choices\":[{\"index\":0,\"text\":\"\"}]}"), 0, STR_INIT("") },
	};
	(void)state;
	check(rows, array_len(rows));
}

static void test_ends(void **state)
{
	static const struct row rows[] = {
		{ STR_INIT("[DONE]"), DONE, STR_INIT("") },
		{ STR_INIT("{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}"), FINISH, STR_INIT("") },
		{ STR_INIT("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"z\"},\"finish_reason\": \"length\"}]}"),
		  CONTENT | TEXT_ONLY | FINISH, STR_INIT("z") },
		{ STR_INIT("{\"choices\":[{\"index\":0,\"text\":\"\",\"finish_reason\":\"\"}]}"), 0, STR_INIT("") },
	};
	(void)state;
	check(rows, array_len(rows));
}

static void test_usage(void **state)
{
	static const struct row rows[] = {
		{ STR_INIT("{\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}"),
		  USAGE | USAGE_ONLY, STR_INIT("") },
		{ STR_INIT("{\"choices\": [ ],\"usage\":{\"prompt_tokens\":9}}"), USAGE | USAGE_ONLY, STR_INIT("") },
		{ STR_INIT("{\"choices\":[],\"usage\":null}"), 0, STR_INIT("") },
		/* OpenRouter, DeepSeek: with the last choice; Groq: beside it */
		{ STR_INIT("{\"choices\":[{\"index\":0,\"delta\":{},"
				   "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9}}"),
		  USAGE | FINISH, STR_INIT("") },
		{ STR_INIT("{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],"
			   "\"x_groq\":{\"id\":\"r\",\"usage\":{\"prompt_tokens\":9}}}"), USAGE | FINISH, STR_INIT("") },
		{ STR_INIT("{\"choices\":[],\"x_groq\":{\"usage\":{\"prompt_tokens\":9}}}"), USAGE, STR_INIT("") },
	};
	(void)state;
	check(rows, array_len(rows));
}

static void test_errors_inside_a_stream(void **state)
{
	static const struct row rows[] = {
		{ STR_INIT("{\"error\":{\"message\":\"no\",\"code\":502},"
				   "\"choices\":[{\"delta\":{\"content\":\"a\"}}]}"), ERROR, STR_INIT("") },
		{ STR_INIT("{\"error\":\"no\"}"), ERROR, STR_INIT("") },
		{ STR_INIT("{\"error\":null,\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}"),
		  CONTENT | TEXT_ONLY, STR_INIT("a") },
	};
	(void)state;
	check(rows, array_len(rows));
}

/* A word of the answer's text is none of the format's. */
static void test_words_in_the_text(void **state)
{
	struct str data = STR("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"{\\\"error\\\":1,\\\"usage\\\":"
			      "{\\\"prompt_tokens\\\":5},\\\"finish_reason\\\":\\\"stop\\\"} [DONE]\"}}]}");
	(void)state;
	for (int want = 0; want < 2; want++) {
		struct event_view v = read_it(STR(""), data, want);
		assert_int_equal(says(&v) & ~TEXT_ONLY, CONTENT);
	}
}

/* Speech and transcriptions. */
static void test_typed_events(void **state)
{
	static const struct row rows[] = {
		{ STR_INIT("{\"type\":\"speech.audio.delta\",\"audio\":\"AA==\"}"), CONTENT, STR_INIT("") },
		{ STR_INIT("{\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":3}}"),
		  CONTENT | FINISH | USAGE, STR_INIT("") },
		{ STR_INIT("{\"type\":\"image_generation.completed\",\"b64_json\":\"AA==\"}"),
		  CONTENT | FINISH, STR_INIT("") },
	};
	(void)state;
	check(rows, array_len(rows));
}

static void test_nonsense(void **state)
{
	static const struct str rows[] = {
		STR_INIT(""), STR_INIT("{"), STR_INIT("[]"), STR_INIT("{\"choices\":"),
		STR_INIT("{\"choices\":[{"), STR_INIT("null"),
		STR_INIT("{\"choices\":{\"delta\":1}}"), STR_INIT("{\"choices\":[1,null,[]]}"),
		STR_INIT("{\"error\":"),
		STR_INIT("{\"usage\":{\"prompt_tokens\":"), STR_INIT("\xFF\"choices\""),
	};
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		for (int want = 0; want < 2; want++) {
			struct event_view v = read_it(STR(""), rows[i], want);
			assert_false(v.has_usage || v.done || v.text_only);
		}
}

/* --- recorded streams --- */

struct heard {
	unsigned streams, content, finish, done, usage_only;
	bool error;
	struct usage usage;
};

/* The look that saves work must not miss what matters. */
static void check_event(const struct sse_event *e, struct heard *h)
{
	struct event_view v = read_it(e->name, e->data, true), cheap = read_it(e->name, e->data, false);
	unsigned exact = FINISH | DONE | USAGE | USAGE_ONLY | ERROR;
	assert_int_equal(says(&v) & exact, says(&cheap) & exact);
	assert_true(cheap.content || !v.content);
	assert_true(!v.text_only || v.text.n);
	h->content += v.content;
	h->finish += v.finish;
	h->done += v.done;
	h->usage_only += v.usage_only;
	h->error |= v.error;
	if (v.has_usage)
		h->usage = v.usage;
}

static void check_stream(const struct recording *r, void *arg)
{
	unsigned *streams = arg;
	struct heard h = { 0 };
	struct str in = r->answer;
	struct sse_event e;
	struct sse s;
	if (!r->stream || r->status != 200 || str_eq(r->endpoint, STR("responses")))
		return;
	sse_init(&s);
	while (sse_feed(&s, &in, &e) == SSE_EVENT)
		if (!e.comment)
			check_event(&e, &h);
	if (sse_end(&s, &e) == SSE_EVENT)
		check_event(&e, &h);
	sse_free(&s);
	bool ended = h.finish && (h.done == 1 || str_eq(r->vendor, STR("perplexity")));
	if (!h.error && (!ended || !h.content || h.usage_only > 1))
		fail_msg("%.*s: %u content, %u finish, %u done", STR_FMT(r->name), h.content, h.finish, h.done);
	++*streams;
}

static void test_recorded_streams(void **state)
{
	unsigned streams = 0;
	(void)state;
	each_recording(check_stream, &streams);
	assert_true(streams > 140);
}

/* --- what is written --- */

static void test_errors_are_written(void **state)
{
	struct error e = { .kind = ERR_NO_MODEL, .message = STR("There is no \"x\"."), .param = STR("model") };
	struct buf b = BUF_INIT(4096);
	(void)state;
	chat()->write_error(&b, &e, STR("r1"));
	assert_true(str_eq(buf_str(&b),
		STR("{\"error\":{\"message\":\"There is no \\\"x\\\".\",\"type\":\"invalid_request_error\","
					    "\"param\":\"model\",\"code\":\"model_not_found\"}}")));
	buf_clear(&b);
	e = (struct error){ .kind = ERR_BAD_REQUEST, .message = STR("a\nb"), .code = STR("c\"") };
	chat()->write_error_event(&b, &e, STR("r1"));
	assert_true(str_eq(buf_str(&b),
		STR("data: {\"error\":{\"message\":\"a\\nb\",\"type\":\"invalid_request_error\","
					    "\"param\":null,\"code\":\"c\\\"\"}}\n\n")));
	buf_clear(&b);
	e = (struct error){ .kind = ERR_BAD_REQUEST };
	chat()->write_error(&b, &e, STR("r1"));
	assert_true(str_ends(buf_str(&b), STR("\"param\":null,\"code\":null}}")));
	assert_true(str_eq(chat()->done, STR("data: [DONE]\n\n")));
	buf_free(&b);
}

static void test_names(void **state)
{
	(void)state;
	assert_non_null(chat());
	assert_ptr_not_equal(dialect_find(STR("openai-responses")), chat());
	assert_non_null(dialect_find(STR("openai-responses")));
	assert_null(dialect_find(STR("open")));
	assert_null(dialect_find(STR("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_content), cmocka_unit_test(test_ends), cmocka_unit_test(test_usage),
		cmocka_unit_test(test_errors_inside_a_stream), cmocka_unit_test(test_words_in_the_text),
		cmocka_unit_test(test_typed_events), cmocka_unit_test(test_nonsense), cmocka_unit_test(test_recorded_streams),
		cmocka_unit_test(test_errors_are_written), cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
