/*
 * buf_test.c: the ceiling, what is written in front of it, and text as JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"

static void assert_holds(const struct buf *b, struct str want)
{
	assert_int_equal(b->n, want.n);
	assert_memory_equal(b->p, want.p, want.n);
}

static void the_ceiling_holds_for_every_kind_of_append(void **state)
{
	struct buf b = BUF_INIT(10);
	(void)state;
	assert_true(buf_add(&b, STR("12345678")));
	assert_false(buf_add(&b, STR("901")));
	assert_false(buf_addf(&b, "%d", 99));	/* its NUL has no room */
	assert_false(buf_addd(&b, -12));
	assert_false(buf_add_json(&b, STR("x")));
	assert_true(b.failed);
	buf_clear(&b);
	assert_true(buf_add(&b, STR("12345678")));
	assert_true(buf_addf(&b, "%d", 9) && buf_addc(&b, '0'));
	assert_false(buf_addc(&b, '1'));
	assert_holds(&b, STR("1234567890"));
	buf_free(&b);
}

/* Room for all but the last byte, for all, and for one more. */
static void a_format_grows_the_buffer_where_it_has_to(void **state)
{
	(void)state;
	for (size_t before = 240; before < 260; before++) {
		struct buf b = BUF_INIT(1024);
		for (size_t i = 0; i < before; i++)
			buf_addc(&b, '.');
		assert_true(buf_addf(&b, "<%s>", "0123456789"));
		assert_int_equal(b.n, before + 12);
		assert_memory_equal(b.p + before - 1, ".<0123456789>", 13);
		buf_free(&b);
	}
}

static void numbers(void **state)
{
	struct buf b = BUF_INIT(256);
	(void)state;
	buf_addd(&b, 0);
	buf_addd(&b, -7);
	buf_addd(&b, INT64_MAX);
	buf_addd(&b, INT64_MIN);
	assert_holds(&b, STR("0-79223372036854775807-9223372036854775808"));
	buf_free(&b);
}

static void text_as_json(void **state)
{
	static const struct { struct str text, json; } cases[] = {
		{ STR_INIT(""), STR_INIT("\"\"") },
		{ STR_INIT("plain"), STR_INIT("\"plain\"") },
		{ STR_INIT("\"a\\b\"\n\r\t"), STR_INIT("\"\\\"a\\\\b\\\"\\n\\r\\t\"") },
		{ STR_INIT("\x01\x1f\x7f"), STR_INIT("\"\\u0001\\u001f\\u007f\"") },
		{ STR_INIT("F\xc3\xa4hre \xe8\xab\x8b \xf0\x9f\x9b\xb6."), STR_INIT("\"F\xc3\xa4hre \xe8\xab\x8b \xf0\x9f\x9b\xb6.\"") },
		{ STR_INIT("\xc3"), STR_INIT("\"\\ufffd\"") },		/* cut */
		{ STR_INIT("a\xe8\xab"), STR_INIT("\"a\\ufffd\\ufffd\"") },
		{ STR_INIT("\xed\xa0\x80"), STR_INIT("\"\\ufffd\\ufffd\\ufffd\"") },	/* a surrogate */
		{ STR_INIT("\xff-\xc0\xaf"), STR_INIT("\"\\ufffd-\\ufffd\\ufffd\"") },
	};
	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		struct buf b = BUF_INIT(256);
		assert_true(buf_add_json(&b, cases[i].text));
		assert_holds(&b, cases[i].json);
		buf_free(&b);
	}
}

/* Whatever stands around it: plain text is passed over by eight bytes. */
static void a_byte_is_escaped_wherever_it_stands(void **state)
{
	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		struct buf alone = BUF_INIT(64);
		char c = (char)byte, text[20];
		assert_true(buf_add_json(&alone, str_of(&c, 1)));
		struct str spelled = str_of(alone.p + 1, alone.n - 2);
		for (size_t n = 1; n <= sizeof(text); n++)
			for (size_t at = 0; at < n; at++) {
				struct buf b = BUF_INIT(256), wanted = BUF_INIT(256);
				memset(text, '~', sizeof(text));
				text[at] = c;
				assert_true(buf_add_json(&b, str_of(text, n)));
				assert_true(buf_addf(&wanted, "\"%.*s%.*s%.*s\"", (int)at, "~~~~~~~~~~~~~~~~~~~~", STR_FMT(spelled), (int)(n - at - 1), "~~~~~~~~~~~~~~~~~~~~"));
				assert_true(str_eq(buf_str(&b), buf_str(&wanted)));
				buf_free(&b);
				buf_free(&wanted);
			}
		buf_free(&alone);
	}
}

static void a_format_in_an_arena_is_as_long_as_it_has_to_be(void **state)
{
	struct arena a = ARENA_INIT;
	char text[300];
	(void)state;
	memset(text, 'x', sizeof(text));
	for (int n = 250; n < 262; n++) {
		struct str s = arena_printf(&a, "%.*s", n, text);
		assert_int_equal(s.n, n);
		assert_memory_equal(s.p, text, (size_t)n);
		assert_int_equal(s.p[n], '\0');
	}
	arena_clear(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ceiling_holds_for_every_kind_of_append), cmocka_unit_test(a_format_grows_the_buffer_where_it_has_to),
		cmocka_unit_test(numbers), cmocka_unit_test(text_as_json), cmocka_unit_test(a_byte_is_escaped_wherever_it_stands), cmocka_unit_test(a_format_in_an_arena_is_as_long_as_it_has_to_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
