/*
 * error_shapes_test.c: every way a request can fail, as callers of each dialect are told it, before a stream and inside it.
 *
 * The table is core/error.c's as the documents of the vendors see it: written down once more, so that a changed row is noticed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/dialect.h"
#include "tests/jansson.h"
#include "wire/sse.h"

#define INVALID "invalid_request_error"

static const struct shape {
	enum error_kind kind;
	int status;
	const char *openai, *code;	/* type and code; NULL: null */
	const char *anthropic, *google;	/* error.type, error.status */
} shapes[] = {
	{ ERR_BAD_REQUEST, 400, INVALID, NULL, INVALID, "INVALID_ARGUMENT" },
	{ ERR_BAD_JSON, 400, INVALID, NULL, INVALID, "INVALID_ARGUMENT" },
	{ ERR_CONTEXT_LENGTH, 400, INVALID, "context_length_exceeded", INVALID, "INVALID_ARGUMENT" },
	{ ERR_CONTENT_POLICY, 400, INVALID, "content_policy_violation", INVALID, "INVALID_ARGUMENT" },
	{ ERR_NO_KEY, 401, INVALID, "invalid_api_key", "authentication_error", "UNAUTHENTICATED" },
	{ ERR_BAD_KEY, 401, INVALID, "invalid_api_key", "authentication_error", "UNAUTHENTICATED" },
	{ ERR_NOT_FOUND, 404, INVALID, "unknown_url", "not_found_error", "NOT_FOUND" },
	{ ERR_METHOD, 405, INVALID, "method_not_allowed", INVALID, "INVALID_ARGUMENT" },
	{ ERR_UNSUPPORTED_MEDIA, 415, INVALID, NULL, INVALID, "INVALID_ARGUMENT" },
	{ ERR_TOO_LARGE, 413, INVALID, NULL, "request_too_large", "INVALID_ARGUMENT" },
	{ ERR_SLOW_REQUEST, 408, INVALID, "request_timeout", INVALID, "INVALID_ARGUMENT" },
	{ ERR_EXPECTATION, 417, INVALID, NULL, INVALID, "INVALID_ARGUMENT" },
	{ ERR_NO_MODEL, 404, INVALID, "model_not_found", "not_found_error", "NOT_FOUND" },
	{ ERR_CALLER_GONE, 499, "api_error", "client_closed_request", INVALID, "CANCELLED" },
	{ ERR_MODEL_NOT_ALLOWED, 403, "permission_error", "model_not_allowed", "permission_error", "PERMISSION_DENIED" },
	{ ERR_KEY_RATE_LIMIT, 429, "rate_limit_error", "rate_limit_exceeded", "rate_limit_error", "RESOURCE_EXHAUSTED" },
	{ ERR_BUDGET, 429, "insufficient_quota", "insufficient_quota", "rate_limit_error", "RESOURCE_EXHAUSTED" },
	{ ERR_COST_CEILING, 429, "insufficient_quota", "cost_ceiling", "rate_limit_error", "RESOURCE_EXHAUSTED" },
	{ ERR_PLUGIN, 403, INVALID, "rejected", "permission_error", "PERMISSION_DENIED" },
	{ ERR_UPSTREAM_REJECTED, 400, INVALID, NULL, INVALID, "INVALID_ARGUMENT" },
	{ ERR_UPSTREAM_RATE_LIMIT, 429, "rate_limit_error", "rate_limit_exceeded", "rate_limit_error", "RESOURCE_EXHAUSTED" },
	{ ERR_UPSTREAM_AUTH, 502, "api_error", "provider_auth", "api_error", "INTERNAL" },
	{ ERR_UPSTREAM_BILLING, 502, "api_error", "provider_billing", "api_error", "INTERNAL" },
	{ ERR_UPSTREAM_MODEL_GONE, 502, "api_error", "provider_model_gone", "api_error", "INTERNAL" },
	{ ERR_UPSTREAM_BROKEN, 502, "api_error", "provider_error", "api_error", "INTERNAL" },
	{ ERR_UPSTREAM_CONNECT, 502, "api_error", "provider_error", "api_error", "INTERNAL" },
	{ ERR_UPSTREAM_OVERLOADED, 502, "api_error", "provider_error", "api_error", "INTERNAL" },
	{ ERR_UPSTREAM_CHECK, 502, "api_error", "check_failed", "api_error", "INTERNAL" },
	{ ERR_OVERLOADED, 503, "api_error", "overloaded", "overloaded_error", "UNAVAILABLE" },
	{ ERR_TIMEOUT, 504, "api_error", "timeout", "timeout_error", "DEADLINE_EXCEEDED" },
	{ ERR_MEMORY, 503, "api_error", "overloaded", "overloaded_error", "UNAVAILABLE" },
	{ ERR_DRAINING, 503, "api_error", "draining", "overloaded_error", "UNAVAILABLE" },
	{ ERR_PLUGIN_FAILED, 503, "api_error", "plugin_failed", "overloaded_error", "UNAVAILABLE" },
	{ ERR_INTERNAL, 500, "api_error", "internal_error", "api_error", "INTERNAL" },
};

static const char *const callers[] = { "openai", "openai-responses", "anthropic", "gemini" };

static const char message[] = "Say \"why\", \\ and\nwhat to do: \xc3\xbc.";

static struct error error_of(const struct shape *s)
{
	return (struct error){ .kind = s->kind, .message = str_c(message), .param = STR("messages[1].content") };
}

static void is_text(json_t *object, const char *key, const char *want)
{
	const char *got = json_string_value(json_object_get(object, key));
	if (want ? !got || strcmp(got, want) != 0 : json_typeof(json_object_get(object, key)) != JANSSON_NULL)
		fail_msg("%s: wanted %s, got %s", key, want ? want : "null", got ? got : "no text");
}

/* --- the shapes --- */

static void is_openai(const struct shape *s, json_t *body)
{
	json_t *e = json_object_get(body, "error");
	assert_int_equal(json_object_size(body), 1);
	assert_int_equal(json_object_size(e), 4);
	is_text(e, "message", message);
	is_text(e, "type", s->openai);
	is_text(e, "code", s->code);
	is_text(e, "param", "messages[1].content");
}

static void is_anthropic(const struct shape *s, json_t *body)
{
	json_t *e = json_object_get(body, "error");
	const char *told = json_string_value(json_object_get(e, "message"));
	is_text(body, "type", "error");
	is_text(body, "request_id", "req-1");
	is_text(e, "type", s->anthropic);
	assert_non_null(told);
	assert_non_null(strstr(told, message));		/* agents that speak Messages know a full context by Anthropic's words */
	assert_true((strncmp(told, "prompt is too long", 18) == 0) == (s->kind == ERR_CONTEXT_LENGTH));
}

static void is_google(const struct shape *s, json_t *body)
{
	json_t *e = json_object_get(body, "error");
	assert_int_equal(json_object_size(body), 1);
	assert_int_equal(json_integer_value(json_object_get(e, "code")), s->status);
	is_text(e, "message", message);
	is_text(e, "status", s->google);
}

/* A stream of Responses ends in an event of its own, whose response holds the error. */
static void is_failed_response(const struct shape *s, json_t *event)
{
	json_t *response = json_object_get(event, "response"), *e = json_object_get(response, "error");
	is_text(event, "type", "response.failed");
	assert_true(json_typeof(json_object_get(event, "sequence_number")) == JSON_INTEGER);
	is_text(response, "object", "response");
	is_text(response, "status", "failed");
	is_text(e, "code", s->code ? s->code : "server_error");
	is_text(e, "message", message);
}

static void check(const struct shape *s, const char *caller, bool stream, json_t *body)
{
	assert_non_null(body);
	if (strcmp(caller, "anthropic") == 0)
		is_anthropic(s, body);
	else if (strcmp(caller, "gemini") == 0)
		is_google(s, body);
	else if (strcmp(caller, "openai-responses") == 0 && stream)
		is_failed_response(s, body);
	else
		is_openai(s, body);
	json_decref(body);
}

/* --- */

static void test_every_kind_has_a_row(void **state)
{
	(void)state;
	for (int kind = ERR_NONE + 1; kind < ERR_KINDS; kind++) {
		size_t i = 0;
		while (i < array_len(shapes) && shapes[i].kind != (enum error_kind)kind)
			i++;
		if (i == array_len(shapes))
			fail_msg("kind %d has no shape here", kind);
		assert_int_equal(error_row((enum error_kind)kind)->status, shapes[i].status);
	}
}

static void test_before_a_stream(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(shapes); i++)
		for (size_t c = 0; c < array_len(callers); c++) {
			struct buf out = BUF_INIT(4096);
			struct error e = error_of(&shapes[i]);
			dialect_find(str_c(callers[c]))->write_error(&out, &e, STR("req-1"));
			check(&shapes[i], callers[c], false, json_loadb(out.p, out.n, 0, NULL));
			buf_free(&out);
		}
}

/* One whole event, of the name that its clients wait for, and read as an error by whoever speaks the dialect. */
static void test_inside_a_stream(void **state)
{
	static const char *const names[] = { "", "response.failed", "error", "" };
	(void)state;
	for (size_t i = 0; i < array_len(shapes); i++)
		for (size_t c = 0; c < array_len(callers); c++) {
			const struct dialect *d = dialect_find(str_c(callers[c]));
			struct buf out = BUF_INIT(4096);
			struct error e = error_of(&shapes[i]);
			struct event_view v = { .want_content = true };
			struct sse_event ev;
			struct sse sse;
			d->write_error_event(&out, &e, STR("req-1"));
			struct str in = buf_str(&out);
			sse_init(&sse);
			assert_int_equal(sse_feed(&sse, &in, &ev), SSE_EVENT);
			assert_true(str_eq(ev.name, str_c(names[c])));
			check(&shapes[i], callers[c], true, json_loadb(ev.data.p, ev.data.n, 0, NULL));
			d->read_event(ev.name, ev.data, 0, &v);
			assert_true(v.error && !v.done);
			assert_int_equal(sse_feed(&sse, &in, &ev), SSE_MORE);
			assert_int_equal(sse_end(&sse, &ev), SSE_MORE);
			sse_free(&sse);
			buf_free(&out);
		}
}

/* A vendor's own status is kept where it is about the request; its code too. */
static void test_what_a_vendor_said(void **state)
{
	struct error e = { .kind = ERR_UPSTREAM_REJECTED, .status = 413, .message = STR("no"), .code = STR("string_above_max_length") };
	static const char *const says[] = { "\"code\":\"string_above_max_length\"", "\"code\":\"string_above_max_length\"", "request_too_large", "\"code\":413" };
	(void)state;
	for (size_t c = 0; c < array_len(callers); c++) {
		struct buf out = BUF_INIT(4096);
		dialect_find(str_c(callers[c]))->write_error(&out, &e, STR("req-1"));
		assert_true(str_has(buf_str(&out), str_c(says[c])));
		buf_free(&out);
	}
	assert_int_equal(error_status(&e), 413);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind_has_a_row),
		cmocka_unit_test(test_before_a_stream),
		cmocka_unit_test(test_inside_a_stream),
		cmocka_unit_test(test_what_a_vendor_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
