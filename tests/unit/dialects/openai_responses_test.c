/*
 * openai_responses_test.c: what the events of Responses say, by hand and as vendors sent them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/dialect.h"
#include "tests/unit/dialects/recordings.h"
#include "wire/json_scan.h"
#include "wire/sse.h"

static const struct dialect *responses(void)
{
	return dialect_find(STR("openai-responses"));
}

static struct event_view read_it(struct str name, struct str data)
{
	struct event_view v = { .want_content = true };
	responses()->read_event(name, data, 0, &v);
	return v;
}

static void test_kinds(void **state)
{
	static const struct { struct str type; bool content, finish, error; } rows[] = {
		{ STR_INIT("response.created"), false, false, false },
		{ STR_INIT("response.queued"), false, false, false },
		{ STR_INIT("response.in_progress"), false, false, false },
		{ STR_INIT("keepalive"), false, false, false },
		{ STR_INIT("response.output_item.added"), false, false, false },
		{ STR_INIT("response.content_part.added"), false, false, false },
		{ STR_INIT("response.output_text.delta"), true, false, false },
		{ STR_INIT("response.function_call_arguments.delta"), true, false, false },
		{ STR_INIT("response.something.new"), true, false, false },
		{ STR_INIT("response.completed"), true, true, false },
		{ STR_INIT("response.incomplete"), true, true, false },
		{ STR_INIT("response.failed"), false, true, true }, { STR_INIT("error"), false, false, true },
	};
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct buf data = BUF_INIT(1024);
		buf_addf(&data, "{\"sequence_number\":1,\"type\":\"%.*s\"}", STR_FMT(rows[i].type));
		struct event_view named = read_it(rows[i].type, STR("{}")), typed = read_it(STR(""), buf_str(&data));
		assert_int_equal(named.content, rows[i].content);
		assert_int_equal(named.finish, rows[i].finish);
		assert_int_equal(named.error, rows[i].error);
		assert_memory_equal(&named, &typed, sizeof(named));
		buf_free(&data);
	}
}

static void test_usage_and_end(void **state)
{
	struct event_view v = read_it(STR("response.completed"), STR("{\"response\":{\"usage\":{\"input_tokens\":5,"
								     "\"output_tokens\":2,\"total_tokens\":7}}}"));
	(void)state;
	assert_true(v.has_usage && v.usage.input == 5 && v.usage.output == 2);
	v = read_it(STR("response.output_text.delta"), STR("{\"response\":{\"usage\":{\"input_tokens\":5}}}"));
	assert_false(v.has_usage);
	v = read_it(STR("response.completed"), STR("{\"response\":{\"usage\":null}}"));
	assert_true(v.finish && !v.has_usage);
	v = read_it(STR(""), STR("[DONE]"));
	assert_true(v.done && !v.content);
	assert_int_equal(responses()->done.n, 0);
}

static void test_nonsense(void **state)
{
	static const struct str rows[] = { STR_INIT(""), STR_INIT("{"), STR_INIT("[]"),
		STR_INIT("{\"type\":1}"), STR_INIT("null"),
	};
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct event_view v = read_it(STR(""), rows[i]);
		assert_false(v.finish || v.done || v.has_usage || v.error);
	}
}

static void means(struct str event, enum error_kind kind, struct str message)
{
	struct provider_error e;
	responses()->read_error(200, event, &e);
	assert_int_equal(e.kind, kind);
	assert_true(str_eq(e.message, message));
}

static void test_errors_inside_a_stream(void **state)
{
	(void)state;
	means(STR("{\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"rate_limit_exceeded\","
			   "\"message\":\"a\"}}}"),
	      ERR_UPSTREAM_RATE_LIMIT, STR("a"));
	means(STR("{\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"server_error\","
			   "\"message\":\"a\"}}}"),
	      ERR_UPSTREAM_BROKEN, STR("a"));
	means(STR("{\"type\":\"error\",\"code\":\"context_length_exceeded\",\"message\":\"a\"}"),
		ERR_CONTEXT_LENGTH, STR("a"));
	means(STR("{\"type\":\"error\",\"error\":{\"type\":\"server_error\",\"message\":\"a\"}}"),
		ERR_UPSTREAM_BROKEN, STR("a"));
	means(STR("{\"response\":{}}"), ERR_UPSTREAM_BROKEN, STR(""));
}

/* Ours, and by the same reader an error again. */
static void test_a_break_is_written(void **state)
{
	struct error e = { .kind = ERR_UPSTREAM_BROKEN, .message = STR("It \"broke\".\n") };
	struct buf b = BUF_INIT(4096);
	struct arena a = ARENA_INIT;
	struct sse_event event;
	struct json_scan scan;
	struct sse s;
	(void)state;
	responses()->write_error_event(&b, &e, STR("req-1"));
	struct str in = buf_str(&b);
	sse_init(&s);
	assert_int_equal(sse_feed(&s, &in, &event), SSE_EVENT);
	assert_int_equal(in.n, 0);
	json_scan_init(&scan, &a);
	assert_int_equal(json_scan_feed(&scan, event.data.p, event.data.n, true), JSON_DONE);
	struct event_view v = read_it(event.name, event.data);
	assert_true(v.error && v.finish);
	means(event.data, ERR_UPSTREAM_BROKEN, STR("It \\\"broke\\\".\\n"));
	sse_free(&s);
	arena_clear(&a);
	buf_free(&b);
}

/* --- recorded streams --- */

static void check_stream(const struct recording *r, void *arg)
{
	unsigned *streams = arg, content = 0, finish = 0, usage = 0;
	struct str in = r->answer;
	struct sse_event e;
	struct sse s;
	if (!r->stream || r->status != 200 || !str_eq(r->endpoint, STR("responses")))
		return;
	sse_init(&s);
	while (sse_feed(&s, &in, &e) == SSE_EVENT) {
		struct event_view v = read_it(e.name, e.data);
		struct event_view unnamed = read_it(STR(""), e.data);
		assert_memory_equal(&v, &unnamed, sizeof(v));
		content += v.content;
		finish += v.finish;
		usage += v.has_usage;
		assert_false(v.error || v.text_only);
	}
	sse_free(&s);
	if (!content || finish != 1 || usage != 1)
		fail_msg("%.*s: %u content, %u finish, %u usage", STR_FMT(r->name), content, finish, usage);
	++*streams;
}

static void test_recorded_streams(void **state)
{
	unsigned streams = 0;
	(void)state;
	each_recording(check_stream, &streams);
	assert_true(streams >= 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds), cmocka_unit_test(test_usage_and_end), cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_errors_inside_a_stream), cmocka_unit_test(test_a_break_is_written),
		cmocka_unit_test(test_recorded_streams),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
