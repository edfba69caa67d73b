/*
 * build_plugins.c: steps of the operator's own: found, configured, put in order.
 *
 * A plugin that cannot be loaded is left out with a warning, unless it is required; one that refuses
 * its configuration refuses the whole of it.
 */
#include <errno.h>

#include "base/tls.h"
#include "config/build.h"
#include "core/plugin.h"
#include "plugin_host/plugin_set.h"
#include "wire/url.h"

enum { FILE_MOST = 64 * 1024 * 1024 };

/* --- what plugins may ask --- */

static struct build *build_of(const struct weir_setup *s)
{
	return s->owner;
}

static void tell(struct weir_setup *s, enum weir_severity how, const char *file, unsigned line, unsigned column, const char *text)
{
	struct build *b = build_of(s);
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
static const struct weir_node *convert(struct arena *a, const struct node *n)
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
		struct weir_node *child = (struct weir_node *)(uintptr_t)convert(a, c);
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
		tell(s, WEIR_ERROR, file, 0, 0, strerror(errno));
	} else {
		const struct node *root = tree_read(text, b->environment, &a, b->files, r);
		relay(b, file, r);
		if (root && r->n_errors == 0)
			out = convert(s->arena, root);
	}
	report_free(r);
	arena_clear(&a);
	return out;
}

static int read_file(struct weir_setup *s, const char *file, struct weir_text *out)
{
	struct str text;
	watch(build_of(s), file);
	if (!tree_file(file, FILE_MOST, s->arena, &text))
		return errno ? errno : EIO;
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

/* --- entries --- */

static void configure(struct build *b, const struct node *n, const struct plugin_draft *d, struct plugin_set *set,
		      const struct weir_plugin *plugin)
{
	struct plugin_use *u = &set->uses[set->n];
	struct weir_setup s = { .arena = &set->arena, .owner = b, .tell = tell, .read_yaml = read_yaml, .read_file = read_file,
				.http_place = http_place };
	struct str *models = arena_array(&set->arena, struct str, d->models.n + 1);
	struct str *keys = arena_array(&set->arena, struct str, d->keys.n + 1);
	for (unsigned i = 0; i < d->models.n; i++)
		models[i] = arena_copy(&set->arena, d->models.items[i]);
	for (unsigned i = 0; i < d->keys.n; i++)
		keys[i] = arena_copy(&set->arena, d->keys.items[i]);
	*u = (struct plugin_use){ .name = arena_copy(&set->arena, d->name), .plugin = plugin, .timeout_us = d->timeout_us,
				  .on_failure = d->on_failure, .last = d->last, .models = models, .n_models = d->models.n, .keys = keys,
				  .n_keys = d->keys.n };
	unsigned errors = b->report->n_errors;
	if (plugin_configure(u, &s, d->config ? convert(&set->arena, d->config) : NULL))
		set->n++;
	else if (b->report->n_errors == errors)
		build_error(b, n, "plugin `%.*s` refuses its configuration", STR_FMT(d->name));
}

static void add(struct build *b, const struct node *n, struct plugin_set *set)
{
	struct plugin_draft d = { 0 };
	struct buf why = BUF_INIT(2048);
	unsigned errors = b->report->n_errors;
	options_load(&plugin_table, n, &d, &b->context);
	if (n->kind == NODE_MAP && str_empty(d.name))
		build_error(b, n, "a plugin needs a `name`");
	if (b->report->n_errors > errors || !b->environment)
		return;
	const struct weir_plugin *plugin = plugin_load(d.name, d.path, d.sha256, &why);
	if (plugin && set->n < PLUGINS_MAX)
		configure(b, n, &d, set, plugin);
	else if (plugin)
		build_error(b, n, "more than %d plugins", PLUGINS_MAX);
	else if (d.required)
		build_error(b, n, "plugin `%.*s` cannot be loaded: %.*s", STR_FMT(d.name), STR_FMT(buf_str(&why)));
	else
		build_warn(b, n, "plugin `%.*s` is left out, it cannot be loaded: %.*s", STR_FMT(d.name), STR_FMT(buf_str(&why)));
	buf_free(&why);
}

static void release_set(void *set)
{
	plugin_set_unref(set);
}

void build_plugins(struct build *b)
{
	const struct node *plugins = b->draft.plugins;
	if (!plugins || node_is_null(plugins))
		return;
	if (plugins->kind != NODE_LIST) {
		build_error(b, plugins, "`plugins`: expected a list, not %s", node_kind_name(plugins));
		return;
	}
	struct plugin_set *set = plugin_set_new();
	arena_own(b->arena, set, release_set);
	for (const struct node *n = plugins->first; n; n = n->next)
		add(b, n, set);
	if (set->n)
		b->s->plugins = set;
}
