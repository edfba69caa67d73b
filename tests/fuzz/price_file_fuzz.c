/*
 * price_file_fuzz.c: any bytes as a table of prices. What is taken can be looked up and never charges less than nothing.
 */
#include "core/price_book.h"
#include "metering/price_file.h"
#include "tests/fuzz/fuzz.h"

static void check_row(const struct price_book *b, const struct model_facts *row)
{
	ptrdiff_t slash = str_chr(row->name, '/');
	struct usage u = { .input = 300000, .output = 1000, .cached = 400000, .reasoning = 10, .cache_write = 7, .audio_input = -3 };
	must(slash > 0);
	must(price_book_find(b, str_head(row->name, (size_t)slash), str_skip(row->name, (size_t)slash + 1)) == row);
	for (int s = 0; s < SERVICE_TIERS; s++)
		must(price_cost(&row->price, &u, (enum service_tier)s) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of((const char *)data, size);
	char *copy = alone(in);
	struct arena a = ARENA_INIT;
	struct price_book book;
	struct price_fault fault = { .line = 0 };
	if (price_file_parse(str_of(copy, in.n), &a, &book, &fault)) {
		for (size_t i = 0; i < book.n; i++)
			check_row(&book, &book.rows[i]);
	} else {
		must(book.n == 0 && fault.message[0]);
	}
	arena_clear(&a);
	free(copy);
	return 0;
}
