/*
 * tree.c: YAML by libyaml's events into a tree with places.
 */
#include "config/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

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

/* --- replacement in scalars --- */

bool tree_file(const char *path, size_t max, struct arena *a, struct str *out)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	struct buf b = BUF_INIT(max);
	bool good = fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode);
	if (!good)
		errno = EISDIR;
	while (good) {
		if (!buf_reserve(&b, b.cap > b.n ? b.cap - b.n : 4096)) {
			errno = EFBIG;
			good = false;
			break;
		}
		ssize_t n = read(fd, b.p + b.n, b.cap - b.n);
		if (n < 0 && errno != EINTR)
			good = false;
		if (n == 0)
			break;
		if (n > 0)
			b.n += (size_t)n;
	}
	int error = errno;
	close(fd);
	if (good)
		*out = arena_copy(a, buf_str(&b));
	buf_free(&b);
	errno = error;
	return good;
}

static void remember(struct reader *r, struct str name)
{
	struct tree_files *f = r->files;
	if (!f)
		return;
	if (f->n == f->cap) {
		struct str *names = arena_array(r->arena, struct str, f->cap + 8);
		if (f->n)
			memcpy(names, f->names, f->n * sizeof(*names));
		f->names = names;
		f->cap += 8;
	}
	f->names[f->n++] = name;
}

static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= 'a' && s.p[i] <= 'z') || s.p[i] == '_' ||
		      (i && s.p[i] >= '0' && s.p[i] <= '9')))
			return false;
	return s.n > 0;
}

/* One ${...} at the front of `*rest`. */
static bool replace_one(struct reader *r, const struct node *n, struct str *rest, struct buf *out)
{
	ptrdiff_t end = str_chr(*rest, '}');
	if (end < 0) {
		report_error(r->report, n->line, n->column, "`${` without its `}`");
		return false;
	}
	struct str inside = str_of(rest->p + 2, (size_t)end - 2), fallback = STR_NONE;
	ptrdiff_t mark = str_find(inside, STR(":-"));
	if (mark >= 0) {
		fallback = str_skip(inside, (size_t)mark + 2);
		inside = str_head(inside, (size_t)mark);
	}
	*rest = str_skip(*rest, (size_t)end + 1);
	if (!is_name(inside)) {
		report_error(r->report, n->line, n->column, "`${%.*s}` is no variable's name", STR_FMT(inside));
		return false;
	}
	const char *value = getenv(arena_copy(r->arena, inside).p);
	if (value && (*value || mark < 0))
		return buf_add(out, str_c(value));
	if (mark >= 0)
		return buf_add(out, fallback);
	report_error(r->report, n->line, n->column,
		     "the environment variable %.*s is not set; set it, or write ${%.*s:-default}", STR_FMT(inside), STR_FMT(inside));
	return false;
}

static bool replace(struct reader *r, struct node *n)
{
	struct str rest = n->value;
	struct buf out = BUF_INIT(TREE_SECRET_MAX);
	bool good = true;
	while (good && rest.n) {
		ptrdiff_t at = str_find(rest, STR("${"));
		buf_add(&out, str_head(rest, at < 0 ? rest.n : (size_t)at));
		rest = str_skip(rest, at < 0 ? rest.n : (size_t)at);
		if (rest.n)
			good = replace_one(r, n, &rest, &out);
	}
	n->value = arena_copy(r->arena, buf_str(&out));
	buf_free(&out);
	return good;
}

static bool load_file(struct reader *r, struct node *n)
{
	struct str path = str_skip(n->value, 6), text;
	const char *name = arena_copy(r->arena, path).p;
	remember(r, str_c(name));
	if (!tree_file(name, TREE_SECRET_MAX, r->arena, &text)) {
		report_error(r->report, n->line, n->column, "cannot read %s: %s", name, strerror(errno));
		return false;
	}
	while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
		text.n--;
	n->value = text;
	return true;
}

static bool finish_scalar(struct reader *r, struct node *n)
{
	if (!r->environment)
		return true;
	if (str_has(n->value, STR("${")) && !replace(r, n))
		return false;
	return !str_starts(n->value, STR("@file:")) || load_file(r, n);
}

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
		if (node_get(l->node, l->key)) {
			report_error(r->report, l->key_line, l->key_column, "`%.*s` is given twice", STR_FMT(l->key));
			return false;
		}
		n->key = l->key;
		n->key_line = l->key_line;
		n->key_column = l->key_column;
		l->has_key = false;
	}
	*l->tail = n;
	l->tail = &n->next;
	return true;
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
	return finish_scalar(r, n) && attach(r, n);
}

static bool on_open(struct reader *r, const yaml_event_t *e, enum node_kind kind)
{
	struct level *l = r->depth ? &r->levels[r->depth - 1] : NULL;
	if (r->depth == TREE_DEPTH || (l && l->node->kind == NODE_MAP && !l->has_key)) {
		report_error(r->report, place(e->start_mark.line), place(e->start_mark.column),
			     r->depth == TREE_DEPTH ? "nested too deeply" : "a key must be plain text");
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
		r->depth--;
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
	report_error(r->report, place(p->problem_mark.line), place(p->problem_mark.column), "%s%s%s",
		     p->problem ? p->problem : "not YAML", p->context ? ", " : "", p->context ? p->context : "");
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
