/*
 * meaning.h: do two JSON requests of one dialect mean the same?
 *
 * Both are laid out as lines, `path = value`, without the indexes of arrays; lines of one path keep their order. A table of rules
 * says which spellings are equal and which lines may go, with the reason. What is left has to be equal.
 */
#ifndef WEIR_TESTS_MEANING_H
#define WEIR_TESTS_MEANING_H

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/str.h"
#include "tests/jansson.h"

enum { LINES_MOST = 60000 };

struct line {
	struct str path, value;
	unsigned place;
};

struct lines {
	struct arena *arena;
	struct line *line;
	unsigned n;
	bool camel;		/* Google takes both spellings of a name, and types in either case */
};

struct meaning_rule {
	const char *dialect;	/* "": all */
	const char *path;	/* with * for anything */
	const char *value;	/* NULL: whatever it is */
	const char *becomes;	/* another path; NULL: the line goes */
	const char *says;	/* another value; NULL: the same */
	const char *why;
};

static inline struct str camel_case(struct arena *a, struct str path)
{
	struct str made = arena_copy(a, path);
	char *to = (char *)made.p;
	for (size_t i = 0; i < path.n; i++)
		if (path.p[i] == '_' && i + 1 < path.n && path.p[i + 1] >= 'a' && path.p[i + 1] <= 'z')
			*to++ = (char)(path.p[++i] - 'a' + 'A');
		else
			*to++ = path.p[i];
	made.n = (size_t)(to - made.p);
	return made;
}

static inline void lay_out(struct lines *l, struct str path, json_t *v)
{
	const char *key;
	json_t *member;
	size_t i;
	char *text = NULL;
	json_object_foreach(v, key, member)
		lay_out(l, arena_printf(l->arena, "%.*s%s%s", STR_FMT(path), path.n ? "." : "", key), member);
	json_array_foreach(v, i, member)
		lay_out(l, arena_printf(l->arena, "%.*s[]", STR_FMT(path)), member);
	if (json_object_size(v) || json_array_size(v) || l->n == LINES_MOST)
		return;
	if (l->camel)
		path = camel_case(l->arena, path);
	if (!json_string_value(v))
		text = json_dumps(v, JSON_ENCODE_ANY);
	struct str value = text ? arena_copy(l->arena, str_c(text)) : arena_copy(l->arena, str_of(json_string_value(v), json_string_length(v)));
	for (i = 0; l->camel && str_ends(path, STR(".type")) && i < value.n; i++)
		((char *)value.p)[i] = (char)tolower((unsigned char)value.p[i]);
	for (i = 0; l->camel && i < value.n && value.n > 64; i++)	/* base64 of either alphabet */
		((char *)value.p)[i] = value.p[i] == '-' ? '+' : value.p[i] == '_' ? '/' : value.p[i];
	l->line[l->n] = (struct line){ path, value, str_eq(path, STR("instructions")) ? 0 : l->n + 1 };	/* they stand in front */
	l->n++;
	free(text);
}

static inline int by_path(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	size_t n = x->path.n < y->path.n ? x->path.n : y->path.n;
	int order = memcmp(x->path.p, y->path.p, n);
	if (order == 0)
		order = (x->path.n > y->path.n) - (x->path.n < y->path.n);
	return order ? order : (x->place > y->place) - (x->place < y->place);
}

/* False: the line goes. */
static inline bool by_rules(struct arena *a, struct line *line, const char *dialect, const struct meaning_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct meaning_rule *r = &rules[i];
		if ((*r->dialect && strcmp(r->dialect, dialect) != 0) || !str_glob(str_c(r->path), line->path) ||
		    (r->value && !str_glob(str_c(r->value), line->value)))
			continue;
		if (!r->becomes)
			return false;
		size_t stem = strlen(r->path) - 1;
		if (r->becomes[strlen(r->becomes) - 1] == '*')	/* all below it moves */
			line->path = arena_printf(a, "%.*s%.*s", (int)strlen(r->becomes) - 1, r->becomes, STR_FMT(str_skip(line->path, stem)));
		else
			line->path = str_c(r->becomes);
		if (r->says)
			line->value = str_c(r->says);
	}
	return true;
}

/* Is it below one of the names, which have commas between them? */
static inline bool is_named(struct str path, struct str names)
{
	struct str name;
	while (str_split(&names, ',', &name)) {
		name = str_trim(name);
		if (name.n && !str_eq(name, STR("tools")) && str_starts(path, name) && (path.n == name.n || path.p[name.n] == '.' || path.p[name.n] == '['))
			return true;
	}
	return false;
}

/* Parts of a list of parts that are named by their type. */
static inline void take_parts(json_t *v, const char *type)
{
	const char *key;
	json_t *member;
	size_t i;
	for (i = json_array_size(v); i-- > 0;) {
		const char *is = json_string_value(json_object_get(json_array_get(v, i), "type"));
		if (is && strcmp(is, type) == 0)
			json_array_remove(v, i);
	}
	json_object_foreach(v, key, member)
		take_parts(member, type);
	json_array_foreach(v, i, member)
		take_parts(member, type);
}

/* Tools that a vendor's own servers run have no schema. */
static inline void take_foreign_tools(json_t *tools)
{
	for (size_t i = json_array_size(tools); i-- > 0;) {
		json_t *t = json_array_get(tools, i);
		if (!json_object_get(t, "function") && !json_object_get(t, "custom") && !json_object_get(t, "input_schema") &&
		    !json_object_get(t, "functionDeclarations") && !json_object_get(t, "function_declarations") && !(json_object_get(t, "parameters") && json_object_get(t, "name")))
			json_array_remove(tools, i);
	}
}

static inline void take_dropped(json_t *request, struct str names)
{
	struct str name;
	while (str_split(&names, ',', &name)) {
		char type[80];
		name = str_trim(name);
		snprintf(type, sizeof(type), "%.*s", STR_FMT(str_skip(name, (size_t)(str_rchr(name, '.') + 1))));
		if (str_eq(name, STR("tools")))
			take_foreign_tools(json_object_get(request, "tools"));
		else if (str_starts(name, STR("messages.")) || str_starts(name, STR("input.")))
			take_parts(request, type);
	}
}

/* Vendors tell one thought by several names. */
static inline void one_thought(struct lines *l)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < l->n; i++)
		if (i == 0 || !str_ends(l->line[i].path, STR(".reasoning_content")) || !str_eq(l->line[i].path, l->line[i - 1].path) ||
		    !str_eq(l->line[i].value, l->line[i - 1].value))
			l->line[kept++] = l->line[i];
	l->n = kept;
}

/* Thoughts that Google did not sign are not given to it. */
static inline void take_foreign_thoughts(json_t *request)
{
	size_t i;
	json_t *turn;
	json_array_foreach(json_object_get(request, "contents"), i, turn) {
		json_t *parts = json_object_get(turn, "parts");
		for (size_t j = json_array_size(parts); j-- > 0;) {
			json_t *p = json_array_get(parts, j);
			if (json_object_get(p, "thought") && !json_object_get(p, "thoughtSignature") && !json_object_get(p, "thought_signature"))
				json_array_remove(parts, j);
		}
	}
}

/* JSON in a string, whatever its blanks. */
static inline void text_as_json(json_t *holder, const char *key)
{
	json_t *json = json_object_get(holder, key) ? json_loads(json_string_value(json_object_get(holder, key)), 0, NULL) : NULL;
	if (json)
		json_object_set_new(holder, key, json);
}

/* A tool's result in JSON is the same as text. */
static inline void json_as_text(json_t *v)
{
	const char *key;
	json_t *member, *json;
	size_t i;
	json_array_foreach(json_object_get(json_object_get(v, "toolResult"), "content"), i, member)
		if ((json = json_object_get(member, "json"))) {
			char *text = json_dumps(json, JSON_COMPACT);
			json_object_set_new(member, "text", json_string(text));
			json_object_del(member, "json");
			free(text);
		}
	text_as_json(json_object_get(v, "jsonSchema"), "schema");
	json_object_foreach(v, key, member)
		json_as_text(member);
	json_array_foreach(v, i, member)
		json_as_text(member);
}

/* `dropped`: fields that weir said it leaves out. */
static inline struct lines meaning_of(struct arena *a, json_t *request, const char *dialect, const struct meaning_rule *rules, size_t n, struct str dropped)
{
	struct lines l = { .arena = a, .line = arena_alloc(a, sizeof(*l.line) * LINES_MOST) };
	unsigned kept = 0;
	l.camel = strcmp(dialect, "gemini") == 0;
	take_dropped(request, dropped);
	take_foreign_thoughts(request);
	if (strcmp(dialect, "bedrock") == 0)
		json_as_text(request);
	lay_out(&l, STR(""), request);
	for (unsigned i = 0; i < l.n; i++)
		if (!is_named(l.line[i].path, dropped) && by_rules(a, &l.line[i], dialect, rules, n) &&
		    by_rules(a, &l.line[i], dialect, rules, n))
			l.line[kept++] = l.line[i];
	l.n = kept;
	qsort(l.line, l.n, sizeof(*l.line), by_path);
	one_thought(&l);
	return l;
}

/* The first line that differs, or NULL; in `other` what stands there instead. */
static inline const struct line *meaning_differs(const struct lines *x, const struct lines *y, const struct line **other)
{
	for (unsigned i = 0; i < x->n || i < y->n; i++) {
		*other = i < y->n ? &y->line[i] : NULL;
		if (i >= x->n)
			return *other;
		if (i >= y->n || !str_eq(x->line[i].path, y->line[i].path) || !str_eq(x->line[i].value, y->line[i].value))
			return &x->line[i];
	}
	return NULL;
}

#endif
