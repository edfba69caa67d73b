/*
 * build_ladder.c: a model's ladder, as a list or by its shorthand `fallbacks`.
 */
#include "config/build.h"
#include "core/plugin.h"

static const struct str words[LADDER_MAX] = { [LADDER_STALE] = STR_INIT("stale"), [LADDER_RULE] = STR_INIT("rule") };

/* `model: NAME`, in whatever way YAML says it inside a list. */
static const struct node *model_of(const struct node *item)
{
	return item->kind == NODE_MAP && item->n == 1 ? node_get(item, STR("model")) : NULL;
}

static void add_rung(struct build *b, const struct node *item, struct model *m)
{
	unsigned rung = 0;
	while (rung < LADDER_MAX && !str_eq(words[rung], item->value))
		rung++;
	if (item->kind != NODE_SCALAR || rung == LADDER_MAX) {
		build_error(b, item, "a rung of a ladder is `targets`, `model: NAME`, `stale`, `rule` or `error`");
		return;
	}
	for (unsigned i = 0; i < m->n_ladder; i++)
		if (m->ladder[i] == rung) {
			build_error(b, item, "`%.*s` stands twice in this ladder", STR_FMT(item->value));
			return;
		}
	m->ladder[m->n_ladder++] = (uint8_t)rung;
}

static void add_model(struct build *b, const struct node *item, const struct node *name, struct model *m, struct str *models)
{
	if (name->kind != NODE_SCALAR || str_empty(name->value))
		build_error(b, name, "`model` wants the name of another model");
	else if (m->n_ladder)
		build_error(b, item, "models stand before `stale` and `rule`: those are for when no model answers");
	else
		models[m->n_fallbacks++] = name->value;
}

static void read_list(struct build *b, const struct node *list, struct model *m)
{
	struct str *models = arena_array(b->arena, struct str, list->n + 1);
	if (list->kind != NODE_LIST || !list->first || !str_eq(list->first->value, STR("targets"))) {
		build_error(b, list, "a ladder is a list that begins with `targets`: [targets, model: NAME, stale, rule, error]");
		return;
	}
	m->fallbacks = models;
	for (const struct node *item = list->first->next; item; item = item->next) {
		const struct node *name = model_of(item);
		if (name)
			add_model(b, item, name, m, models);
		else if (item->kind == NODE_SCALAR && str_eq(item->value, STR("error")) && item->next)
			build_error(b, item->next, "nothing comes after `error`");
		else if (item->kind != NODE_SCALAR || !str_eq(item->value, STR("error")))
			add_rung(b, item, m);
	}
}

void build_ladder(struct build *b, const struct node *n, const struct model_draft *d, struct model *m)
{
	bool said = d->ladder && !node_is_null(d->ladder);
	if (said && d->fallbacks.n)
		build_error(b, d->ladder, "model `%.*s` has `fallbacks` and a `ladder`: name them in the ladder as `model: NAME`", STR_FMT(n->key));
	else if (said)
		read_list(b, d->ladder, m);
	if (said)
		return;
	m->fallbacks = d->fallbacks.items;
	m->n_fallbacks = d->fallbacks.n;
}

const struct node *build_ladder_node(const struct node *model, unsigned i)
{
	const struct node *list = node_get(model, STR("ladder"));
	if (!list)
		list = node_get(model, STR("fallbacks"));
	if (!list || list->kind != NODE_LIST)
		return list ? list : model;
	bool named = !node_get(model, STR("ladder"));
	for (const struct node *item = list->first; item; item = item->next)
		if ((named || model_of(item)) && i-- == 0)
			return item;
	return list;
}

static bool is_asked_last(const struct plugin_use *u, struct str model)
{
	bool named = u->n_models == 0;
	for (unsigned i = 0; i < u->n_models; i++)
		named |= str_glob(u->models[i], model);
	return u->last && named;
}

static bool any_last(const struct build *b, const struct model *m)
{
	const struct plugin_set *set = b->s->plugins;
	bool any = false;
	for (unsigned i = 0; set && i < set->n; i++)
		any |= is_asked_last(&set->uses[i], m->name);
	return any;
}

void build_prune_ladder(struct build *b, const struct node *n, struct model *m)
{
	if (node_get(n, STR("ladder")) && !node_is_null(node_get(n, STR("ladder"))))
		return;
	m->n_ladder = 0;
	if (m->policy.cache)
		m->ladder[m->n_ladder++] = LADDER_STALE;
	if (any_last(b, m))
		m->ladder[m->n_ladder++] = LADDER_RULE;
}

void build_advise_ladder(struct build *b, const struct node *n, const struct model *m)
{
	const struct node *list = node_get(n, STR("ladder"));
	bool any = !b->environment || any_last(b, m);	/* without it plugins are not looked for */
	for (const struct node *item = list && list->kind == NODE_LIST ? list->first : NULL; item; item = item->next) {
		if (!any && str_eq(item->value, words[LADDER_RULE]))
			build_warn(b, item, "`rule` never answers: no plugin for `%.*s` says `last: true`", STR_FMT(m->name));
		if (!m->policy.cache && str_eq(item->value, words[LADDER_STALE]))
			build_warn(b, item, "`stale` never answers: answers of `%.*s` are not kept (`cache`)", STR_FMT(m->name));
	}
}
