/*
 * rules_text_fuzz.c: any bytes as a table, as phrases and as texts they are looked for in.
 */
#include <stdlib.h>

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of((const char *)data, size);
	char *copy = alone(in);
	tables((struct weir_text){ copy, size });
	lists((struct weir_text){ copy, size });
	free(copy);
	return 0;
}
