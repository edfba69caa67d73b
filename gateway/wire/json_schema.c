/*
 * json_schema.c: one function a word of the schema, over cursors; nothing is compiled or kept.
 */
#include "wire/json_schema.h"

#include <math.h>
#include <stdlib.h>

#include "base/pattern.h"
#include "wire/json_cursor.h"

enum { DEPTH_MAX = 64, STEPS_MAX = 200000 };

struct check {
	struct str root;	/* what $ref points into */
	struct arena *arena;
	const char *broken;	/* the word that did not hold */
	unsigned depth, steps;
};

static bool holds(struct check *c, struct str schema, struct str value);

static bool spent(struct check *c)
{
	if (++c->steps <= STEPS_MAX)
		return false;
	c->broken = "more work than it is worth";
	return true;
}

/* --- values --- */

static double number(struct check *c, struct str value)
{
	return strtod(arena_copy(c->arena, value).p, NULL);
}

static bool is_whole(struct check *c, struct str value)
{
	double d = number(c, value);
	return isfinite(d) && floor(d) == d;
}

static bool is_of_type(struct check *c, struct str value, struct str name)
{
	static const struct { struct str name; enum json_type type; } types[] = {
		{ STR_INIT("object"), JSON_OBJECT }, { STR_INIT("array"), JSON_ARRAY }, { STR_INIT("string"), JSON_STRING },
		{ STR_INIT("number"), JSON_NUMBER }, { STR_INIT("null"), JSON_NULL },
	};
	enum json_type t = json_type(value);
	if (json_is(name, STR("integer")))
		return t == JSON_NUMBER && is_whole(c, value);
	if (json_is(name, STR("boolean")))
		return t == JSON_TRUE || t == JSON_FALSE;
	for (size_t i = 0; i < array_len(types); i++)
		if (json_is(name, types[i].name))
			return t == types[i].type;
	return true;	/* no type of this standard */
}

static size_t count(struct str container)
{
	struct json_cursor it;
	size_t n = 0;
	for (bool open = json_cursor_open(&it, container); open && json_cursor_next(&it);)
		n++;
	return n;
}

static bool same(struct check *c, struct str a, struct str b, unsigned depth);

static bool same_members(struct check *c, struct str a, struct str b, unsigned depth)
{
	struct json_cursor x, y;
	if (count(a) != count(b) || !json_cursor_open(&x, a) || !json_cursor_open(&y, b))
		return false;
	while (json_cursor_next(&x)) {
		struct str other = x.object ? json_get(b, json_text(c->arena, str_of(x.key.p - 1, x.key.n + 2)))
					    : json_cursor_next(&y) ? y.value : STR_NONE;
		if (!same(c, x.value, other, depth + 1))
			return false;
	}
	return true;
}

static bool same(struct check *c, struct str a, struct str b, unsigned depth)
{
	enum json_type t = json_type(a);
	if (t != json_type(b) || depth > DEPTH_MAX || spent(c))
		return false;
	switch (t) {
	case JSON_STRING: return json_is(a, json_text(c->arena, b));
	case JSON_NUMBER: return str_eq(a, b) || number(c, a) == number(c, b);
	case JSON_OBJECT:
	case JSON_ARRAY:  return same_members(c, a, b, depth);
	default:          return true;
	}
}

/* In code points, as the standard counts. */
static size_t length(struct check *c, struct str value)
{
	struct str text = json_text(c->arena, value);
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++)
		n += ((unsigned char)text.p[i] & 0xC0) != 0x80;
	return n;
}

/* --- words about any value --- */

struct word {
	struct str schema, rule, value;	/* the schema the word stands in, what it says, what is judged */
};

static bool type(struct check *c, const struct word *w)
{
	struct json_cursor it;
	if (json_type(w->rule) == JSON_STRING)
		return is_of_type(c, w->value, w->rule);
	bool any = json_type(w->rule) != JSON_ARRAY;
	for (bool open = !any && json_cursor_open(&it, w->rule); open && json_cursor_next(&it);)
		any |= is_of_type(c, w->value, it.value);
	return any;
}

static bool one_of_values(struct check *c, const struct word *w)
{
	struct json_cursor it;
	for (bool open = json_cursor_open(&it, w->rule); open && json_cursor_next(&it);)
		if (same(c, it.value, w->value, 0))
			return true;
	return false;
}

static bool constant(struct check *c, const struct word *w)
{
	return same(c, w->rule, w->value, 0);
}

/* How many of a list of schemas hold. */
static size_t how_many(struct check *c, const struct word *w, size_t enough)
{
	struct json_cursor it;
	size_t n = 0;
	for (bool open = json_cursor_open(&it, w->rule); open && n < enough && json_cursor_next(&it);)
		n += holds(c, it.value, w->value);
	return n;
}

static bool any_of(struct check *c, const struct word *w) { return how_many(c, w, 1) == 1; }
static bool one_of(struct check *c, const struct word *w) { return how_many(c, w, 2) == 1; }
static bool none_of(struct check *c, const struct word *w) { return !holds(c, w->rule, w->value); }

static bool all_of(struct check *c, const struct word *w)
{
	struct json_cursor it;
	for (bool open = json_cursor_open(&it, w->rule); open && json_cursor_next(&it);)
		if (!holds(c, it.value, w->value))
			return false;
	return true;
}

/* `#`, `#/$defs/name`; anything else points nowhere, and nothing is what it asks for. */
static bool reference(struct check *c, const struct word *w)
{
	struct str path = json_text(c->arena, w->rule), at = c->root, name;
	if (!str_starts(path, STR("#")))
		return true;
	path = str_skip(path, 1);
	if (str_starts(path, STR("/")))
		path = str_skip(path, 1);
	while (path.n && str_split(&path, '/', &name))
		at = json_get(at, name);
	return holds(c, at, w->value);
}

/* --- about objects --- */

static bool properties(struct check *c, const struct word *w)
{
	struct json_cursor it;
	for (bool open = json_type(w->value) == JSON_OBJECT && json_cursor_open(&it, w->value); open && json_cursor_next(&it);) {
		struct str rule = json_get(w->rule, json_text(c->arena, str_of(it.key.p - 1, it.key.n + 2)));
		if (rule.p && !holds(c, rule, it.value))
			return false;
	}
	return true;
}

static bool required(struct check *c, const struct word *w)
{
	struct json_cursor it;
	for (bool open = json_type(w->value) == JSON_OBJECT && json_cursor_open(&it, w->rule); open && json_cursor_next(&it);)
		if (!json_get(w->value, json_text(c->arena, it.value)).p)
			return false;
	return true;
}

static bool additional(struct check *c, const struct word *w)
{
	struct str known = json_get(w->schema, STR("properties"));
	struct json_cursor it;
	for (bool open = json_type(w->value) == JSON_OBJECT && json_cursor_open(&it, w->value); open && json_cursor_next(&it);)
		if (!json_get(known, json_text(c->arena, str_of(it.key.p - 1, it.key.n + 2))).p && !holds(c, w->rule, it.value))
			return false;
	return true;
}

/* --- about arrays --- */

/* The elements from the `skip`th on. */
static bool elements(struct check *c, struct str rule, struct str value, size_t skip)
{
	struct json_cursor it;
	size_t n = 0;
	for (bool open = json_type(value) == JSON_ARRAY && json_cursor_open(&it, value); open && json_cursor_next(&it);)
		if (n++ >= skip && !holds(c, rule, it.value))
			return false;
	return true;
}

static bool items(struct check *c, const struct word *w)
{
	return elements(c, w->rule, w->value, count(json_get(w->schema, STR("prefixItems"))));
}

static bool prefix_items(struct check *c, const struct word *w)
{
	struct json_cursor rule, it;
	if (json_type(w->value) != JSON_ARRAY || !json_cursor_open(&rule, w->rule) || !json_cursor_open(&it, w->value))
		return true;
	while (json_cursor_next(&rule) && json_cursor_next(&it))
		if (!holds(c, rule.value, it.value))
			return false;
	return true;
}

static bool min_items(struct check *c, const struct word *w)
{
	return json_type(w->value) != JSON_ARRAY || (double)count(w->value) >= number(c, w->rule);
}

static bool max_items(struct check *c, const struct word *w)
{
	return json_type(w->value) != JSON_ARRAY || (double)count(w->value) <= number(c, w->rule);
}

/* --- about strings --- */

static bool min_length(struct check *c, const struct word *w)
{
	return json_type(w->value) != JSON_STRING || (double)length(c, w->value) >= number(c, w->rule);
}

static bool max_length(struct check *c, const struct word *w)
{
	return json_type(w->value) != JSON_STRING || (double)length(c, w->value) <= number(c, w->rule);
}

static bool matches(struct check *c, const struct word *w)
{
	char why[PATTERN_WHY];
	if (json_type(w->value) != JSON_STRING)
		return true;
	c->steps += STEPS_MAX / 1000;	/* compiling is dear */
	struct pattern *p = spent(c) ? NULL : pattern_new(json_text(c->arena, w->rule), why);
	bool found = p && pattern_finds(p, json_text(c->arena, w->value));
	pattern_free(p);
	return found;
}

/* --- about numbers --- */

static bool minimum(struct check *c, const struct word *w)
{
	return json_type(w->value) != JSON_NUMBER || number(c, w->value) >= number(c, w->rule);
}

static bool maximum(struct check *c, const struct word *w)
{
	return json_type(w->value) != JSON_NUMBER || number(c, w->value) <= number(c, w->rule);
}

static bool above(struct check *c, const struct word *w)
{
	return json_type(w->value) != JSON_NUMBER || number(c, w->value) > number(c, w->rule);
}

static bool below(struct check *c, const struct word *w)
{
	return json_type(w->value) != JSON_NUMBER || number(c, w->value) < number(c, w->rule);
}

static bool multiple(struct check *c, const struct word *w)
{
	double step = number(c, w->rule);
	if (json_type(w->value) != JSON_NUMBER || !(step > 0))
		return true;
	double n = number(c, w->value) / step;
	return fabs(n - round(n)) < 1e-9 * fmax(1, fabs(n));
}

/* --- all of them --- */

static const struct { struct str name; bool (*holds)(struct check *, const struct word *); } words[] = {
	{ STR_INIT("type"), type }, { STR_INIT("enum"), one_of_values }, { STR_INIT("const"), constant },
	{ STR_INIT("properties"), properties }, { STR_INIT("required"), required }, { STR_INIT("additionalProperties"), additional },
	{ STR_INIT("items"), items }, { STR_INIT("prefixItems"), prefix_items }, { STR_INIT("minItems"), min_items },
	{ STR_INIT("maxItems"), max_items }, { STR_INIT("minLength"), min_length }, { STR_INIT("maxLength"), max_length },
	{ STR_INIT("pattern"), matches }, { STR_INIT("minimum"), minimum }, { STR_INIT("maximum"), maximum },
	{ STR_INIT("exclusiveMinimum"), above }, { STR_INIT("exclusiveMaximum"), below }, { STR_INIT("multipleOf"), multiple },
	{ STR_INIT("anyOf"), any_of }, { STR_INIT("oneOf"), one_of }, { STR_INIT("allOf"), all_of }, { STR_INIT("not"), none_of },
	{ STR_INIT("$ref"), reference },
};

static bool word_holds(struct check *c, struct str name, const struct word *w)
{
	for (size_t i = 0; i < array_len(words); i++) {
		if (!str_eq(words[i].name, name))
			continue;
		bool good = words[i].holds(c, w);
		if (!good && !c->broken)
			c->broken = words[i].name.p;
		return good;
	}
	return true;
}

static bool holds(struct check *c, struct str schema, struct str value)
{
	struct json_cursor it;
	bool good = true;
	if (json_type(schema) != JSON_OBJECT)
		return json_type(schema) != JSON_FALSE;
	if (c->depth == DEPTH_MAX || spent(c))
		return false;
	const char *before = c->broken;
	c->depth++;
	for (bool open = json_cursor_open(&it, schema); open && good && json_cursor_next(&it);)
		good = word_holds(c, it.key, &(struct word){ schema, it.value, value });
	c->depth--;
	if (good)
		c->broken = before;	/* of an alternative that was not needed */
	return good;
}

/* A byte-order mark may stand first: see json_scan. */
static struct str without_mark(struct str json)
{
	return json_value(str_skip(json, str_starts(json, STR("\xEF\xBB\xBF")) ? 3 : 0));
}

bool json_schema_holds(struct str schema, struct str value, struct arena *a, const char **broken)
{
	struct check c = { .root = without_mark(schema), .arena = a };
	bool good = holds(&c, c.root, without_mark(value));
	*broken = good ? NULL : c.broken ? c.broken : "depth";
	return good;
}
