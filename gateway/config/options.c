/*
 * options.c: loading a record by its table.
 */
#include "config/options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* --- single values --- */

struct unit {
	struct str name;
	uint64_t factor;
};

static bool with_unit(struct str text, const struct unit *units, size_t n, uint64_t *out)
{
	size_t digits = 0;
	uint64_t value;
	while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
		digits++;
	struct str name = str_trim(str_skip(text, digits));
	if (!str_u64(str_head(text, digits), &value))
		return false;
	for (size_t i = 0; i < n; i++)
		if (str_eq(units[i].name, name))
			return !__builtin_mul_overflow(value, units[i].factor, out) && *out <= INT64_MAX;
	return false;
}

static bool parse_size(struct str text, uint64_t *out)
{
	static const struct unit units[] = { { STR_INIT(""), 1 }, { STR_INIT("KiB"), 1 << 10 }, { STR_INIT("MiB"), 1 << 20 },
					     { STR_INIT("GiB"), 1 << 30 }, { STR_INIT("B"), 1 } };
	return with_unit(text, units, array_len(units), out);
}

static bool parse_duration(struct str text, uint64_t *out)
{
	static const struct unit units[] = { { STR_INIT("ms"), 1000 }, { STR_INIT("s"), 1000000 },
					     { STR_INIT("m"), 60000000 }, { STR_INIT("h"), UINT64_C(3600000000) },
					     { STR_INIT("d"), UINT64_C(86400000000) } };
	return with_unit(text, units, array_len(units), out);
}

static bool parse_bool(struct str text, bool *out)
{
	*out = str_eq(text, STR("true"));
	return *out || str_eq(text, STR("false"));
}

static bool parse_word(const char *words, struct str text, int *out)
{
	struct str rest = str_c(words), word;
	for (int i = 0; str_split(&rest, ' ', &word); i++) {
		if (!str_eq(word, text))
			continue;
		*out = i;
		return true;
	}
	return false;
}

static bool parse_number(struct str text)
{
	bool digit = false, dot = false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] >= '0' && text.p[i] <= '9')
			digit = true;
		else if (text.p[i] == '.' && !dot)
			dot = true;
		else
			return false;
	}
	return digit;
}

static void add_string(struct option_strings *list, struct str s, struct arena *a)
{
	struct str *items = arena_array(a, struct str, list->n + 1);
	if (list->n)
		memcpy(items, list->items, list->n * sizeof(*items));
	items[list->n] = s;
	*list = (struct option_strings){ items, list->n + 1 };
}

bool option_parse(const struct option *o, struct str text, void *record, struct arena *a, const char **expected)
{
	union { bool flag; uint64_t n; int word; } nowhere = { .n = 0 };
	void *to = o->offset == OPTION_NOWHERE ? (void *)&nowhere : (char *)record + o->offset;
	uint64_t n;
	switch (o->type) {
	case OPTION_BOOL:
		*expected = "true or false";
		return parse_bool(text, to);
	case OPTION_COUNT:
		*expected = "a whole number";
		if (!str_u64(text, &n) || n > UINT32_MAX)
			return false;
		*(unsigned *)to = (unsigned)n;
		return true;
	case OPTION_INT:
		*expected = "a whole number, at least 0";
		if (!str_u64(text, &n) || n > INT32_MAX)
			return false;
		*(int *)to = (int)n;
		return true;
	case OPTION_INT64:
		*expected = "a whole number, at least 0";
		if (!str_u64(text, &n) || n > INT64_MAX)
			return false;
		*(int64_t *)to = (int64_t)n;
		return true;
	case OPTION_SIZE:
		*expected = "a size such as 32MiB";
		return parse_size(text, to);
	case OPTION_DURATION:
		*expected = "a duration such as 500ms, 10s, 5m, 1h or 7d";
		return parse_duration(text, to);
	case OPTION_WORD:
		*expected = o->words;
		return parse_word(o->words, text, to);
	case OPTION_NUMBER:
		*expected = "a number, at least 0";
		return parse_number(text);
	case OPTION_STRING:
	case OPTION_SECRET:
		if (o->offset != OPTION_NOWHERE)
			*(struct str *)to = text;
		return true;
	case OPTION_STRINGS:
		if (o->offset != OPTION_NOWHERE && !str_empty(text))
			add_string(to, text, a);
		return true;
	case OPTION_NODE:
	case OPTION_ANY:
		return true;
	}
	return false;
}

/* --- records --- */

static void set_default(const struct option *o, void *record, struct arena *a)
{
	const char *expected;
	if (o->fallback && o->offset != OPTION_NOWHERE && !option_parse(o, str_c(o->fallback), record, a, &expected))
		abort();	/* a row whose default does not fit its own type */
}

static void not_enforced(const struct option *o, struct option_context *c)
{
	if (!o->later || !*o->later || str_has(buf_str(c->later), str_c(o->later)))
		return;
	buf_addf(c->later, "%s%s", c->later->n ? ", " : "", o->later);
}

static void wrong(const struct node *n, const struct option *o, const char *expected, struct option_context *c)
{
	const char *shown = o->type == OPTION_SECRET ? "the value" : NULL;
	if (shown)
		report_error(c->report, n->line, n->column, "`%s`: expected %s", o->path, expected);
	else if (o->type == OPTION_WORD)
		report_error(c->report, n->line, n->column, "`%s`: `%.*s` is none of: %s", o->path,
			     STR_FMT(str_head(n->value, 60)), expected);
	else
		report_error(c->report, n->line, n->column, "`%s`: expected %s, not `%.*s`", o->path, expected,
			     STR_FMT(str_head(n->value, 60)));
}

static void load_strings(const struct option *o, const struct node *list, void *record, struct option_context *c)
{
	const char *expected;
	if (o->offset != OPTION_NOWHERE)
		*(struct option_strings *)(void *)((char *)record + o->offset) = (struct option_strings){ 0 };
	for (const struct node *n = list->kind == NODE_LIST ? list->first : list; n; n = list->kind == NODE_LIST ? n->next : NULL) {
		if (n->kind != NODE_SCALAR)
			report_error(c->report, n->line, n->column, "`%s`: expected plain text, not %s", o->path, node_kind_name(n));
		else
			option_parse(o, n->value, record, c->arena, &expected);
	}
}

static void load_value(const struct option *o, const struct node *n, void *record, struct option_context *c)
{
	const char *expected = "";
	if (!o->fallback || n->kind != NODE_SCALAR || !str_eq(n->value, str_c(o->fallback)))
		not_enforced(o, c);
	if (o->type == OPTION_NODE || o->type == OPTION_ANY) {
		if (o->offset != OPTION_NOWHERE)
			*(const struct node **)(void *)((char *)record + o->offset) = n;
		return;
	}
	if (o->type == OPTION_STRINGS && n->kind != NODE_MAP) {
		load_strings(o, n, record, c);
		return;
	}
	if (n->kind != NODE_SCALAR) {
		report_error(c->report, n->line, n->column, "`%s`: expected a single value, not %s", o->path, node_kind_name(n));
		return;
	}
	if (node_is_null(n) && o->type != OPTION_STRING && o->type != OPTION_SECRET)
		return;
	if (!option_parse(o, node_is_null(n) ? STR_NONE : n->value, record, c->arena, &expected))
		wrong(n, o, expected, c);
}

static const struct option *find(const struct option_table *t, struct str path)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_eq(str_c(t->rows[i].path), path))
			return &t->rows[i];
	return NULL;
}

/* Is there a row below this path? */
static bool is_section(const struct option_table *t, struct str path)
{
	for (size_t i = 0; i < t->n; i++) {
		struct str row = str_c(t->rows[i].path);
		if (row.n > path.n && str_starts(row, path) && row.p[path.n] == '.')
			return true;
	}
	return false;
}

/* The key at the same place that is spelled most like it. */
static struct str nearest(const struct option_table *t, struct str section, struct str key)
{
	struct str best = STR_NONE;
	unsigned least = (unsigned)(key.n / 2 + 2);
	for (size_t i = 0; i < t->n; i++) {
		struct str row = str_c(t->rows[i].path);
		if (section.n && !(str_starts(row, section) && row.n > section.n && row.p[section.n] == '.'))
			continue;
		struct str rest = section.n ? str_skip(row, section.n + 1) : row, word;
		str_split(&rest, '.', &word);
		unsigned d = str_distance(word, key);
		if (d < least) {
			least = d;
			best = word;
		}
	}
	return best;
}

static void unknown(const struct option_table *t, struct str section, const struct node *n, struct option_context *c)
{
	struct str like = nearest(t, section, n->key);
	const char *dot = section.n ? "." : "";
	if (like.n)
		report_error(c->report, n->key_line, n->key_column, "unknown key `%.*s%s%.*s`; did you mean `%.*s`?",
			     STR_FMT(section), dot, STR_FMT(n->key), STR_FMT(like));
	else
		report_error(c->report, n->key_line, n->key_column, "unknown key `%.*s%s%.*s`", STR_FMT(section), dot, STR_FMT(n->key));
}

enum { SECTION_DEPTH = 4 };

/* Walks the sections without recursion: a stack of maps and their paths. */
static void load_map(const struct option_table *t, const struct node *map, void *record, struct option_context *c)
{
	struct { const struct node *next; struct str path; } stack[SECTION_DEPTH];
	unsigned depth = 1;
	stack[0].next = map->first;
	stack[0].path = STR_NONE;
	while (depth) {
		const struct node *n = stack[depth - 1].next;
		struct str section = stack[depth - 1].path;
		if (!n) {
			depth--;
			continue;
		}
		stack[depth - 1].next = n->next;
		struct str path = arena_printf(c->arena, "%.*s%s%.*s", STR_FMT(section), section.n ? "." : "", STR_FMT(n->key));
		const struct option *o = find(t, path);
		if (o) {
			load_value(o, n, record, c);
		} else if (is_section(t, path) && n->kind == NODE_MAP && depth < SECTION_DEPTH) {
			stack[depth].next = n->first;
			stack[depth++].path = path;
		} else if (is_section(t, path)) {
			if (!node_is_null(n))
				report_error(c->report, n->line, n->column, "`%.*s`: expected a map, not %s", STR_FMT(path), node_kind_name(n));
		} else {
			unknown(t, section, n, c);
		}
	}
}

void options_load(const struct option_table *t, const struct node *map, void *record, struct option_context *c)
{
	for (size_t i = 0; i < t->n; i++)
		set_default(&t->rows[i], record, c->arena);
	if (!map || node_is_null(map))
		return;
	if (map->kind != NODE_MAP) {
		report_error(c->report, map->line, map->column, "expected a map, not %s", node_kind_name(map));
		return;
	}
	load_map(t, map, record, c);
}

void option_variable(const struct option *o, char *to, size_t size)
{
	int n = snprintf(to, size, "WEIR_%s", o->path);
	for (int i = 0; i < n && (size_t)i < size - 1; i++)
		to[i] = to[i] == '.' ? '_' : (char)toupper((unsigned char)to[i]);
}
