/*
 * sse_test.c: events come out the same however the bytes are cut, and no byte is lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/sse.h"

enum { TEXT = 4096 };

/* What a stream said: raw bytes one after the other, and "name=data|" of each event with data. */
struct heard {
	char raw[TEXT], said[TEXT];
	size_t n_raw;
};

static void hear(struct heard *h, const struct sse_event *e)
{
	memcpy(h->raw + h->n_raw, e->raw.p, e->raw.n);
	h->n_raw += e->raw.n;
	if (!e->comment) {
		strncat(h->said, e->name.n ? e->name.p : "", e->name.n);
		strcat(h->said, "=");
		strncat(h->said, e->data.n ? e->data.p : "", e->data.n);
		strcat(h->said, "|");
	}
}

static void feed(struct sse *s, struct heard *h, const char *p, size_t n)
{
	/* A copy of its own, so that a read beyond it is seen. */
	char *copy = malloc(n + 1);
	struct sse_event e;
	memcpy(copy, p, n);
	struct str in = str_of(copy, n);
	while (sse_feed(s, &in, &e) == SSE_EVENT)
		hear(h, &e);
	free(copy);
}

static void finish(struct sse *s, struct heard *h)
{
	struct sse_event e;
	if (sse_end(s, &e) == SSE_EVENT)
		hear(h, &e);
	sse_free(s);
}

static void check(const char *text, const char *said)
{
	size_t n = strlen(text);
	for (size_t cut = 0; cut <= n; cut++) {
		struct heard h = { .n_raw = 0 };
		struct sse s;
		sse_init(&s);
		feed(&s, &h, text, cut);
		feed(&s, &h, text + cut, n - cut);
		finish(&s, &h);
		assert_string_equal(h.said, said);
		assert_int_equal(h.n_raw, n);
		assert_memory_equal(h.raw, text, n);
	}
	struct heard h = { .n_raw = 0 };
	struct sse s;
	sse_init(&s);
	for (size_t i = 0; i < n; i++)
		feed(&s, &h, text + i, 1);
	finish(&s, &h);
	assert_string_equal(h.said, said);
	assert_memory_equal(h.raw, text, n);
}

static void test_line_ends(void **state)
{
	(void)state;
	check("data: a\n\ndata: b\n\n", "=a|=b|");
	check("data: a\r\n\r\ndata: b\r\n\r\n", "=a|=b|");
	check("data: a\r\rdata: b\r\r", "=a|=b|");
	check("event: x\r\ndata: a\r\n\r\nevent: y\ndata: b\n\n", "x=a|y=b|");
	check("event: x\rdata: a\r\n\r\n", "x=a|");
}

static void test_fields(void **state)
{
	(void)state;
	check("data:a\n\n", "=a|");
	check("data:  a\n\n", "= a|");
	check("data: a\ndata: b\ndata\n\n", "=a\nb\n|");
	check(": ping\n\ndata: a\n\n", "=a|");
	check("id: 7\nretry: 10\n\ndata: a\n\n", "=a|");
	check("\xEF\xBB\xBF" "data: a\n\n", "=a|");
	check("\n\n\ndata: a\n\n\n\n", "=a|");
	check("datax: no\ndata: a\n\n", "=a|");
	check("data: \xC3\xA9\xE2\x86\x92\n\n", "=\xC3\xA9\xE2\x86\x92|");
}

static void test_an_event_without_its_blank_line(void **state)
{
	(void)state;
	check("data: a\n\ndata: b", "=a|=b|");
	check("data: [DONE]\n", "=[DONE]|");
}

static void test_nothing_is_held_between_events(void **state)
{
	struct sse s;
	struct heard h = { .n_raw = 0 };
	(void)state;
	sse_init(&s);
	feed(&s, &h, "data: abc", 9);
	feed(&s, &h, "def\n\n", 5);
	feed(&s, &h, "data: x\n\n", 9);
	assert_int_equal(s.tail.cap, 0);
	assert_string_equal(h.said, "=abcdef|=x|");
	sse_free(&s);
}

static void test_ceiling(void **state)
{
	static char big[SSE_EVENT_MAX + 16];
	struct sse s;
	struct sse_event e;
	(void)state;
	memset(big, 'x', sizeof(big));
	sse_init(&s);
	struct str in = str_of(big, sizeof(big));
	assert_int_equal(sse_feed(&s, &in, &e), SSE_BAD);
	sse_free(&s);
	sse_init(&s);
	for (int i = 0; i < 16; i++) {
		in = str_of(big, SSE_EVENT_MAX / 16);
		assert_int_equal(sse_feed(&s, &in, &e), SSE_MORE);
	}
	in = str_of(big, 1);
	assert_int_equal(sse_feed(&s, &in, &e), SSE_BAD);
	sse_free(&s);
}

static void test_ceiling_of_a_whole_event(void **state)
{
	static char big[SSE_EVENT_MAX + 2];
	struct sse s;
	struct sse_event e;
	(void)state;
	memset(big, 'x', sizeof(big));
	for (size_t over = 0; over < 2; over++) {
		size_t n = SSE_EVENT_MAX + over;
		memcpy(big + n - 2, "\n\n", 2);
		struct str in = str_of(big, n);
		sse_init(&s);
		assert_int_equal(sse_feed(&s, &in, &e), over ? SSE_BAD : SSE_EVENT);
		sse_free(&s);
		big[n - 2] = 'x';
	}
}

/* Or else a line in many small pieces, or many blank ones, would take quadratic time. */
static void test_no_byte_is_looked_at_twice(void **state)
{
	static const char text[] = "\n\r\n\ndata: abc\r\ndata: def";
	struct sse s;
	struct heard h = { .n_raw = 0 };
	(void)state;
	sse_init(&s);
	for (size_t i = 0; i + 1 < sizeof(text); i++) {
		feed(&s, &h, text + i, 1);
		assert_int_equal(s.tail.n, i + 1);
		assert_int_equal(s.place.at, i + 1);
	}
	feed(&s, &h, "\r\r", 2);
	assert_string_equal(h.said, "=abc\ndef|");
	sse_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_ends), cmocka_unit_test(test_fields),
		cmocka_unit_test(test_an_event_without_its_blank_line), cmocka_unit_test(test_nothing_is_held_between_events),
		cmocka_unit_test(test_ceiling), cmocka_unit_test(test_ceiling_of_a_whole_event),
		cmocka_unit_test(test_no_byte_is_looked_at_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
