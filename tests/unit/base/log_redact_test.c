/*
 * log_redact_test.c: what looks like a credential does not get through; other text does.
 */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_redacts(const char *text, const char *expected)
{
	struct buf b = BUF_INIT(4096);
	assert_true(log_redact(&b, str_c(text)));
	buf_addc(&b, '\0');
	assert_string_equal(b.p, expected);
	buf_free(&b);
}

static void secrets_are_blanked(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {
		{ "Bearer abc.def/+=", "Bearer ..." },
		{ "got bearer abcdef, sorry", "got bearer ..., sorry" },
		{ "Basic dXNlcjpwYXNz", "Basic ..." },
		{ "Authorization: Bearer abc def", "Authorization: ..." },
		{ "{\"authorization\": \"Token abc def\", \"a\": 1}", "{\"authorization\": \"...\", \"a\": 1}" },
		{ "Incorrect API key provided: sk-proj-abcdefgh12345.", "Incorrect API key provided: sk-..." },
		{ "sk-ant-api03-aaaaaaaaaaaa", "sk-..." },
		{ "(AIzaSyA1234567890)", "(AIza...)" },
		{ "AKIAIOSFODNN7EXAMPLE", "AKIA..." },
		{ "gsk_0123456789abc xai-0123456789abc hf_0123456789abc", "gsk_... xai-... hf_..." },
		{ "GET /v1beta/models?key=abc&alt=sse", "GET /v1beta/models?key=...&alt=sse" },
		{ "x-api-key: abc", "x-api-key: ..." },
		{ "\"x-goog-api-key\":\"abc\",\"b\":2", "\"x-goog-api-key\":\"...\",\"b\":2" },
		{ "password=hunter2;x", "password=...;x" },
		{ "https://user:pass@host/path", "https://...@host/path" },
		{ "redis://:p@ss@host:1/0", "redis://...@host:1/0" },
		{ "eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.sig", "eyJ..." },
	};
	for (size_t i = 0; i < array_len(pairs); i++)
		assert_redacts(pairs[i][0], pairs[i][1]);
}

static void other_text_passes(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"", "a", "unknown key: modles", "task-force", "sk-1", "https://host/a@b", "key =", "monkey",
		"max_tokens: 12", "\xff\x00", "Bearer ", "model gpt-4o-mini is gone",
	};
	for (size_t i = 0; i < array_len(texts); i++)
		assert_redacts(texts[i], texts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_are_blanked),
		cmocka_unit_test(other_text_passes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
