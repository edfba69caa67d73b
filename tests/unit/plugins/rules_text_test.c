/*
 * rules_text_test.c: words, phrases, questions and tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rules/text.h"

static struct weir_text text(const char *s)
{
	return (struct weir_text){ s, strlen(s) };
}

/* --- words --- */

static unsigned words(const char *s, uint64_t *out)
{
	unsigned n = 0;
	uint64_t w;
	for (size_t at = 0; (w = next_word(text(s), &at, NULL)); n++)
		if (out)
			out[n] = w;
	return n;
}

static void words_are_the_same_without_regard_to_case(void **state)
{
	static const char *const pairs[][2] = { { "Hello World", "hELLO,  world!" }, { "STRASSE Größe", "strasse GRÖSSE" }, { "ПРИВЕТ Ёж", "привет ёж" },
						{ "ΑΒΓ", "αβγ" }, { "it's 3.5", "IT S 3 5" } };
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		uint64_t a[8], b[8];
		unsigned n = words(pairs[i][0], a);
		assert_int_equal(n, words(pairs[i][1], b));
		if (i != 1)
			assert_memory_equal(a, b, n * sizeof(*a));
	}
	assert_int_equal(words("退货 policy 政策", NULL), 5);
	assert_int_equal(words(" \t.,;!?-“”…—", NULL), 0);
	assert_int_equal(words("a\xff" "b \xe4\xbd", NULL), 2);
	assert_int_equal(words("", NULL), 0);
}

/* --- phrases --- */

static void phrases_stand_as_whole_words(void **state)
{
	static const char *const cases[][2] = {
		{ "I want my Money  back, now", "Money  back" }, { "moneyback", NULL }, { "money backs", NULL }, { "money, back", "money, back" },
		{ "the refund policy of", "refund policy" }, { "a refund", "refund" }, { "refunds", NULL }, { "请问退货怎么办", "退货" }, { "", NULL }, { "back money", NULL },
	};
	struct phrases *p = phrases_new();
	struct weir_text found;
	(void)state;
	assert_false(phrases_find(p, text("refund"), &found));
	assert_true(phrases_add(p, text("money back")) && phrases_add(p, text("refund")) && phrases_add(p, text("Refund policy")) && phrases_add(p, text("退货")));
	assert_false(phrases_add(p, text(" ... ")));
	assert_int_equal(phrases_count(p), 4);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool any = phrases_find(p, text(cases[i][0]), &found);
		assert_int_equal(any, cases[i][1] != NULL);
		if (any)
			assert_true(found.n == strlen(cases[i][1]) && memcmp(found.p, cases[i][1], found.n) == 0);
	}
	phrases_free(p);
}

static void thousands_of_phrases_are_each_found(void **state)
{
	struct phrases *p = phrases_new();
	struct weir_text found;
	char phrase[64];
	(void)state;
	for (int i = 0; i < 10000; i++) {
		snprintf(phrase, sizeof(phrase), "word%d follows%d end", i % 100, i);
		assert_true(phrases_add(p, text(phrase)));
	}
	for (int i = 0; i < 10000; i += 7) {
		snprintf(phrase, sizeof(phrase), "it: WORD%d follows%d, end of it", i % 100, i);
		assert_true(phrases_find(p, text(phrase), &found));
		snprintf(phrase, sizeof(phrase), "word%d follows%d and", i % 100, i);
		assert_false(phrases_find(p, text(phrase), &found));
	}
	phrases_free(p);
}

/* --- questions --- */

static void the_closest_question_is_found(void **state)
{
	static const char *const known[][2] = {
		{ "How do I return an item?", "returns" }, { "When will my order arrive?", "delivery" }, { "How can I pay by invoice?", "invoice" },
		{ "Do you ship to Switzerland?", "swiss" }, { "How do I change my password?", "password" }, { "What is your phone number?", "phone" },
	};
	static const struct { const char *asked, *want; double least; } cases[] = {
		{ "How do I return an item?", "returns", 0.95 }, { "how to return an item", "returns", 0.6 }, { "change password", "password", 0.5 },
		{ "do you ship to switzerland", "swiss", 0.9 }, { "pay invoice please", "invoice", 0.4 },
	};
	struct questions *q = questions_new();
	struct answer a;
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_true(questions_add(q, text(known[i][0]), text(known[i][1])));
	assert_true(questions_ready(q));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(questions_ask(q, text(cases[i].asked), &a));
		assert_true(a.answer.n == strlen(cases[i].want) && memcmp(a.answer.p, cases[i].want, a.answer.n) == 0);
		assert_true(a.score >= cases[i].least && a.score <= 1);
	}
	assert_true(questions_ask(q, text("do you know how tall mount everest is and who first climbed it"), &a));
	assert_true(a.score < 0.4);
	assert_false(questions_ask(q, text("zebra"), &a));
	assert_false(questions_ask(q, text(""), &a));
	questions_free(q);
}

/* --- tables --- */

static void rows_are_read_as_they_should_be(void **state)
{
	static const char table[] = "\xef\xbb\xbfquestion,answer\r\n\"a, \"\"b\"\"\",c\r\n\"two\nlines\",\n,\nlast,";
	struct csv c = { .text = { table, sizeof(table) - 1 } };
	struct weir_text f[CSV_FIELDS_MAX];
	char room[sizeof(table)];
	size_t used = 0;
	static const char *const want[][2] = { { "question", "answer" }, { "a, \"b\"", "c" }, { "two\nlines", "" }, { "", "" }, { "last", "" } };
	static const unsigned lines[] = { 1, 2, 3, 5, 6 };
	(void)state;
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(csv_row(&c, room, &used, f), 2);
		assert_int_equal(c.line, lines[i]);
		for (int k = 0; k < 2; k++)
			assert_true(f[k].n == strlen(want[i][k]) && memcmp(f[k].p, want[i][k], f[k].n) == 0);
	}
	assert_int_equal(csv_row(&c, room, &used, f), -1);
	assert_null(c.error);
}

static void broken_tables_are_told(void **state)
{
	static const char *const broken[] = { "a,\"b\nc", "\"a\"b,c\n" };
	struct weir_text f[CSV_FIELDS_MAX];
	char room[64];
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct csv c = { .text = text(broken[i]) };
		size_t used = 0;
		while (csv_row(&c, room, &used, f) >= 0)
			;
		assert_non_null(c.error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_the_same_without_regard_to_case), cmocka_unit_test(phrases_stand_as_whole_words),
		cmocka_unit_test(thousands_of_phrases_are_each_found), cmocka_unit_test(the_closest_question_is_found),
		cmocka_unit_test(rows_are_read_as_they_should_be), cmocka_unit_test(broken_tables_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
