/*
 * build_prices.c: the three tables of prices, the configuration's own on top.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "config/build.h"
#include "metering/price_file.h"

static void check_own_price(struct build *b, const struct node *n, struct model_facts *row)
{
	const int64_t *rates = row->price.rates;
	if (n->kind != NODE_MAP || n->broken)
		return;
	if (rates[RATE_INPUT] == PRICE_UNKNOWN && row->price.request == 0)
		report_error(b->report, n->key_line, n->key_column, "the price of `%.*s` has no `input`", STR_FMT(n->key));
	else if (rates[RATE_INPUT] <= 0 && rates[RATE_OUTPUT] <= 0 && row->price.request == 0)
		report_error(b->report, n->key_line, n->key_column,
			     "`%.*s` would cost nothing: say `free: true` of its target or provider instead", STR_FMT(n->key));
	else if (rates[RATE_CACHED_INPUT] > rates[RATE_INPUT])
		build_error(b, node_get(n, STR("cached_input")), "`cached_input` is higher than `input`");
	if (row->price.rates[RATE_INPUT] == PRICE_UNKNOWN)
		row->price.rates[RATE_INPUT] = row->price.rates[RATE_OUTPUT] = 0;	/* paid by the request alone */
}

static int by_name(const void *a, const void *b)
{
	struct str x = ((const struct model_facts *)a)->name, y = ((const struct model_facts *)b)->name;
	int order = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
	return order ? order : (x.n > y.n) - (x.n < y.n);
}

static const struct price_book *own_book(struct build *b, const struct node *map)
{
	struct price_book *book = arena_new(b->arena, struct price_book);
	struct model_facts *rows = arena_array(b->arena, struct model_facts, map->n + 1);
	for (const struct node *n = map->first; n; n = n->next) {
		struct model_facts *row = &rows[book->n++];
		price_init(&row->price);
		row->price.agreed = true;
		options_load(&price_table, n, &row->price, &b->context);
		row->name = n->key;
		row->priced = true;
		check_own_price(b, n, row);
		if (str_chr(n->key, '/') <= 0)
			report_error(b->report, n->key_line, n->key_column, "a price is one of provider/model, not of `%.*s`",
				     STR_FMT(str_head(n->key, 80)));
	}
	qsort(rows, book->n, sizeof(*rows), by_name);
	book->rows = rows;
	book->source = STR("prices");
	return book;
}

/* The text of a file, kept with the snapshot. */
static const struct price_book *file_book(struct build *b, struct str file)
{
	const struct node *at = node_get(b->root, STR("prices_file"));
	struct price_book *book = arena_new(b->arena, struct price_book);
	struct price_fault fault;
	struct str text;
	if (!tree_file(arena_copy(b->arena, file).p, PRICE_FILE_MAX, b->arena, &text)) {
		build_error(b, at, "`prices_file`: cannot read %.*s: %s", STR_FMT(file), strerror(errno));
		return NULL;
	}
	if (!price_file_parse(text, b->arena, book, &fault)) {
		build_error(b, at, "%.*s:%u:%u: %s", STR_FMT(file), fault.line, fault.column, fault.message);
		return NULL;
	}
	book->source = file;
	return book;
}

void build_prices(struct build *b)
{
	struct pricing *p = &b->s->pricing;
	const struct node *map = b->draft.prices;
	p->unpriced = (enum unpriced)b->draft.unpriced;
	if (map && !node_is_null(map) && map->kind != NODE_MAP)
		build_error(b, map, "`prices`: expected a map of targets, not %s", node_kind_name(map));
	if (map && map->kind == NODE_MAP && map->first)
		p->books[p->n++] = own_book(b, map);
	if (!str_empty(b->draft.prices_file) && b->environment) {
		const struct price_book *book = file_book(b, b->draft.prices_file);
		if (book)
			p->books[p->n++] = book;
	}
	p->books[p->n++] = price_file_builtin();
}
