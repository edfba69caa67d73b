/*
 * cli_prices.c: checking a new table of prices, and putting it in place.
 *
 * A table that cannot be right is refused whole, with its line and column; what is installed
 * replaces the old file in one step, and a gateway with `watch: true` takes it over.
 */
#include "cli_prices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli_http.h"
#include "config/load.h"
#include "config/tree.h"
#include "metering/price_file.h"

enum { SHOWN = 40 };

static struct arena arena;

static bool is_url(const char *s)
{
	return strncmp(s, "http://", 7) == 0 || strncmp(s, "https://", 8) == 0;
}

static bool fetch(const char *from, struct str *out)
{
	struct buf body = BUF_INIT(PRICE_FILE_MAX + 1);
	char error[256] = "";
	if (!is_url(from)) {
		bool good = tree_file(from, PRICE_FILE_MAX, &arena, out);
		if (!good)
			fprintf(stderr, "weir: cannot read %s: %s\n", from, strerror(errno));
		return good;
	}
	long status = cli_get(from, NULL, &body, error, sizeof(error));
	*out = arena_copy(&arena, buf_str(&body));
	buf_free(&body);
	if (status != 200)
		fprintf(stderr, "weir: %s: %s%ld\n", from, status ? "status " : error, status);
	return status == 200;
}

static bool parse(const char *name, struct str text, struct price_book *book)
{
	struct price_fault fault;
	if (price_file_parse(text, &arena, book, &fault))
		return true;
	fprintf(stderr, "%s:%u:%u: error: %s\n", name, fault.line, fault.column, fault.message);
	return false;
}

/* --- what changes --- */

static const struct model_facts *find(const struct price_book *b, struct str name)
{
	ptrdiff_t slash = str_chr(name, '/');
	return price_book_find(b, str_head(name, (size_t)slash), str_skip(name, (size_t)slash + 1));
}

static void print_rates(const struct model_facts *row)
{
	char input[MONEY_SIZE], output[MONEY_SIZE];
	int64_t out = row->price.rates[RATE_OUTPUT];
	if (!row->priced) {
		printf("unknown");
		return;
	}
	struct str i = money_format(input, row->price.rates[RATE_INPUT]), o = money_format(output, out > 0 ? out : 0);
	printf("%.*s/%.*s", STR_FMT(i), STR_FMT(o));
}

static void print_change(const struct model_facts *from, const struct model_facts *to)
{
	printf("  %.*s: ", STR_FMT((to ? to : from)->name));
	if (from)
		print_rates(from);
	printf("%s", from && to ? " -> " : from ? ", gone" : "new, ");
	if (to)
		print_rates(to);
	printf("\n");
}

static bool same(const struct model_facts *a, const struct model_facts *b)
{
	return memcmp(&a->price, &b->price, sizeof(a->price)) == 0;
}

static void print_changes(const struct price_book *old, const struct price_book *new)
{
	unsigned changed = 0, added = 0, gone = 0;
	for (size_t i = 0; i < new->n; i++) {
		const struct model_facts *before = find(old, new->rows[i].name);
		if (before && same(before, &new->rows[i]))
			continue;
		changed += before != NULL;
		added += before == NULL;
		if (changed + added <= SHOWN)
			print_change(before, &new->rows[i]);
	}
	for (size_t i = 0; i < old->n; i++)
		if (!find(new, old->rows[i].name) && ++gone <= SHOWN)
			print_change(&old->rows[i], NULL);
	printf("%zu prices: %u changed, %u new, %u gone (USD per million tokens, input/output)\n", new->n, changed, added, gone);
}

/* --- the commands --- */

static bool install(struct str text, const char *to)
{
	struct str beside = arena_printf(&arena, "%s.new", to);
	FILE *f = fopen(beside.p, "wb");
	bool good = f && fwrite(text.p, 1, text.n, f) == text.n && fflush(f) == 0 && fsync(fileno(f)) == 0;
	if (f)
		good &= fclose(f) == 0;
	good = good && rename(beside.p, to) == 0;
	if (!good)
		fprintf(stderr, "weir: cannot write %s: %s\n", to, strerror(errno));
	return good;
}

/* The file that the configuration lays over the built-in table; empty: none. */
static struct str configured(const char *config)
{
	struct config_report r;
	report_init(&r);
	struct snapshot *s = config_load(config_find(config), &r);
	struct str file = STR_NONE;
	for (unsigned i = 0; s && i < s->pricing.n; i++) {
		const struct price_book *b = s->pricing.books[i];
		if (b != price_file_builtin() && !str_eq(b->source, STR("prices")))
			file = arena_copy(&arena, b->source);
	}
	snapshot_unref(s);
	report_free(&r);
	return file;
}

static int update(const char *config, const char *from, const char *to)
{
	struct str text, old_text, file = to ? str_c(to) : configured(config);
	struct price_book old = *price_file_builtin(), new;
	if (!fetch(from, &text))
		return 1;
	if (!parse(from, text, &new))
		return 2;
	if (!str_empty(file) && tree_file(file.p, PRICE_FILE_MAX, &arena, &old_text) && !parse(file.p, old_text, &old))
		old = *price_file_builtin();
	print_changes(&old, &new);
	if (str_empty(file)) {
		fprintf(stderr, "weir: not installed: say where with --to FILE, and `prices_file: FILE` in the configuration\n");
		return 1;
	}
	if (!install(text, file.p))
		return 1;
	printf("installed as %.*s; a running gateway takes it over with its next reload\n", STR_FMT(file));
	return 0;
}

int cli_prices_update(const char *config, const char *from, const char *to)
{
	int status = update(config, from, to);
	arena_clear(&arena);
	return status;
}

int cli_prices_list(const char *config, const char *part)
{
	struct str file = configured(config), text;
	struct price_book book = *price_file_builtin();
	if (!str_empty(file) && (!tree_file(file.p, PRICE_FILE_MAX, &arena, &text) || !parse(file.p, text, &book)))
		return 1;
	unsigned shown = 0;
	for (size_t i = 0; i < book.n; i++) {
		if (part && !str_has(book.rows[i].name, str_c(part)))
			continue;
		shown++;
		printf("%.*s ", STR_FMT(book.rows[i].name));
		print_rates(&book.rows[i]);
		printf("\n");
	}
	arena_clear(&arena);
	if (!shown)
		fprintf(stderr, "weir: no name in the table has `%s` in it\n", part ? part : "");
	return !shown;
}
