/*
 * prompt_count_ways_test.c: a machine takes one way through a text, by what its processor can; both count the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define prompt_count prompt_count_of_this_test
#include "dialects/prompt_count.c"

#if defined(__x86_64__)
static unsigned seed = 11;

static unsigned dice(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 8) % n;
}

/* Runs of all bytes there are, seldom ones of text more often. */
static size_t text_make(char *to, size_t most)
{
	static const char usual[] = "azAZ09 .,!\\n\\u00e4\"\x7f\xc3\xa4\xe4\xb8\xad";
	size_t n = dice((unsigned)most + 1), at = 0;
	while (at < n) {
		char c = dice(3) ? usual[dice(sizeof(usual) - 1)] : (char)dice(256);
		for (unsigned run = 1 + dice(dice(8) ? 3 : 90); run > 0 && at < n; run--)
			to[at++] = c;
	}
	return n;
}

static uint64_t counted(struct tally t)
{
	return t.units + weigh(t.class, t.run);
}

static void both_ways_count_the_same(void **state)
{
	static char room[700];
	(void)state;
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi"))
		return;		/* here there is one way */
	for (unsigned round = 0; round < 100000; round++) {
		size_t from = dice(64);		/* anywhere in memory */
		struct str s = str_of(room + from, text_make(room + from, round % 10 ? 200 : 600));
		struct tally narrow = { .class = SPACE }, wide = narrow;
		count_blocks(s, &narrow, read_block);
		count_wide(s, &wide);
		assert_int_equal(counted(wide), counted(narrow));
	}
}
#else
static void both_ways_count_the_same(void **state)
{
	(void)state;
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(both_ways_count_the_same) };
	return cmocka_run_group_tests_name("prompt_count: ways", tests, NULL, NULL);
}
