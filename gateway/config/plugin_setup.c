/*
 * plugin_setup.c: what plugins may ask while they are configured, or run as a command.
 */
#include <errno.h>

#include "base/tls.h"
#include "config/build.h"
#include "plugin_host/plugin_set.h"
#include "wire/url.h"

enum { FILE_MOST = 64 * 1024 * 1024 };

static struct build *build_of(const struct weir_setup *s)
{
	return s->owner;
}

static void tell(struct weir_setup *s, enum weir_severity how, const char *file, unsigned line, unsigned column, const char *text)
{
	struct build *b = build_of(s);
	if (!file && line == 0 && b->plugin) {
		line = b->plugin->line;
		column = b->plugin->column;
	}
	report_elsewhere(b->report, how == WEIR_ERROR, file ? file : b->report->file, line, column, text);
}

static void watch(struct build *b, const char *file)
{
	struct tree_files *f = b->files;
	if (f->n == f->cap) {
		struct str *more = arena_array(b->arena, struct str, 2 * f->cap + 4);
		if (f->n)
			memcpy(more, f->names, f->n * sizeof(*more));
		f->names = more;
		f->cap = 2 * f->cap + 4;
	}
	f->names[f->n++] = arena_copy(b->arena, str_c(file));
}

static struct weir_text copied(struct arena *a, struct str s)
{
	struct str c = s.p ? arena_copy(a, s) : STR_NONE;
	return (struct weir_text){ c.p, c.n };
}

/* The plugins' copy of a tree. Nesting is bounded by the reader. */
const struct weir_node *build_plugin_node(struct arena *a, const struct node *n)
{
	static const enum weir_node_kind kinds[] = {
		[NODE_SCALAR] = WEIR_SCALAR, [NODE_MAP] = WEIR_MAP, [NODE_LIST] = WEIR_LIST,
	};
	struct weir_node *out = arena_new(a, struct weir_node);
	const struct weir_node **tail = &out->first;
	*out = (struct weir_node){
		.kind = kinds[n->kind], .line = n->line, .column = n->column, .quoted = n->quoted, .key = copied(a, n->key),
		.key_line = n->key_line, .key_column = n->key_column, .value = copied(a, n->value), .count = n->n,
	};
	for (const struct node *c = n->first; c; c = c->next) {
		struct weir_node *child = (struct weir_node *)(uintptr_t)build_plugin_node(a, c);
		*tail = child;
		tail = &child->next;
	}
	return out;
}

/* What the reader finds wrong is told with the file's own places. */
static void relay(struct build *b, const char *file, const struct config_report *from)
{
	for (unsigned i = 0; i < from->n_messages; i++)
		report_elsewhere(b->report, from->messages[i].error, file, from->messages[i].line, from->messages[i].column,
				 from->messages[i].text.p);
}

static const struct weir_node *read_yaml(struct weir_setup *s, const char *file)
{
	struct build *b = build_of(s);
	struct arena a = ARENA_INIT;
	struct config_report *r = arena_new(&a, struct config_report);
	const struct weir_node *out = NULL;
	struct str text;
	report_init(r);
	watch(b, file);
	if (!tree_file(file, TREE_FILE_MAX, &a, &text)) {
		const char *why = strerror(errno);
		tell(s, WEIR_ERROR, b->plugin ? NULL : file, 0, 0, b->plugin ? arena_printf(&a, "cannot read %s: %s", file, why).p : why);
	} else {
		const struct node *root = tree_read(text, b->environment, &a, b->files, r);
		relay(b, file, r);
		if (root && r->n_errors == 0)
			out = build_plugin_node(s->arena, root);
		if (root && b->said)
			build_add_tree(b->said, root);
	}
	report_free(r);
	arena_clear(&a);
	return out;
}

static int read_file(struct weir_setup *s, const char *file, struct weir_text *out)
{
	struct str text;
	struct build *b = build_of(s);
	watch(b, file);
	if (!tree_file(file, FILE_MOST, s->arena, &text))
		return errno ? errno : EIO;
	if (b->said)
		buf_add_part(b->said, text);
	*out = (struct weir_text){ text.p, text.n };
	return 0;
}

static void release_tls(void *context)
{
	tls_unref(context);
}

/* The operator names it, so it may be a private one. */
static const char *http_place(struct weir_setup *s, struct str text, struct origin *o, struct str *path)
{
	static const char no_tls[] = "needs TLS, which cannot be set up";
	struct buf why = BUF_INIT(1024);
	struct url url;
	text = arena_copy(s->arena, text);
	const char *wrong = url_parse(text, &url);
	if (wrong)
		return wrong;
	*o = (struct origin){ .tls = url.tls, .host = url.host, .port = url.port, .host_header = url.authority, .allow_private = true };
	*path = arena_printf(s->arena, "%.*s%s%.*s", STR_FMT(str_empty(url.path) ? STR("/") : url.path), url.query.p ? "?" : "",
			     STR_FMT(url.query));
	o->tls_context = url.tls ? build_usual_tls(&why) : NULL;
	buf_free(&why);
	if (url.tls && !o->tls_context)
		return no_tls;
	if (o->tls_context)
		arena_own(s->arena, o->tls_context, release_tls);
	return NULL;
}

struct weir_setup build_plugin_setup(struct build *b, struct arena *a)
{
	return (struct weir_setup){ .arena = a, .owner = b, .tell = tell, .read_yaml = read_yaml, .read_file = read_file,
				    .http_place = http_place };
}
