/*
 * capture_redact_test.c: what goes, what stays, and that JSON stays JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "metering/capture_file.h"

static void becomes(const char *text, bool personal, const char *expected)
{
	struct buf out = BUF_INIT(1 << 16);
	capture_redact(str_c(text), personal, true, &out);
	buf_addc(&out, '\0');
	assert_string_equal(out.p, expected);
	buf_free(&out);
}

static void credentials_always_go(void **state)
{
	(void)state;
	becomes("{\"a\":\"key sk-abcdefgh12345678 end\"}", false, "{\"a\":\"key sk-... end\"}");
	becomes("{\"password\":\"x\", \"n\":1}", false, "{\"password\":\"...\", \"n\":1}");
	becomes("{\"api_key\" : null, \"password\":{\"type\":\"string\"}}", false, "{\"api_key\" : null, \"password\":{\"type\":\"string\"}}");
	becomes("{\"a\":\"say \\\"Bearer abcdefgh1234\\\"\"}", false, "{\"a\":\"say \\\"Bearer ...\\\"\"}");
}

static void persons_go_where_it_is_wished(void **state)
{
	(void)state;
	becomes("{\"a\":\"ann.b+c@example.com, +49 (30) 123-4567.\"}", true, "{\"a\":\"[email], +[number].\"}");
	becomes("{\"a\":\"ann@example.com 1234567\"}", false, "{\"a\":\"ann@example.com 1234567\"}");
	becomes("{\"a\":\"in 2026, 12.50 for 3 @home a@b\",\"n\":12345678}", true, "{\"a\":\"in 2026, 12.50 for 3 @home a@b\",\"n\":12345678}");
	becomes("data: {\"a\":\"4111 1111 1111 1111\"}", true, "data: {\"a\":\"[number]\"}");
}

static void a_record_is_one_line(void **state)
{
	(void)state;
	becomes("{\n \"a\":\r\n \"x\\ny\"}", false, "{  \"a\":   \"x\\ny\"}");
	becomes("{\"a\":\"cut within", false, "{\"a\":\"cut within");
}

static void nonsense_is_survived(void **state)
{
	static const char *const texts[] = { "", "\"", "\"\\", "\"\\\"", "\"\\u\"", "\"\\u12\"", "\"\\ud800\"", "\"\\x\"", "\"@\"", "\"@.\"", "\"a@.b\"",
					     "\"1-\"", "\":\":\"", "\"password\":\"", "\xff\"\xfe\"" };
	(void)state;
	for (size_t i = 0; i < array_len(texts); i++) {
		struct buf out = BUF_INIT(1 << 16);
		char *copy = malloc(strlen(texts[i]) + 1);
		memcpy(copy, texts[i], strlen(texts[i]));
		capture_redact(str_of(copy, strlen(texts[i])), true, true, &out);
		assert_false(out.failed);
		free(copy);
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credentials_always_go),
		cmocka_unit_test(persons_go_where_it_is_wished),
		cmocka_unit_test(a_record_is_one_line),
		cmocka_unit_test(nonsense_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
