/*
 * rules_literal_test.c: patterns that need not be tried, and never one that would have matched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "rules/literal.h"

static struct weir_text text(const char *s)
{
	return (struct weir_text){ s, strlen(s) };
}

static bool may(const char *pattern, const char *s)
{
	static struct grams g;
	struct literal l = literal_of(text(pattern));
	grams_make(&g, text(s));
	return grams_may_hold(&g, &l);
}

static bool matches(const char *pattern, const char *s)
{
	int error;
	PCRE2_SIZE at;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS, &error, &at, NULL);
	assert_non_null(code);
	pcre2_match_data *data = pcre2_match_data_create(10, NULL);
	int n = pcre2_match(code, (PCRE2_SPTR)s, strlen(s), 0, 0, data, NULL);
	pcre2_match_data_free(data);
	pcre2_code_free(code);
	return n >= 0;
}

static void a_text_without_the_letters_is_not_tried(void **state)
{
	static const char *const patterns[] = {
		"refund", "\\border (no\\.? ?)?(\\d{6})\\b", "(a|b) refund [xyz]+", "^refunds?$", "\\brefund\\s+(parcel|order)", "re?refund", "x{0}refund",
		"(?:(?<n>a)[)]|\\))refund", "[^]a(]refund", "REFUND", "a.refund\\.pdf",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		if (may(patterns[i], "nothing of this stands here"))
			fail_msg("would be tried: %s", patterns[i]);
}

static void whatever_matches_is_tried(void **state)
{
	static const char *const pairs[][2] = {
		{ "refund", "a REFUND" }, { "refunds?", "refund" }, { "refund{0,1}", "refun" }, { "abc|xyz", "xyz" }, { "(abc)?xy", "xy" }, { "(abcdef|g)", "g" },
		{ "abcd*", "abc" }, { "(?x) a b c", "abc" }, { "(?i:abc)", "ABC" }, { "\\x41\\x42c", "abc" }, { "\\Qa|b\\Eabc", "a|babc" }, { "a\\.bc", "a.bc" },
		{ "kiss", "\xe2\x84\xaaiss" }, { "kiss", "ki\xc5\xbf\xc5\xbf" }, { "[[:alpha:]]+[(]", "ab(" }, { "(?!abc)xyz", "xyz" }, { "gr\xc3\xb6\xc3\x9f" "e", "GR\xc3\x96\xc3\x9f" "E" },
		{ "(?#abc)d", "d" }, { "((?x) a ( b ) # )\n)cde", "abcde" }, { "a+?bcd", "aabcd" }, { "abc{2}", "abcc" }, { "a(b{0}cde)?f", "af" },
		{ "x\\pLyz", "xayz" }, { "\\p{L}bcd", "abcd" }, { "[\\]abc]d", "]d" }, { "(\\)abc)?d", "d" }, { "a\\tb", "a\tb" }, { "(a)\\1bc", "aabc" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (!matches(pairs[i][0], pairs[i][1]))
			fail_msg("the test is wrong: %s", pairs[i][0]);
		if (!may(pairs[i][0], pairs[i][1]))
			fail_msg("not tried: %s", pairs[i][0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_without_the_letters_is_not_tried),
		cmocka_unit_test(whatever_matches_is_tried),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
