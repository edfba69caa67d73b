/*
 * json_run_test.c: the vectorised run agrees with the definition, byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "wire/json_run.h"

static const char *by_definition(const char *p, const char *end)
{
	while (p < end) {
		unsigned char c = (unsigned char)*p;
		int n = json_utf8(p, end);
		if (c < 0x20 || c == '"' || c == '\\' || n <= 0)
			return p;
		p += n;
	}
	return p;
}

static const char *const good[] = { "a", "bc", " ", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };
static const char *const stops[] = {
	"\"", "\\", "\x01", "\xff", "\xed\xa0\x80", "\xc0\x80", "\xe0\x80\x80", "\xf4\x90\x80\x80", "\x80", "\xe2\x82", "\xf0\x9f",
};

static size_t make_text(char *to, size_t size, unsigned stop_one_in)
{
	size_t n = 0;
	while (n + 8 < size) {
		bool stop = stop_one_in && (unsigned)rand() % stop_one_in == 0;
		const char *piece = stop ? stops[(size_t)rand() % array_len(stops)] : good[(size_t)rand() % array_len(good)];
		size_t length = strlen(piece);
		memcpy(to + n, piece, length);
		n += length;
	}
	return n;
}

static void test_agrees_with_the_definition(void **state)
{
	char text[256];
	(void)state;
	srand(7);
	for (int i = 0; i < 200000; i++) {
		size_t n = (size_t)rand() % make_text(text, sizeof(text), i % 3 ? 40 : 0);
		assert_ptr_equal(json_run(text, text + n), by_definition(text, text + n));
	}
}

static void test_every_stop_at_every_place(void **state)
{
	char text[128];
	(void)state;
	for (size_t s = 0; s < array_len(stops); s++) {
		for (size_t at = 0; at < 100; at++) {
			size_t length = strlen(stops[s]);
			memset(text, 'x', sizeof(text));
			memcpy(text + at, stops[s], length);
			assert_ptr_equal(json_run(text, text + 120), text + at);
			assert_ptr_equal(json_run(text, text + at + length), text + at);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agrees_with_the_definition),
		cmocka_unit_test(test_every_stop_at_every_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
