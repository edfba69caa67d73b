/*
 * build_plugins.c: steps of the operator's own: found, configured, put in order.
 *
 * A plugin that cannot be loaded is left out with a warning, unless it is required; one that refuses
 * its configuration refuses the whole of it.
 */
#include "config/build.h"
#include "core/plugin.h"
#include "plugin_host/plugin_set.h"

static void configure(struct build *b, const struct node *n, const struct plugin_draft *d, struct plugin_set *set,
		      const struct weir_plugin *plugin)
{
	struct plugin_use *u = &set->uses[set->n];
	struct weir_setup s = build_plugin_setup(b, &set->arena);
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
	b->plugin = n;
	if (plugin_configure(u, &s, d->config ? build_plugin_node(&set->arena, d->config) : NULL))
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
		build_error(b, plugins, "`plugins`: expected a list of { name, config }, not %s", node_kind_name(plugins));
		return;
	}
	struct plugin_set *set = plugin_set_new();
	arena_own(b->arena, set, release_set);
	for (const struct node *n = plugins->first; n; n = n->next)
		add(b, n, set);
	if (set->n)
		b->s->plugins = set;
}
