/*
 * table.c: rows found by the value in one of their columns; case and the white space around it do not count.
 */
#include <stdlib.h>
#include <string.h>

#include "rules/text.h"

struct table {
	char *room;			/* what was unfolded */
	struct weir_text *fields;	/* rows of `columns` fields; the first names them */
	size_t n, room_fields;		/* fields */
	size_t columns, key;
	uint32_t *slots;		/* row by the hash of its key, open addressing; 0: free */
	size_t slots_n;
};

static struct weir_text trimmed(struct weir_text t)
{
	while (t.n && (unsigned char)t.p[0] <= ' ')
		t.p++, t.n--;
	while (t.n && (unsigned char)t.p[t.n - 1] <= ' ')
		t.n--;
	return t;
}

static uint64_t hash(struct weir_text t)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (size_t at = 0; at < t.n;)
		h = (h ^ folded_character(t, &at)) * UINT64_C(1099511628211);
	return h ^ h >> 29;
}

/* The slot of the row with the key, or a free one. */
static uint32_t *slot(const struct table *t, struct weir_text key)
{
	size_t i = (size_t)hash(key) & (t->slots_n - 1);
	while (t->slots[i] && !text_same(trimmed(t->fields[t->slots[i] * t->columns + t->key]), key))
		i = (i + 1) & (t->slots_n - 1);
	return &t->slots[i];
}

static bool add_row(struct table *t, const struct weir_text *fields, size_t n)
{
	if (t->n + t->columns > t->room_fields) {
		size_t room = 2 * (t->n + t->columns);
		struct weir_text *more = realloc(t->fields, room * sizeof(*more));
		if (!more)
			return false;
		t->fields = more;
		t->room_fields = room;
	}
	for (size_t i = 0; i < t->columns; i++)
		t->fields[t->n++] = i < n ? fields[i] : (struct weir_text){ "", 0 };
	return true;
}

static const char *index_rows(struct table *t, const unsigned *lines, unsigned *line)
{
	size_t rows = t->n / t->columns;
	for (t->slots_n = 16; t->slots_n < 2 * rows; t->slots_n *= 2)
		;
	if (!(t->slots = calloc(t->slots_n, sizeof(*t->slots))))
		return "no memory";
	for (size_t i = 1; i < rows; i++) {
		struct weir_text key = trimmed(t->fields[i * t->columns + t->key]);
		uint32_t *s = slot(t, key);
		*line = lines[i];
		if (!key.n)
			return "the row has no key";
		if (*s)
			return "a row before it has the same key";
		*s = (uint32_t)i;
	}
	return NULL;
}

static const char *read_rows(struct table *t, struct csv *csv, unsigned **lines)
{
	struct weir_text fields[CSV_FIELDS_MAX];
	size_t used = 0, rows = 0, room = 0;
	for (int n; (n = csv_row(csv, t->room, &used, fields)) >= 0;) {
		if (n == 1 && !fields[0].n)
			continue;
		if (!t->columns)
			t->columns = (size_t)n;
		if (rows == room) {
			unsigned *more = realloc(*lines, (room = room ? 2 * room : 64) * sizeof(*more));
			if (!more)
				return "no memory";
			*lines = more;
		}
		if ((size_t)n > t->columns)
			return "the row has more fields than the first one names";
		(*lines)[rows++] = csv->line;
		if (!add_row(t, fields, (size_t)n))
			return "no memory";
	}
	return csv->error ? csv->error : rows < 2 ? "the table has no rows" : NULL;
}

struct table *table_read(struct weir_text csv_text, struct weir_text key, const char **error, unsigned *line)
{
	struct table *t = calloc(1, sizeof(*t));
	struct csv csv = { .text = csv_text };
	unsigned *lines = NULL;
	*error = t && (t->room = malloc(csv_text.n + 1)) ? read_rows(t, &csv, &lines) : "no memory";
	*line = csv.line ? csv.line : 1;
	if (!*error && !table_column(t, key, &t->key))
		*error = "the first row does not name the column of keys", *line = 1;
	if (!*error)
		*error = index_rows(t, lines, line);
	free(lines);
	if (!*error)
		return t;
	table_free(t);
	return NULL;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	free(t->room);
	free(t->fields);
	free(t->slots);
	free(t);
}

bool table_column(const struct table *t, struct weir_text name, size_t *column)
{
	for (*column = 0; *column < t->columns; ++*column)
		if (text_same(trimmed(t->fields[*column]), name))
			return true;
	return false;
}

size_t table_find(const struct table *t, struct weir_text key)
{
	key = trimmed(key);
	return key.n ? *slot(t, key) : 0;
}

struct weir_text table_field(const struct table *t, size_t row, size_t column)
{
	return t->fields[row * t->columns + column];
}
