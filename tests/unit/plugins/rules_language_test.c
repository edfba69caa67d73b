/*
 * rules_language_test.c: how often the guess is right, over sentences that were written for this and in no other place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/language.h"
#include "rules/text.h"

static char *read_all(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	char *text = malloc(1 << 20);
	*n = fread(text, 1, 1 << 20, f);
	fclose(f);
	return text;
}

static void sentences(void **state)
{
	(void)state;
	size_t n, used = 0;
	char *text = read_all("tests/cases/rules/languages.csv", &n), *room = malloc(n);
	struct csv csv = { .text = { text, n } };
	struct weir_text fields[CSV_FIELDS_MAX];
	struct languages *l = languages_new();
	unsigned rows = 0, told = 0, wrong = 0;
	assert_int_equal(csv_row(&csv, room, &used, fields), 2);
	while (csv_row(&csv, room, &used, fields) == 2) {
		int is = language_find(fields[0]), guess = language_guess(l, fields[1]);
		rows += is >= 0;
		told += is >= 0 && guess >= 0;
		wrong += guess >= 0 && guess != is;
		if (guess != is)
			print_message("%.*s taken for %s: %.*s\n", (int)fields[0].n, fields[0].p, guess < 0 ? "none" : language_code(guess),
				      (int)fields[1].n, fields[1].p);
	}
	print_message("%u sentences, told %u, of these wrong %u\n", rows, told, wrong);
	assert_null(csv.error);
	assert_true(rows > 200 && told * 100 >= rows * 95 && wrong * 100 <= told * 2);
	languages_free(l);
	free(room);
	free(text);
}

static void odd_texts(void **state)
{
	(void)state;
	struct languages *l = languages_new();
	assert_int_equal(language_guess(l, (struct weir_text){ NULL, 0 }), -1);
	assert_int_equal(language_guess(l, (struct weir_text){ "\xff\xfe\x80", 3 }), -1);
	assert_int_equal(language_guess(l, (struct weir_text){ "the and \0 of", 12 }), language_find((struct weir_text){ "en", 2 }));
	assert_int_equal(language_find((struct weir_text){ "xx", 2 }), -1);
	for (const char *p = language_codes(); *p; p += p[2] ? 3 : 2)
		assert_true(language_find((struct weir_text){ p, 2 }) >= 0);
	languages_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(sentences), cmocka_unit_test(odd_texts) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
