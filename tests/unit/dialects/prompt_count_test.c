/*
 * prompt_count_test.c: what is counted by blocks is what the rules say byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "dialects/prompt_count.h"

/* In twentieths of a unit. */
static long counted(struct str s)
{
	return (long)(prompt_count(s) * 20 + 0.5f);
}

/* --- the rules once more, without a thought of speed: 'a' word, '0' number, '.' mark, '\n' line, '-' other script, ' ' none --- */

static char class_at(struct str s, size_t *i)
{
	unsigned char c = (unsigned char)s.p[(*i)++];
	if (c == '\\') {
		char e = s.p[(*i)++];
		*i += e == 'u' ? 4 : 0;
		return e == 'n' || e == 'r' ? '\n' : e == 't' ? ' ' : e == 'u' ? '-' : '.';
	}
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
		return 'a';
	return c >= 0xC0 ? '-' : c >= 0x80 ? 0 : c >= '0' && c <= '9' ? '0' : c == ' ' ? ' ' : '.';
}

static long worth(char class, long run)
{
	switch (class) {
	case 'a':  return 20 * ((run + 7) / 8);
	case '0':
	case '.':  return 20 * ((run + 2) / 3);
	case '\n': return run ? 14 : 0;
	case '-':  return 19 * run;
	default:   return 0;
	}
}

static long ruled(struct str s)
{
	long all = 0, run = 0;
	char class = ' ';
	for (size_t i = 0; i < s.n;) {
		char c = class_at(s, &i);
		if (c && c != class) {
			all += worth(class, run);
			run = 0;
			class = c;
		}
		run += c != 0;
	}
	return all + worth(class, run);
}

/* --- */

static unsigned dice(unsigned *seed, unsigned n)
{
	*seed = *seed * 1103515245u + 12345u;
	return (*seed >> 8) % n;
}

static void add_run(struct buf *b, unsigned *seed, bool plain)
{
	static const struct { const char *bytes; unsigned n, most; } runs[] = {
		{ "aMz", 1, 9 }, { "abcXYZ", 1, 80 }, { "0189", 1, 7 }, { "09", 1, 140 }, { "!.,[`{~\x7f/:@", 1, 8 }, { " ", 1, 2 }, { " ", 1, 90 },
		{ "\\n", 2, 3 }, { "\\t", 2, 2 }, { "\\\"", 2, 5 }, { "\\u4e00", 6, 3 }, { "\xe4\xb8\x80", 3, 9 },
	};
	size_t k = dice(seed, plain ? 7 : array_len(runs)), choices = strlen(runs[k].bytes) / runs[k].n;
	for (unsigned i = 1 + dice(seed, runs[k].most); i > 0; i--)
		buf_add(b, str_of(runs[k].bytes + runs[k].n * dice(seed, (unsigned)choices), runs[k].n));
}

static void blocks_count_what_the_rules_say(void **state)
{
	unsigned seed = 5;
	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		struct buf b = BUF_INIT(1 << 16);
		for (unsigned i = dice(&seed, 30); i > 0; i--)
			add_run(&b, &seed, round % 2);
		if (counted(buf_str(&b)) != ruled(buf_str(&b)))
			fail_msg("%ld counted, %ld are right: %.*s", counted(buf_str(&b)), ruled(buf_str(&b)), STR_FMT(buf_str(&b)));
		buf_free(&b);
	}
}

static void words_numbers_and_marks(void **state)
{
	(void)state;
	assert_int_equal(counted(STR("")), 0);
	assert_int_equal(counted(STR("one two three four")), 80);
	assert_int_equal(counted(STR("internationalization")), 60);
	assert_int_equal(counted(STR("12 1234567 ...")), 20 + 60 + 20);
	assert_int_equal(counted(STR("a\\nb\\\\\\u00e9")), 20 + 14 + 20 + 20 + 19);
	assert_int_equal(counted(STR("cut \\")), 20 + 20);
	assert_int_equal(counted(STR("cut \\u00")), 20 + 19);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_numbers_and_marks),
		cmocka_unit_test(blocks_count_what_the_rules_say),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
