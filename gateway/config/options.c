/*
 * options.c: loading a record by its table.
 */
#include "config/options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/elsewhere.h"

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

static void add_string(struct option_strings *list, struct str s, struct arena *a)
{
	if ((list->n & (list->n - 1)) == 0) {	/* room grows by powers of two */
		struct str *items = arena_array(a, struct str, list->n ? 2 * (size_t)list->n : 1);
		if (list->n)
			memcpy(items, list->items, list->n * sizeof(*items));
		list->items = items;
	}
	list->items[list->n++] = s;
}

/* Least and most as the table writes them: plain numbers, or with the units of the type. */
static bool in_range(const struct option *o, uint64_t n)
{
	struct str rest = str_c(o->words), word;
	uint64_t bound = 0;
	for (bool least = true; rest.n && str_split(&rest, ' ', &word); least = false) {
		bool known = o->type == OPTION_SIZE ? parse_size(word, &bound) :
			     o->type == OPTION_DURATION ? parse_duration(word, &bound) : str_u64(word, &bound);
		if (!known)
			abort();	/* a row that cannot be read */
		if (least ? n >= bound : n <= bound)
			continue;
		return false;
	}
	return true;
}

static bool parse_whole(const struct option *o, struct str text, uint64_t most, void *to, size_t size)
{
	uint64_t n;
	if (!str_u64(text, &n) || n > most || !in_range(o, n))
		return false;
	if (size == sizeof(int64_t))
		*(int64_t *)to = (int64_t)n;
	else
		*(uint32_t *)to = (uint32_t)n;
	return true;
}

#define A_SECRET "the secret itself, or \"${NAME}\" for what the environment holds"

bool option_parse(const struct option *o, struct str text, void *record, struct arena *a, const char **expected)
{
	void *to = (char *)record + o->offset;
	switch (o->type) {
	case OPTION_BOOL:
		*expected = "true or false";
		return parse_bool(text, to);
	case OPTION_COUNT:
		*expected = "a whole number";
		return parse_whole(o, text, UINT32_MAX, to, sizeof(unsigned));
	case OPTION_INT:
		*expected = "a whole number";
		return parse_whole(o, text, INT32_MAX, to, sizeof(int));
	case OPTION_INT64:
		*expected = "a whole number";
		return parse_whole(o, text, INT64_MAX, to, sizeof(int64_t));
	case OPTION_SIZE:
		*expected = "a size such as 32MiB";
		return parse_size(text, to) && in_range(o, *(uint64_t *)to);
	case OPTION_DURATION:
		*expected = "a duration such as 500ms, 10s, 5m, 1h or 7d";
		return parse_duration(text, to) && in_range(o, *(uint64_t *)to);
	case OPTION_WORD:
		*expected = o->words;
		return parse_word(o->words, text, to);
	case OPTION_MONEY:
		*expected = "dollars, at least 0, with at most nine decimals";
		return money_parse(text, to);
	case OPTION_STRING:
		*(struct str *)to = text;
		return true;
	case OPTION_SECRET:
		*expected = A_SECRET;
		*(struct str *)to = text;
		return !elsewhere_variable(text);
	case OPTION_AUTO:
		*expected = "auto or a whole number";
		*(unsigned *)to = 0;
		return str_eq(text, STR("auto")) || parse_whole(o, text, UINT32_MAX, to, sizeof(unsigned));
	case OPTION_STRINGS:
	case OPTION_SECRETS:
		*expected = A_SECRET;
		if (!str_empty(text))
			add_string(to, text, a);
		return o->type == OPTION_STRINGS || !elsewhere_variable(text);
	case OPTION_NODE:
		return true;
	}
	return false;
}

/* --- records --- */

static void set_default(const struct option *o, void *record, struct arena *a)
{
	const char *expected;
	if (o->fallback && !option_parse(o, str_c(o->fallback), record, a, &expected))
		abort();	/* a row whose default does not fit its own type */
}

static void wrong(const struct node *n, const struct option *o, const char *expected, struct option_context *c)
{
	const char *one_of = o->type == OPTION_WORD ? "one of: " : "";
	struct str least, most = str_c(o->type == OPTION_WORD ? NULL : o->words);
	if (str_split(&most, ' ', &least))
		expected = arena_printf(c->arena, "%s, from %.*s to %.*s", expected, STR_FMT(least), STR_FMT(most)).p;
	if (o->type == OPTION_SECRET || o->type == OPTION_SECRETS || n->replaced)
		report_error(c->report, n->line, n->column, "`%s`: expected %s%s", o->path, one_of, expected);
	else
		report_error(c->report, n->line, n->column, "`%s`: expected %s%s, not `%.*s`", o->path, one_of, expected,
			     STR_FMT(str_head(n->value, 60)));
}

static void load_strings(const struct option *o, const struct node *list, void *record, struct option_context *c)
{
	const char *expected;
	*(struct option_strings *)(void *)((char *)record + o->offset) = (struct option_strings){ 0 };
	for (const struct node *n = list->kind == NODE_LIST ? list->first : list; n; n = list->kind == NODE_LIST ? n->next : NULL) {
		if (n->kind != NODE_SCALAR)
			report_error(c->report, n->line, n->column, "`%s`: expected plain text, not %s", o->path, node_kind_name(n));
		else if (!n->broken && !option_parse(o, n->value, record, c->arena, &expected))
			wrong(n, o, expected, c);
	}
}

/* Nothing was said: null, or a variable that is empty where text makes no sense. */
static bool is_absent(const struct option *o, const struct node *n)
{
	bool text = o->type == OPTION_STRING || o->type == OPTION_SECRET;
	return n->broken || (!text && (node_is_null(n) || (n->replaced && str_empty(n->value))));
}

static void load_value(const struct option *o, const struct node *n, void *record,
		       struct option_context *c)
{
	const char *expected = "";
	if (o->type == OPTION_NODE) {
		*(const struct node **)(void *)((char *)record + o->offset) = n;
		return;
	}
	if ((o->type == OPTION_STRINGS || o->type == OPTION_SECRETS) && n->kind != NODE_MAP) {
		load_strings(o, n, record, c);
		return;
	}
	if (n->kind != NODE_SCALAR) {
		report_error(c->report, n->line, n->column, "`%s`: expected a single value, not %s", o->path, node_kind_name(n));
		return;
	}
	if (is_absent(o, n))
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
	const char *dot = section.n ? "." : "", *here = elsewhere_option(n->key);
	if (here)
		report_error(c->report, n->key_line, n->key_column, "unknown key `%.*s%s%.*s`; here it is %s", STR_FMT(section), dot,
			     STR_FMT(n->key), here);
	else if (like.n)
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
			bool switched = find(t, arena_printf(c->arena, "%.*s.enabled", STR_FMT(path)));
			if (!node_is_null(n))
				report_error(c->report, n->line, n->column, "`%.*s`: expected a map%s, not %s", STR_FMT(path),
					     switched ? " such as { enabled: true }" : "", node_kind_name(n));
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
		report_error(c->report, map->line, map->column, "%s%sexpected a map, not %s", t->name, *t->name ? ": " : "",
			     node_kind_name(map));
		return;
	}
	load_map(t, map, record, c);
}

const struct node *options_node(const struct node *root, struct str path)
{
	struct str word;
	while (root && str_split(&path, '.', &word))
		root = node_get(root, word);
	return root;
}

void option_variable(const struct option *o, char *to, size_t size)
{
	int n = snprintf(to, size, "WEIR_%s", o->path);
	for (int i = 0; i < n && (size_t)i < size - 1; i++)
		to[i] = to[i] == '.' ? '_' : (char)toupper((unsigned char)to[i]);
}
