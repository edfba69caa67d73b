/*
 * price_file.c: reading a table of prices, strictly: a figure that cannot be right refuses
 * the whole table, with its place, because a wrong price is worse than an old one.
 */
#include "metering/price_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { COLUMNS_MAX = 32, NAME_MOST = 256 };
static const int64_t PRICE_MOST = 100000 * NANO;	/* a million tokens for more is a slip of the pen */
static const int64_t TOKENS_MOST = INT64_C(1) << 40;

enum column {
	COLUMN_MODEL, COLUMN_MODE, COLUMN_RATE /* ... one for each enum rate */, COLUMN_REQUEST = COLUMN_RATE + RATES,
	COLUMN_CONTEXT, COLUMN_MAX_OUTPUT, COLUMN_FEATURES, COLUMN_RETIRES, COLUMN_ABOVE, COLUMN_FLEX, COLUMN_PRIORITY,
	COLUMN_BATCH, COLUMNS
};

static const char *const column_names[COLUMNS] = {
	"model", "mode", "input", "output", "cached_input", "cache_write", "cache_write_1h", "reasoning", "audio_input",
	"audio_output", "image_input", "request", "context", "max_output", "features", "retires", "above", "flex", "priority",
	"batch",
};

struct reader {
	struct price_book *book;
	struct model_facts *rows;
	unsigned columns[COLUMNS_MAX];	/* of the file, in its order */
	unsigned n_columns;
	unsigned line, column;
	struct price_fault *fault;
};

static bool printf_like(2, 3) wrong(struct reader *r, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(r->fault->message, sizeof(r->fault->message), fmt, ap);
	va_end(ap);
	r->fault->line = r->line;
	r->fault->column = r->column;
	return false;
}

static bool not_a(struct reader *r, unsigned column, const char *expected, struct str text)
{
	return wrong(r, "`%s`: expected %s, not `%.*s`", column_names[column], expected, STR_FMT(str_head(text, 40)));
}

/* --- fields --- */

static bool read_price(struct reader *r, unsigned column, struct str text, int64_t *out)
{
	if (str_empty(text)) {
		*out = PRICE_UNKNOWN;
		return true;
	}
	if (!money_parse(text, out))
		return not_a(r, column, "dollars, at least 0 with at most nine decimals", text);
	return *out <= PRICE_MOST || not_a(r, column, "at most 100000 dollars", text);
}

static bool read_tokens(struct reader *r, unsigned column, struct str text, int64_t *out)
{
	uint64_t n = 0;
	if (!str_empty(text) && (!str_u64(text, &n) || n == 0 || n > (uint64_t)TOKENS_MOST))
		return not_a(r, column, "a whole number of tokens", text);
	*out = (int64_t)n;
	return true;
}

/* input/output/cached */
static bool read_three(struct reader *r, unsigned column, struct str text, struct price_three *out)
{
	struct str rest = text, input = STR_NONE, output = STR_NONE, cached = STR_NONE;
	str_split(&rest, '/', &input);
	str_split(&rest, '/', &output);
	str_split(&rest, '/', &cached);
	if (str_empty(input) || str_empty(output) || rest.n)
		return not_a(r, column, "input/output/cached", text);
	return read_price(r, column, input, &out->input) && read_price(r, column, output, &out->output) &&
	       read_price(r, column, cached, &out->cached_input);
}

static bool read_above(struct reader *r, struct str text, struct price *p)
{
	struct str tier, tokens;
	unsigned n = 0;
	while (str_split(&text, ' ', &tier)) {
		struct str whole = tier;
		if (str_empty(tier))
			continue;
		if (n == PRICE_TIERS)
			return not_a(r, COLUMN_ABOVE, "at most three tiers", whole);
		if (!str_split(&tier, ':', &tokens) || !read_tokens(r, COLUMN_ABOVE, tokens, &p->tiers[n].above) ||
		    p->tiers[n].above == 0)
			return not_a(r, COLUMN_ABOVE, "TOKENS:input/output/cached", whole);
		if (n && p->tiers[n].above <= p->tiers[n - 1].above)
			return not_a(r, COLUMN_ABOVE, "tokens that rise from tier to tier", whole);
		if (!read_three(r, COLUMN_ABOVE, tier, &p->tiers[n].price))
			return false;
		n++;
	}
	return true;
}

static bool read_features(struct reader *r, struct str text, unsigned *bits)
{
	struct str word;
	while (str_split(&text, ' ', &word)) {
		if (word.n && !feature_of(word))
			return not_a(r, COLUMN_FEATURES, "tools, vision, audio, json_schema, reasoning", word);
		*bits |= feature_of(word);
	}
	return true;
}

static bool read_mode(struct reader *r, struct str text, enum model_mode *out)
{
	static const char *const modes[MODES] = { "chat", "embedding", "rerank", "moderation", "audio", "image", "responses" };
	for (unsigned i = 0; i < MODES; i++) {
		*out = (enum model_mode)i;
		if (str_eq(str_c(modes[i]), text))
			return true;
	}
	*out = MODE_CHAT;
	return str_empty(text) || not_a(r, COLUMN_MODE, "chat, responses, embedding, rerank, moderation, audio or image", text);
}

static bool read_date(struct str text, int32_t *out)
{
	uint64_t year, month, day;
	if (text.n != 10 || text.p[4] != '-' || text.p[7] != '-' || !str_u64(str_head(text, 4), &year) ||
	    !str_u64(str_head(str_skip(text, 5), 2), &month) || !str_u64(str_skip(text, 8), &day) || year < 1970 || month < 1 ||
	    month > 12 || day < 1 || day > 31)
		return false;
	*out = (int32_t)(year * 10000 + month * 100 + day);
	return true;
}

static bool read_name(struct reader *r, struct str text, struct model_facts *row)
{
	ptrdiff_t slash = str_chr(text, '/');
	bool good = slash > 0 && (size_t)slash + 1 < text.n && text.n <= NAME_MOST;
	for (size_t i = 0; i < text.n; i++)
		good &= text.p[i] > ' ' && text.p[i] < 0x7f && text.p[i] != '"';
	row->name = text;
	return good || not_a(r, COLUMN_MODEL, "provider/model", text);
}

static bool read_field(struct reader *r, unsigned column, struct str text, struct model_facts *row)
{
	struct price *p = &row->price;
	if (column >= COLUMN_RATE && column < COLUMN_RATE + RATES)
		return read_price(r, column, text, &p->rates[column - COLUMN_RATE]);
	switch (column) {
	case COLUMN_MODEL:      return read_name(r, text, row);
	case COLUMN_MODE:       return read_mode(r, text, &row->mode);
	case COLUMN_REQUEST:    return str_empty(text) || read_price(r, column, text, &p->request);
	case COLUMN_CONTEXT:    return read_tokens(r, column, text, &row->context);
	case COLUMN_MAX_OUTPUT: return read_tokens(r, column, text, &row->max_output);
	case COLUMN_ABOVE:      return read_above(r, text, p);
	case COLUMN_FLEX:       return str_empty(text) || read_three(r, column, text, &p->services[SERVICE_FLEX]);
	case COLUMN_PRIORITY:   return str_empty(text) || read_three(r, column, text, &p->services[SERVICE_PRIORITY]);
	case COLUMN_BATCH:      return str_empty(text) || read_three(r, column, text, &p->services[SERVICE_BATCH]);
	case COLUMN_FEATURES:
		row->listed = true;
		return read_features(r, text, &row->features);
	default:
		return str_empty(text) || read_date(text, &row->retires) || not_a(r, column, "a date like 2026-12-31", text);
	}
}

/* --- rows --- */

/* Figures that contradict each other. */
static bool check_row(struct reader *r, struct model_facts *row)
{
	const int64_t *rates = row->price.rates;
	bool any = false;
	for (int i = 0; i < RATES; i++)
		any |= rates[i] != PRICE_UNKNOWN;
	row->priced = rates[RATE_INPUT] != PRICE_UNKNOWN;
	if (any && !row->priced)
		return wrong(r, "`%.*s` has prices but none for its input", STR_FMT(row->name));
	if (row->priced && rates[RATE_OUTPUT] == PRICE_UNKNOWN && (row->mode == MODE_CHAT || row->mode == MODE_RESPONSES))
		return wrong(r, "`%.*s` has no price for its output", STR_FMT(row->name));
	if (row->priced && rates[RATE_INPUT] == 0 && rates[RATE_OUTPUT] <= 0 && row->price.request == 0)
		return wrong(r, "`%.*s` would cost nothing: leave its prices empty, and say `free: true` of the target",
			     STR_FMT(row->name));
	if (rates[RATE_CACHED_INPUT] > rates[RATE_INPUT])
		return wrong(r, "`%.*s`: cached input costs more than input", STR_FMT(row->name));
	return true;
}

static bool read_row(struct reader *r, struct str line, struct model_facts *row)
{
	struct str rest = line, text;
	unsigned i = 0;
	price_init(&row->price);
	while (str_split(&rest, ',', &text)) {
		r->column = (unsigned)(text.p - line.p) + 1;
		if (i == r->n_columns)
			return wrong(r, "more fields than columns");
		if (!read_field(r, r->columns[i++], str_trim(text), row))
			return false;
	}
	r->column = 1;
	if (i < r->n_columns)
		return wrong(r, "%u fields, but %u columns", i, r->n_columns);
	return check_row(r, row);
}

static bool read_head(struct reader *r, struct str line)
{
	struct str rest = line, name;
	unsigned seen = 0;
	while (str_split(&rest, ',', &name)) {
		unsigned c = 0;
		r->column = (unsigned)(name.p - line.p) + 1;
		while (c < COLUMNS && !str_eq(str_c(column_names[c]), str_trim(name)))
			c++;
		if (c == COLUMNS || seen & 1u << c || r->n_columns == COLUMNS_MAX)
			return wrong(r, "there is no column `%.*s`, or it comes twice", STR_FMT(str_head(name, 40)));
		seen |= 1u << c;
		r->columns[r->n_columns++] = c;
	}
	r->column = 1;
	return seen & 1u << COLUMN_MODEL || wrong(r, "the first line names the columns, `model` among them");
}

static void read_comment(struct reader *r, struct str line)
{
	for (size_t i = 0; !r->book->date && i + 10 <= line.n; i++)
		if (!read_date(str_head(str_skip(line, i), 10), &r->book->date))
			continue;
}

static int by_name(const void *a, const void *b)
{
	struct str x = ((const struct model_facts *)a)->name, y = ((const struct model_facts *)b)->name;
	int order = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
	return order ? order : (x.n > y.n) - (x.n < y.n);
}

static unsigned line_of(struct str text, const char *at)
{
	unsigned line = 1;
	for (const char *p = text.p; p < at; p++)
		line += *p == '\n';
	return line;
}

static bool sort_rows(struct reader *r, struct str text)
{
	if (r->book->n > 1)
		qsort(r->rows, r->book->n, sizeof(*r->rows), by_name);
	r->column = 1;
	for (size_t i = 1; i < r->book->n; i++)
		if (by_name(&r->rows[i - 1], &r->rows[i]) == 0) {
			const char *a = r->rows[i - 1].name.p, *b = r->rows[i].name.p;
			r->line = line_of(text, a > b ? a : b);
			return wrong(r, "`%.*s` comes twice", STR_FMT(r->rows[i].name));
		}
	return true;
}

static size_t count_lines(struct str text)
{
	size_t n = 1;
	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	return n;
}

static bool read_lines(struct reader *r, struct str text)
{
	struct str rest = text, line;
	while (str_split(&rest, '\n', &line)) {
		r->line++;
		r->column = 1;
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (str_empty(str_trim(line)))
			continue;
		if (line.p[0] == '#') {
			read_comment(r, line);
		} else if (r->n_columns == 0) {
			if (!read_head(r, line))
				return false;
		} else {
			if (!read_row(r, line, &r->rows[r->book->n]))
				return false;
			r->book->n++;
		}
	}
	return r->n_columns ? sort_rows(r, text) : wrong(r, "there is no table in it");
}

bool price_file_parse(struct str text, struct arena *arena, struct price_book *book, struct price_fault *fault)
{
	*book = (struct price_book){ .rows = NULL };
	struct reader r = { .book = book, .fault = fault, .rows = arena_array(arena, struct model_facts, count_lines(text)) };
	if (text.n > PRICE_FILE_MAX)
		return wrong(&r, "a table of more than 8 MiB");
	book->rows = r.rows;
	if (read_lines(&r, text))
		return true;
	*book = (struct price_book){ .rows = NULL };
	return false;
}
