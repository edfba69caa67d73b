/*
 * tree.c: YAML by libyaml's events into a tree with places.
 */
#include "config/tree.h"

#include <stdlib.h>
#include <yaml.h>

#include "base/digest.h"
#include "config/expand.h"

struct level {
	struct node *node;
	struct node **tail;
	struct str key;		/* waits for its value */
	unsigned key_line, key_column;
	bool has_key;
};

struct reader {
	yaml_parser_t parser;
	struct arena *arena;
	struct config_report *report;
	struct tree_files *files;
	struct level levels[TREE_DEPTH];
	unsigned depth, nodes;
	struct node *root;
	bool environment;
};

/* --- building --- */

static unsigned place(size_t zero_based)
{
	return (unsigned)zero_based + 1;
}

static struct node *new_node(struct reader *r, enum node_kind kind, const yaml_mark_t *at)
{
	if (++r->nodes > TREE_NODES) {
		report_error(r->report, place(at->line), place(at->column), "more than %d values", TREE_NODES);
		return NULL;
	}
	struct node *n = arena_new(r->arena, struct node);
	n->kind = kind;
	n->line = place(at->line);
	n->column = place(at->column);
	return n;
}

static bool attach(struct reader *r, struct node *n)
{
	if (r->depth == 0) {
		r->root = n;
		return true;
	}
	struct level *l = &r->levels[r->depth - 1];
	if (l->node->kind == NODE_MAP) {
		n->key = l->key;
		n->key_line = l->key_line;
		n->key_column = l->key_column;
		l->has_key = false;
	}
	*l->tail = n;
	l->tail = &n->next;
	l->node->n++;
	return true;
}

/* By name, and by place where names are the same. */
static int by_key(const void *a, const void *b)
{
	const struct node *x = *(const struct node *const *)a, *y = *(const struct node *const *)b;
	int order = memcmp(x->key.p, y->key.p, x->key.n < y->key.n ? x->key.n : y->key.n);
	if (order)
		return order;
	if (x->key.n != y->key.n)
		return x->key.n < y->key.n ? -1 : 1;
	if (x->key_line != y->key_line)
		return x->key_line < y->key_line ? -1 : 1;
	return x->key_column < y->key_column ? -1 : 1;
}

/* At a map's end: sorted, so that a map of many keys takes no quadratic time. */
static void refuse_duplicates(struct reader *r, const struct node *map)
{
	if (map->kind != NODE_MAP || map->n < 2)
		return;
	struct node **sorted = malloc(map->n * sizeof(struct node *));
	unsigned n = 0;
	for (struct node *c = sorted ? map->first : NULL; c; c = c->next)
		sorted[n++] = c;
	if (sorted)
		qsort(sorted, n, sizeof(struct node *), by_key);
	else
		report_error(r->report, map->line, map->column, "no memory for a map of %u keys", map->n);
	for (unsigned i = 1; i < n; i++)
		if (str_eq(sorted[i]->key, sorted[i - 1]->key))
			report_error(r->report, sorted[i]->key_line, sorted[i]->key_column,
				     "`%.*s` is given twice, first in line %u", STR_FMT(str_head(sorted[i]->key, 60)),
				     sorted[i - 1]->key_line);
	free(sorted);
}

static bool on_scalar(struct reader *r, const yaml_event_t *e)
{
	struct level *l = r->depth ? &r->levels[r->depth - 1] : NULL;
	struct str text = arena_copy(r->arena, str_of((const char *)e->data.scalar.value, e->data.scalar.length));
	if (l && l->node->kind == NODE_MAP && !l->has_key) {
		l->key = text;
		l->key_line = place(e->start_mark.line);
		l->key_column = place(e->start_mark.column);
		l->has_key = true;
		return true;
	}
	struct node *n = new_node(r, NODE_SCALAR, &e->start_mark);
	if (!n)
		return false;
	n->value = text;
	n->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (r->environment)
		expand_scalar(n, r->arena, r->files, r->report);
	return attach(r, n);
}

static bool on_open(struct reader *r, const yaml_event_t *e, enum node_kind kind)
{
	struct level *l = r->depth ? &r->levels[r->depth - 1] : NULL;
	if (r->depth == TREE_DEPTH || (l && l->node->kind == NODE_MAP && !l->has_key)) {
		report_error(r->report, place(e->start_mark.line), place(e->start_mark.column),
			     r->depth == TREE_DEPTH ? "nested too deeply: more than 32 levels" : "a key must be plain text");
		return false;
	}
	struct node *n = new_node(r, kind, &e->start_mark);
	if (!n || !attach(r, n))
		return false;
	r->levels[r->depth++] = (struct level){ .node = n, .tail = &n->first };
	return true;
}

static bool on_event(struct reader *r, const yaml_event_t *e, bool *end)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:         return on_scalar(r, e);
	case YAML_MAPPING_START_EVENT:  return on_open(r, e, NODE_MAP);
	case YAML_SEQUENCE_START_EVENT: return on_open(r, e, NODE_LIST);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		refuse_duplicates(r, r->levels[--r->depth].node);
		return true;
	case YAML_ALIAS_EVENT:
		report_error(r->report, place(e->start_mark.line), place(e->start_mark.column),
			     "aliases (*name) are not supported; write the value out");
		return false;
	case YAML_DOCUMENT_START_EVENT:
		if (!r->root)
			return true;
		report_error(r->report, place(e->start_mark.line), place(e->start_mark.column), "a second document in one file");
		return false;
	case YAML_STREAM_END_EVENT:
		*end = true;
		return true;
	default:
		return true;
	}
}

static bool syntax_error(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *hint = "";
	if (p->problem && strstr(p->problem, "cannot start any token"))
		hint = "; indent with blanks, not tabs, and quote a value that begins with @, ` or %";
	else if (p->problem && strstr(p->problem, "did not find expected ',' or"))
		hint = "; quote a value that holds { } [ ] or a comma, such as \"${NAME}\"";
	else if (p->problem && strstr(p->problem, "mapping values are not allowed"))
		hint = "; quote a value that holds `: `";
	if (p->error == YAML_READER_ERROR)
		report_error(r->report, 1, 1, "%s at byte %zu: not UTF-8 text", p->problem, p->problem_offset);
	else
		report_error(r->report, place(p->problem_mark.line), place(p->problem_mark.column), "%s%s%s%s",
			     p->problem ? p->problem : "not YAML", p->context ? ", " : "", p->context ? p->context : "", hint);
	return false;
}

struct node *tree_read(struct str text, bool environment, struct arena *a, struct tree_files *files,
		       struct config_report *report)
{
	struct reader *r = arena_new(a, struct reader);
	bool good = true, end = false;
	r->arena = a;
	r->report = report;
	r->files = files;
	r->environment = environment;
	if (!yaml_parser_initialize(&r->parser))
		return NULL;
	yaml_parser_set_input_string(&r->parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
	while (good && !end) {
		yaml_event_t e;
		if (!yaml_parser_parse(&r->parser, &e)) {
			good = syntax_error(r);
			break;
		}
		good = on_event(r, &e, &end);
		if (e.type == YAML_SCALAR_EVENT)
			secret_wipe(e.data.scalar.value, e.data.scalar.length);
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&r->parser);
	if (good && !r->root)
		r->root = new_node(r, NODE_MAP, &(yaml_mark_t){ 0, 0, 0 });
	return good ? r->root : NULL;
}

struct node *node_get(const struct node *map, struct str key)
{
	for (struct node *n = map && map->kind == NODE_MAP ? map->first : NULL; n; n = n->next)
		if (str_eq(n->key, key))
			return n;
	return NULL;
}

bool node_is_null(const struct node *n)
{
	return n->kind == NODE_SCALAR && !n->quoted &&
	       (str_empty(n->value) || str_eq(n->value, STR("null")) || str_eq(n->value, STR("~")));
}

const char *node_kind_name(const struct node *n)
{
	return n->kind == NODE_MAP ? "a map" : n->kind == NODE_LIST ? "a list" : "a single value";
}
