/*
 * chunked_test.c: the chunked coding, whole, cut at every byte, and byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/buf.h"
#include "wire/chunked.h"

/* Feeds one slice; payload goes to `out`, what lies behind the end to `*rest`. */
static enum http_result feed(struct chunked *c, struct str in, struct buf *out, struct str *rest)
{
	struct str payload;
	enum http_result r;
	while ((r = chunked_next(c, &in, &payload)) == HTTP_MORE && payload.n)
		buf_add(out, payload);
	assert_int_equal(payload.n, 0);
	if (r == HTTP_MORE)
		assert_int_equal(in.n, 0);
	*rest = in;
	return r;
}

/* Decodes `text` in slices of which the first ends at `cut` and the others are `step` long. */
static enum http_result decode(struct str text, size_t cut, size_t step, struct buf *out, size_t *taken)
{
	struct chunked c = { 0, 0, 0, 0 };
	struct str rest;
	buf_clear(out);
	size_t at = cut;
	enum http_result r = feed(&c, str_head(text, cut), out, &rest);
	while (r == HTTP_MORE && at < text.n) {
		struct str slice = str_head(str_skip(text, at), step);
		at += slice.n;
		r = feed(&c, slice, out, &rest);
	}
	*taken = at - rest.n;
	if (r == HTTP_BAD)
		assert_int_equal(feed(&c, STR("0\r\n\r\n"), out, &rest), HTTP_BAD);
	return r;
}

struct row {
	const char *name;
	struct str text;
	enum http_result result;
	struct str payload;
	size_t behind;		/* bytes behind the end */
};

static void check_row(const struct row *row)
{
	struct buf out = BUF_INIT(1 << 20);
	size_t taken;
	for (size_t cut = 0; cut <= row->text.n && row->text.n < 2000; cut++) {
		enum http_result r = decode(row->text, cut, row->text.n, &out, &taken);
		if (r != row->result)
			fail_msg("%s cut at %zu: %d", row->name, cut, r);
		if (r == HTTP_DONE)
			assert_int_equal(taken, row->text.n - row->behind);
		if (r != HTTP_BAD)
			assert_true(str_eq(buf_str(&out), row->payload));
	}
	assert_int_equal(decode(row->text, 0, 1, &out, &taken), row->result);
	if (row->result != HTTP_BAD)
		assert_true(str_eq(buf_str(&out), row->payload));
	assert_int_equal(decode(row->text, row->text.n, 1, &out, &taken), row->result);
	buf_free(&out);
}

#define FINE(name, text, payload) { name, STR_INIT(text), HTTP_DONE, STR_INIT(payload), 0 }
#define BAD(name, text) { name, STR_INIT(text), HTTP_BAD, STR_INIT(""), 0 }
#define MORE(name, text, payload) { name, STR_INIT(text), HTTP_MORE, STR_INIT(payload), 0 }

static void rows(void **state)
{
	(void)state;
	static const struct row table[] = {
		FINE("empty", "0\r\n\r\n", ""),
		FINE("two", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"),
		FINE("hex", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"),
		FINE("zeros", "000000000000001\r\nx\r\n000\r\n\r\n", "x"),
		FINE("line ends as data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"),
		FINE("NUL as data", "3\r\n\0\0\0\r\n0\r\n\r\n", "\0\0\0"),
		FINE("P11 extension", "5;a=b;c=\"d e\"\t\r\nhello\r\n0;last\r\n\r\n", "hello"),
		FINE("P12 trailers",
		     "1\r\nx\r\n0\r\nAuthorization: Bearer y\r\nContent-Length: 5\r\n\r\n", "x"),
		FINE("trailer without value", "0\r\nA:\r\n\r\n", ""),
		MORE("cut", "5\r\nhel", "hel"),
		MORE("cut before the last line", "5\r\nhello\r\n0\r\n", "hello"),
		{ "pipelined", STR_INIT("1\r\nx\r\n0\r\n\r\nGET /"), HTTP_DONE, STR_INIT("x"), 5 },
		BAD("P9 0x", "0x5\r\nhello\r\n0\r\n\r\n"),
		BAD("P9 +", "+5\r\nhello\r\n0\r\n\r\n"),
		BAD("P9 -", "-5\r\nhello\r\n0\r\n\r\n"),
		BAD("P9 _", "1_0\r\n0123456789abcdef\r\n0\r\n\r\n"),
		BAD("P9 space before", " 5\r\nhello\r\n0\r\n\r\n"),
		BAD("P9 space behind", "5 \r\nhello\r\n0\r\n\r\n"),
		BAD("P9 tab", "5\t;a\r\nhello\r\n0\r\n\r\n"),
		BAD("P9 NUL", "5\0\r\nhello\r\n0\r\n\r\n"),
		BAD("P9 empty", "\r\nhello\r\n0\r\n\r\n"),
		BAD("P9 empty, extension", ";a\r\nhello\r\n0\r\n\r\n"),
		BAD("P9 16 digits", "0000000000000005\r\nhello\r\n0\r\n\r\n"),
		BAD("P9 wrap", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
		BAD("P9 high", "\xb5\r\nhello\r\n0\r\n\r\n"),
		BAD("P10 longer", "5\r\nhello!\r\n0\r\n\r\n"),
		BAD("P10 shorter", "5\r\nhell\r\n0\r\n\r\n"),
		BAD("P10 no CRLF", "5\r\nhello0\r\n\r\n"),
		BAD("P10 LF", "5\r\nhello\n0\r\n\r\n"),
		BAD("P10 CR", "5\r\nhello\r0\r\n\r\n"),
		BAD("P10 LF behind size", "5\nhello\r\n0\r\n\r\n"),
		BAD("P10 CR behind size", "5\rhello\r\n0\r\n\r\n"),
		BAD("P10 LF at the end", "0\r\n\n"),
		BAD("P10 CR at the end", "0\r\n\rx"),
		BAD("P11 LF", "5;a\nb\r\nhello\r\n0\r\n\r\n"),
		BAD("P11 CR", "5;a\rb\r\nhello\r\n0\r\n\r\n"),
		BAD("P11 NUL", "5;a\0b\r\nhello\r\n0\r\n\r\n"),
		BAD("trailer folded", "0\r\nA: b\r\n c\r\n\r\n"),
		BAD("trailer without colon", "0\r\nA\r\n\r\n"),
		BAD("trailer without name", "0\r\n: a\r\n\r\n"),
		BAD("trailer LF", "0\r\nA: b\nC: d\r\n\r\n"),
		BAD("trailer CR", "0\r\nA: b\rC: d\r\n\r\n"),
		BAD("trailer NUL", "0\r\nA: \0\r\n\r\n"),
		BAD("request instead of trailers", "0\r\nGET / HTTP/1.1\r\n\r\n"),
	};
	for (size_t i = 0; i < array_len(table); i++)
		check_row(&table[i]);
}

static void check_filled(const char *begin, char c, size_t n, const char *end, enum http_result result)
{
	struct buf text = BUF_INIT(1 << 20);
	buf_add(&text, str_c(begin));
	for (size_t i = 0; i < n; i++)
		buf_addc(&text, c);
	buf_add(&text, str_c(end));
	check_row(&(struct row){ begin, buf_str(&text), result, STR("x"), 0 });
	buf_free(&text);
}

static void limits(void **state)
{
	(void)state;
	check_filled("1;", 'e', CHUNKED_EXTENSION_MAX, "\r\nx\r\n0\r\n\r\n", HTTP_DONE);
	check_filled("1;", 'e', CHUNKED_EXTENSION_MAX + 1, "\r\nx\r\n0\r\n\r\n", HTTP_BAD);
	check_filled("1;", 'e', 200 * 1024, "\r\nx\r\n0\r\n\r\n", HTTP_BAD);
	check_filled("1\r\nx\r\n0\r\nA: ", 'b', CHUNKED_TRAILER_MAX - 7, "\r\n\r\n", HTTP_DONE);
	check_filled("1\r\nx\r\n0\r\nA: ", 'b', CHUNKED_TRAILER_MAX - 6, "\r\n\r\n", HTTP_BAD);
	struct buf text = BUF_INIT(1 << 20);
	for (unsigned n = CHUNKED_TRAILERS_MAX; n <= CHUNKED_TRAILERS_MAX + 1; n++) {
		buf_clear(&text);
		buf_add(&text, STR("0\r\n"));
		for (unsigned i = 0; i < n; i++)
			buf_add(&text, STR("a: b\r\n"));
		buf_add(&text, STR("\r\n"));
		check_row(&(struct row){ "trailers", buf_str(&text),
			n > CHUNKED_TRAILERS_MAX ? HTTP_BAD : HTTP_DONE, STR(""), 0 });
	}
	buf_free(&text);
}

/* L5: 20 KB in chunks of one byte; and the largest size there is. */
static void small_and_large(void **state)
{
	(void)state;
	struct buf text = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
	for (unsigned i = 0; i < 20 * 1024; i++)
		buf_addf(&text, "1\r\n%c\r\n", 'a' + (int)(i % 26));
	buf_add(&text, STR("0\r\n\r\n"));
	size_t taken;
	assert_int_equal(decode(buf_str(&text), text.n, 1, &out, &taken), HTTP_DONE);
	assert_int_equal(out.n, 20 * 1024);
	assert_int_equal(out.p[27], 'b');
	struct chunked c = { 0, 0, 0, 0 };
	struct str in = STR("fffffffffffffff\r\nabc"), payload;
	assert_int_equal(chunked_next(&c, &in, &payload), HTTP_MORE);
	assert_true(str_eq(payload, STR("abc")));
	assert_true(c.left == UINT64_C(0xfffffffffffffff) - 3);
	buf_free(&text);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),
		cmocka_unit_test(limits),
		cmocka_unit_test(small_and_large),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
