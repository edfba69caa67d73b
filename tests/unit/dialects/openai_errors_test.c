/*
 * openai_errors_test.c: what vendors' errors mean, in every shape they come.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dialects/openai_errors.h"
#include "tests/unit/dialects/recordings.h"

struct row {
	int status;
	struct str body;
	enum error_kind kind;
};

static void check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct provider_error e;
		openai_read_error(rows[i].status, rows[i].body, &e);
		if (e.kind != rows[i].kind)
			fail_msg("%d %.*s: %s", rows[i].status, STR_FMT(rows[i].body), error_row(e.kind)->fault);
	}
}

static void test_status_decides_first(void **state)
{
	static const struct row rows[] = {
		{ 401, STR_INIT(""), ERR_UPSTREAM_AUTH }, { 403, STR_INIT("{}"), ERR_UPSTREAM_AUTH },
		{ 402, STR_INIT(""), ERR_UPSTREAM_BILLING },
		{ 404, STR_INIT("<html>"), ERR_UPSTREAM_REJECTED },
		{ 408, STR_INIT(""), ERR_TIMEOUT }, { 410, STR_INIT(""), ERR_UPSTREAM_MODEL_GONE },
		{ 413, STR_INIT(""), ERR_UPSTREAM_REJECTED }, { 422, STR_INIT(""), ERR_UPSTREAM_REJECTED },
		{ 429, STR_INIT(""), ERR_UPSTREAM_RATE_LIMIT }, { 500, STR_INIT(""), ERR_UPSTREAM_BROKEN },
		{ 502, STR_INIT("<html>"), ERR_UPSTREAM_BROKEN },
		{ 503, STR_INIT(""), ERR_UPSTREAM_OVERLOADED },
		{ 529, STR_INIT(""), ERR_UPSTREAM_OVERLOADED },
		{ 400, STR_INIT("{\"error\":"), ERR_UPSTREAM_REJECTED },
	};
	(void)state;
	check(rows, array_len(rows));
}

static void test_words_decide_where_a_status_means_several_things(void **state)
{
	static const struct row rows[] = {
		{ 429, STR_INIT("{\"error\":{\"message\":\"You exceeded your current quota\","
				   "\"type\":\"insufficient_quota\","
				"\"code\":\"insufficient_quota\"}}"), ERR_UPSTREAM_BILLING },
		{ 429, STR_INIT("{\"error\":{\"message\":\"x\",\"code\":\"credit_balance_exhausted\"}}"),
		  ERR_UPSTREAM_BILLING },
		{ 429, STR_INIT("{\"error\":{\"message\":\"Request too large for gpt-4o\","
				   "\"code\":\"rate_limit_exceeded\"}}"),
		  ERR_CONTEXT_LENGTH },
		{ 429, STR_INIT("{\"error\":{\"message\":\"Rate limit reached\",\"code\":\"rate_limit_exceeded\"}}"),
		  ERR_UPSTREAM_RATE_LIMIT },
		{ 400, STR_INIT("{\"error\":{\"message\":\"x\",\"code\":\"content_filter\"}}"), ERR_CONTENT_POLICY },
		{ 400, STR_INIT("{\"error\":{\"message\":\"x\",\"code\":\"context_length_exceeded\"}}"),
		  ERR_CONTEXT_LENGTH },
		{ 400, STR_INIT("{\"error\":{\"message\":\"Model Not Exist\",\"code\":\"invalid_request_error\"}}"),
		  ERR_UPSTREAM_MODEL_GONE },
		{ 403, STR_INIT("{\"error\":{\"message\":\"Insufficient balance\"}}"), ERR_UPSTREAM_BILLING },
		{ 413, STR_INIT("{\"error\":{\"message\":\"prompt is too long\"}}"), ERR_CONTEXT_LENGTH },
	};
	(void)state;
	check(rows, array_len(rows));
}

/* Inside a stream there is no status: the code says it, where it does. */
static void test_errors_inside_a_stream(void **state)
{
	static const struct row rows[] = {
		{ 200, STR_INIT("{\"error\":{\"message\":\"x\",\"code\":429}}"), ERR_UPSTREAM_RATE_LIMIT },
		{ 200, STR_INIT("{\"error\":{\"message\":\"x\",\"code\":\"rate_limit_exceeded\"}}"),
		  ERR_UPSTREAM_RATE_LIMIT },
		{ 200, STR_INIT("{\"error\":{\"message\":\"x\",\"code\":\"context_length_exceeded\"}}"),
		  ERR_CONTEXT_LENGTH },
		{ 200, STR_INIT("{\"error\":{\"message\":\"x\",\"code\":\"insufficient_quota\"}}"), ERR_UPSTREAM_BILLING },
		{ 200, STR_INIT("{\"error\":{\"message\":\"x\",\"code\":502}}"), ERR_UPSTREAM_BROKEN },
		{ 200, STR_INIT("{\"error\":\"x\"}"), ERR_UPSTREAM_BROKEN },
	};
	(void)state;
	check(rows, array_len(rows));
}

static void found(struct str body, struct str message, struct str code, bool native)
{
	struct provider_error e;
	openai_read_error(400, body, &e);
	if (!str_eq(e.message, message) || !str_eq(e.code, code) || e.native != native)
		fail_msg("%.*s: %.*s, %.*s", STR_FMT(body), STR_FMT(e.message), STR_FMT(e.code));
}

static void test_shapes(void **state)
{
	(void)state;
	found(STR("{\"error\":{\"message\":\"a \\\"b\\\"\",\"code\":\"c\"}}"), STR("a \\\"b\\\""), STR("c"), true);
	found(STR("{\"error\":{\"message\":\"a\",\"code\":7}}"), STR("a"), STR("7"), true);
	found(STR("{\"error\":{\"detail\":\"a\"}}"), STR("a"), STR(""), false);
	found(STR("[{\"error\":{\"message\":\"a\"}}]"), STR("a"), STR(""), true);
	found(STR("{\"error\":\"a\"}"), STR("a"), STR(""), false);
	found(STR("{\"code\":\"c\",\"error\":\"a\"}"), STR("a"), STR("c"), false);
	found(STR("{\"detail\":\"a\"}"), STR("a"), STR(""), false);
	found(STR("{\"detail\":{\"error\":\"a\"}}"), STR("a"), STR(""), false);
	found(STR("{\"object\":\"error\",\"message\":\"a\",\"code\":400}"), STR("a"), STR("400"), false);
	found(STR("{\"error\":{}}"), STR(""), STR(""), false);
	found(STR("<html>no</html>"), STR(""), STR(""), false);
	found(STR(""), STR(""), STR(""), false);
}

/* --- recorded errors --- */

static const struct { const char *vendor, *word; int status; enum error_kind kind; } known[] = {
	{ "azure", "DeploymentNotFound", 404, ERR_UPSTREAM_MODEL_GONE },
	{ "azure", "RateLimitReached", 429, ERR_UPSTREAM_RATE_LIMIT },
	{ "cohere", "not found", 404, ERR_UPSTREAM_MODEL_GONE },
	{ "deepseek", "maximum context length", 400, ERR_CONTEXT_LENGTH },
	{ "deepseek", "No tool output", 400, ERR_UPSTREAM_REJECTED },
	{ "groq", "model_not_found", 404, ERR_UPSTREAM_MODEL_GONE },
	{ "groq", "tool_use_failed", 400, ERR_UPSTREAM_REJECTED },
	{ "ollama", "prompt too long", 400, ERR_CONTEXT_LENGTH },
	{ "openai", "has been deprecated", 404, ERR_UPSTREAM_MODEL_GONE },
	{ "openai", "invalid_image_url", 400, ERR_UPSTREAM_REJECTED },
	{ "openai", "unsupported_value", 400, ERR_UPSTREAM_REJECTED },
	{ "openai", "model_not_found", 400, ERR_UPSTREAM_MODEL_GONE },
	{ "openai", "context_length_exceeded", 400, ERR_CONTEXT_LENGTH },
	{ "openrouter", "rate-limited upstream", 429, ERR_UPSTREAM_RATE_LIMIT },
	{ "openrouter", "maximum context length", 400, ERR_CONTEXT_LENGTH },
	{ "perplexity", "too_many_prompt_tokens", 400, ERR_CONTEXT_LENGTH },
	{ "voyage", "is not supported. Supported models", 400, ERR_UPSTREAM_MODEL_GONE },
	{ "xai", "Incorrect API key", 400, ERR_UPSTREAM_AUTH },
};

static void check_recorded(const struct recording *r, void *arg)
{
	unsigned *seen = arg;
	struct provider_error e;
	if (r->status < 400)
		return;
	openai_read_error(r->status, r->answer, &e);
	assert_true(e.message.n > 0);
	assert_true(r->status != 401 || e.kind == ERR_UPSTREAM_AUTH);
	for (size_t i = 0; i < array_len(known); i++) {
		if (!str_eq(r->vendor, str_c(known[i].vendor)) || r->status != known[i].status ||
		    !str_has(r->answer, str_c(known[i].word)))
			continue;
		if (e.kind != known[i].kind)
			fail_msg("%.*s: %s", STR_FMT(r->answer), error_row(e.kind)->fault);
		*seen |= 1u << i;
	}
}

static void test_recorded_errors(void **state)
{
	unsigned seen = 0;
	(void)state;
	each_recording(check_recorded, &seen);
	assert_int_equal(seen, (1u << array_len(known)) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_decides_first),
		cmocka_unit_test(test_words_decide_where_a_status_means_several_things),
		cmocka_unit_test(test_errors_inside_a_stream), cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_recorded_errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
