/*
 * rules_text_fuzz.c: any bytes as a table, as phrases and as texts they are looked for in, as calculations and patterns, and in some language.
 */
#include <stdlib.h>

#include "rules/calculate.h"
#include "rules/language.h"
#include "rules/literal.h"
#include "rules/text.h"
#include "tests/fuzz/fuzz.h"

/* Every row's questions and answers; what is found lies inside of the text. */
static void tables(struct weir_text in)
{
	struct csv csv = { .text = in };
	struct weir_text fields[CSV_FIELDS_MAX];
	struct questions *q = questions_new();
	struct answer a;
	char *room = malloc(in.n + 1);
	size_t used = 0;
	for (int n; (n = csv_row(&csv, room, &used, fields)) >= 0;) {
		must(used <= in.n && csv.line >= 1);
		questions_add(q, fields[0], fields[n - 1]);
	}
	if (questions_ready(q) && questions_ask(q, in, &a))
		must(a.score >= 0 && a.score <= 1);
	questions_free(q);
	free(room);
}

static void lists(struct weir_text in)
{
	struct phrases *p = phrases_new();
	struct weir_text found, half = { in.p, in.n / 2 };
	size_t at = 0;
	while (next_word(in, &at, NULL))
		must(at <= in.n);
	if (phrases_add(p, half))
		must(phrases_find(p, half, &found) && found.p >= in.p && found.p + found.n <= in.p + half.n);
	phrases_find(p, in, &found);
	phrases_free(p);
}

static void rows(struct weir_text in)
{
	const char *error;
	unsigned line;
	size_t end = 0;
	while (end < in.n && in.p[end] != ',' && in.p[end] != '\n')
		end++;
	struct table *t = table_read(in, (struct weir_text){ in.p, end }, &error, &line);
	must(t ? !error : error && line >= 1);
	if (t)
		table_find(t, in);
	table_free(t);
}

static void worked(struct weir_text in)
{
	struct worked w;
	if (calculate(in, &w) || convert(in, &w))
		must(w.asked.p >= in.p && w.asked.p + w.asked.n <= in.p + in.n && w.result[0]);
	must(literal_of(in).n <= LITERAL_GRAMS && text_same(in, in) && text_begins(in, in));
}

static void guessed(struct weir_text in)
{
	static struct languages *all;
	if (!all)
		all = languages_new();
	int language = language_guess(all, in);
	must(language < 0 || language_find((struct weir_text){ language_code(language), 2 }) == language);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of((const char *)data, size);
	char *copy = alone(in);
	tables((struct weir_text){ copy, size });
	lists((struct weir_text){ copy, size });
	rows((struct weir_text){ copy, size });
	worked((struct weir_text){ copy, size });
	guessed((struct weir_text){ copy, size });
	free(copy);
	return 0;
}
