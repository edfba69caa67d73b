/*
 * usage_report.c: a hash table of rows, sorted when all are there.
 */
#include "metering/usage_report.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/money.h"
#include "wire/json_run.h"

enum { ROOM_FIRST = 64, COUNTS = 6, SEPARATOR = '\x1f' };

struct usage_row {
	struct usage_counts counts;
	uint64_t hash;
	struct str text;			/* all cells, a separator behind each */
	struct str cells[USAGE_BY_MAX];
	char bytes[];
};

static const struct str names[USAGE_COLUMNS] = {
	[USAGE_KEY] = STR_INIT("key"), [USAGE_TEAM] = STR_INIT("team"), [USAGE_TAGS] = STR_INIT("tags"),
	[USAGE_MODEL] = STR_INIT("model"), [USAGE_DAY] = STR_INIT("day"), [USAGE_TARGET] = STR_INIT("target"),
	[USAGE_ENDPOINT] = STR_INIT("endpoint"), [USAGE_STATUS] = STR_INIT("status"),
};
static const char *const count_names[COUNTS] = { "requests", "failed", "input", "output", "cost_usd", "estimated_usd" };

static int column_of(struct str name)
{
	for (int i = 0; i < USAGE_COLUMNS; i++)
		if (str_eq(names[i], name))
			return i;
	return -1;
}

bool usage_report_begin(struct usage_report *r, struct str by, struct buf *why)
{
	struct str name;
	*r = (struct usage_report){ .n_by = 0 };
	while (str_split(&by, ',', &name)) {
		int column = column_of(str_trim(name));
		if (column < 0 || r->n_by == USAGE_BY_MAX) {
			buf_addf(why, "cannot report by `%.*s`: there are key, team, tags, model, target, endpoint, status, day, at most %d",
				 STR_FMT(str_head(name, 40)), USAGE_BY_MAX);
			return false;
		}
		r->by[r->n_by++] = (enum usage_column)column;
	}
	if (r->n_by == 0)
		buf_addf(why, "say what to report by: key,model");
	return r->n_by > 0;
}

void usage_report_free(struct usage_report *r)
{
	for (unsigned i = 0; i < r->room; i++)
		free(r->rows[i]);
	free(r->rows);
	*r = (struct usage_report){ .n_by = 0 };
}

bool usage_report_shared(const struct usage_report *r)
{
	for (unsigned i = 0; i < r->n_by; i++)
		if (r->by[i] > USAGE_DAY)
			return false;
	return true;
}

/* --- adding up --- */

static struct usage_row *row_new(const struct str *cells, unsigned n)
{
	size_t bytes = n;
	for (unsigned i = 0; i < n; i++)
		bytes += cells[i].n;
	struct usage_row *row = mem_alloc(sizeof(*row) + bytes);
	char *to = row->bytes;
	for (unsigned i = 0; i < n; i++) {
		row->cells[i] = str_of(to, cells[i].n);
		if (cells[i].n)
			memcpy(to, cells[i].p, cells[i].n);
		to += cells[i].n;
		*to++ = SEPARATOR;
	}
	row->text = str_of(row->bytes, bytes);
	row->hash = str_hash(row->text);
	return row;
}

/* Where it stands, or would. */
static struct usage_row **place_of(const struct usage_report *r, const struct usage_row *row)
{
	unsigned at = (unsigned)row->hash & (r->room - 1);
	while (r->rows[at] && !(r->rows[at]->hash == row->hash && str_eq(r->rows[at]->text, row->text)))
		at = (at + 1) & (r->room - 1);
	return &r->rows[at];
}

static void grow(struct usage_report *r)
{
	struct usage_report larger = { .room = r->room ? 2 * r->room : ROOM_FIRST };
	larger.rows = mem_alloc(larger.room * sizeof(struct usage_row *));
	for (unsigned i = 0; i < r->room; i++)
		if (r->rows[i])
			*place_of(&larger, r->rows[i]) = r->rows[i];
	free(r->rows);
	r->rows = larger.rows;
	r->room = larger.room;
}

void usage_report_add(struct usage_report *r, const struct str cells[USAGE_BY_MAX], const struct usage_counts *c)
{
	if (4 * r->n >= 3 * r->room)
		grow(r);
	struct usage_row *row = row_new(cells, r->n_by), **place = place_of(r, row);
	if (*place)
		free(row);
	else
		*place = row;
	r->n += *place == row;
	struct usage_counts *sum = &(*place)->counts;
	sum->requests += c->requests;
	sum->failed += c->failed;
	sum->input += c->input;
	sum->output += c->output;
	sum->cost += c->cost;
	sum->estimated += c->estimated;
}

static int dearest_first(const void *a, const void *b)
{
	const struct usage_row *x = *(struct usage_row *const *)a, *y = *(struct usage_row *const *)b;
	if (!x || !y)
		return (x == NULL) - (y == NULL);
	if (x->counts.cost != y->counts.cost)
		return x->counts.cost > y->counts.cost ? -1 : 1;
	if (x->counts.requests != y->counts.requests)
		return x->counts.requests > y->counts.requests ? -1 : 1;
	size_t n = x->text.n < y->text.n ? x->text.n : y->text.n;
	return memcmp(x->text.p, y->text.p, n);
}

/* --- writing --- */

static struct str cell(const struct usage_row *row, unsigned i)
{
	return row->cells[i].n ? row->cells[i] : STR("-");
}

static struct str count(const struct usage_row *row, unsigned i, char to[MONEY_SIZE])
{
	const struct usage_counts *c = &row->counts;
	const int64_t numbers[COUNTS] = { c->requests, c->failed, c->input, c->output, c->cost, c->estimated };
	if (i >= 4)
		return money_format(to, numbers[i]);
	struct buf digits = { to, 0, MONEY_SIZE, MONEY_SIZE, false };
	buf_addf(&digits, "%lld", (long long)numbers[i]);
	return buf_str(&digits);
}

/* The length of the character at `p`; 0 for what a terminal would obey, and what is no character. */
static int printable(const char *p, const char *end)
{
	int n = json_utf8(p, end);
	bool control = n == 1 ? *p < ' ' || *p == 0x7f : n == 2 && p[0] == '\xc2' && p[1] < '\xa0';
	return n < 0 || control ? 0 : n;
}

/* Tags are what callers made up. Returns how many characters. */
static unsigned write_text(struct str text, bool csv, struct buf *out)
{
	unsigned n = 0;
	for (const char *p = text.p, *end = text.p + text.n; p < end; n++) {
		int bytes = printable(p, end);
		if (csv && *p == '"')
			buf_addc(out, '"');
		buf_add(out, bytes ? str_of(p, (size_t)bytes) : STR("?"));
		p += bytes ? bytes : 1;
	}
	return n;
}

/* A spreadsheet would reckon with what begins like a formula. */
static bool is_formula(struct str text)
{
	return text.n > 1 && memchr("=+-@", text.p[0], 4);
}

static void write_csv_cell(struct str text, struct buf *out)
{
	bool quoted = is_formula(text) || str_chr(text, ',') >= 0 || str_chr(text, '"') >= 0;
	buf_add(out, quoted ? STR("\"") : STR(""));
	buf_add(out, is_formula(text) ? STR("'") : STR(""));
	write_text(text, true, out);
	buf_add(out, quoted ? STR("\"") : STR(""));
}

static void write_csv(const struct usage_report *r, const struct usage_row *row, struct buf *out)
{
	char text[MONEY_SIZE];
	for (unsigned i = 0; i < r->n_by; i++) {
		write_csv_cell(cell(row, i), out);
		buf_addc(out, ',');
	}
	for (unsigned i = 0; i < COUNTS; i++) {
		buf_add(out, i ? STR(",") : STR(""));
		buf_add(out, count(row, i, text));
	}
	buf_addc(out, '\n');
}

static void write_json(const struct usage_report *r, const struct usage_row *row, bool first, struct buf *out)
{
	char text[MONEY_SIZE];
	buf_add(out, first ? STR("{") : STR(",\n {"));
	for (unsigned i = 0; i < r->n_by; i++) {
		buf_add_json(out, names[r->by[i]]);
		buf_addc(out, ':');
		buf_add_json(out, cell(row, i));
		buf_addc(out, ',');
	}
	for (unsigned i = 0; i < COUNTS; i++) {
		buf_addf(out, "%s\"%s\":", i ? "," : "", count_names[i]);
		buf_add(out, count(row, i, text));
	}
	buf_addc(out, '}');
}

static void write_table(const struct usage_report *r, const struct usage_row *row, struct buf *out)
{
	char text[MONEY_SIZE];
	for (unsigned i = 0; i < r->n_by; i++) {
		unsigned n = write_text(cell(row, i), false, out);
		buf_addf(out, "%*s", n < 32 ? 33 - (int)n : 1, "");
	}
	for (unsigned i = 0; i < COUNTS; i++)
		buf_addf(out, "%14.*s", STR_FMT(count(row, i, text)));
	buf_addc(out, '\n');
}

static void write_head(const struct usage_report *r, enum usage_format format, struct str of, struct buf *out)
{
	if (format == USAGE_JSON) {
		buf_add(out, STR("{\"of\":"));
		buf_add_json(out, of);
		buf_add(out, STR(",\"usage\":["));
		return;
	}
	for (unsigned i = 0; i < r->n_by; i++)
		buf_addf(out, format == USAGE_TABLE ? "%-32s " : "%s,", names[r->by[i]].p);
	for (unsigned i = 0; i < COUNTS; i++)
		buf_addf(out, format == USAGE_TABLE ? "%14s" : i ? ",%s" : "%s", count_names[i]);
	buf_addc(out, '\n');
}

void usage_report_write(struct usage_report *r, enum usage_format format, struct str of, struct buf *out)
{
	if (r->n)
		qsort(r->rows, r->room, sizeof(struct usage_row *), dearest_first);
	write_head(r, format, of, out);
	for (unsigned i = 0; i < r->n; i++) {
		if (format == USAGE_JSON)
			write_json(r, r->rows[i], i == 0, out);
		else if (format == USAGE_CSV)
			write_csv(r, r->rows[i], out);
		else
			write_table(r, r->rows[i], out);
	}
	if (format == USAGE_JSON)
		buf_add(out, STR("]}\n"));
}

bool usage_since(struct str text, int64_t *since_us)
{
	static const struct { char unit; int64_t us; } units[] = {
		{ 'm', 60 * SECOND_US }, { 'h', 3600 * SECOND_US }, { 'd', 86400 * SECOND_US }, { 'w', 7 * 86400 * SECOND_US },
	};
	uint64_t n;
	if (text.n < 2 || !str_u64(str_head(text, text.n - 1), &n) || n > 100000)
		return false;
	for (size_t i = 0; i < array_len(units); i++)
		if (units[i].unit == text.p[text.n - 1]) {
			*since_us = clock_wall_us() - (int64_t)n * units[i].us;
			return true;
		}
	return false;
}
