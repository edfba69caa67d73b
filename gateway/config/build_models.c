/*
 * build_models.c: what applications ask for, and the targets behind it.
 */
#include <time.h>

#include "config/build.h"
#include "core/live.h"

static struct str nearest_provider(const struct build *b, struct str name)
{
	struct str best = STR_NONE;
	unsigned least = (unsigned)(name.n / 2 + 2);
	for (unsigned i = 0; i < b->s->n_providers; i++) {
		unsigned d = str_distance(b->s->providers[i]->name, name);
		if (d < least) {
			least = d;
			best = b->s->providers[i]->name;
		}
	}
	return best;
}

void build_add_target(struct build *b, struct target *t)
{
	struct target **all = arena_array(b->arena, struct target *, b->s->n_targets + 1);
	if (b->s->n_targets)
		memcpy(all, b->s->targets, b->s->n_targets * sizeof(*all));
	all[b->s->n_targets++] = t;
	b->s->targets = all;
}

void build_add_model(struct build *b, struct model *m)
{
	struct model **all = arena_array(b->arena, struct model *, b->s->n_models + 1);
	if (b->s->n_models)
		memcpy(all, b->s->models, b->s->n_models * sizeof(*all));
	all[b->s->n_models++] = m;
	b->s->models = all;
}

static struct provider *provider_of(struct build *b, const struct node *n, struct str name)
{
	ptrdiff_t slash = str_chr(name, '/');
	struct str first = slash < 0 ? name : str_head(name, (size_t)slash);
	const struct provider *p = snapshot_provider(b->s, first);
	if (p && slash > 0)
		return (struct provider *)(uintptr_t)p;
	struct str like = nearest_provider(b, first);
	if (n && slash < 0)
		report_error(b->report, n->line, n->column, "a target reads provider/model, not `%.*s`", STR_FMT(name));
	else if (n && like.n)
		report_error(b->report, n->line, n->column, "there is no provider `%.*s`; did you mean `%.*s`?", STR_FMT(first),
			     STR_FMT(like));
	else if (n)
		report_error(b->report, n->line, n->column, "there is no provider `%.*s`", STR_FMT(first));
	return NULL;
}

struct target *build_target(struct build *b, const struct node *n, struct str name)
{
	struct provider *p = provider_of(b, n, name);
	if (!p)
		return NULL;
	struct target *t = arena_new(b->arena, struct target);
	t->provider = p;
	t->name = name;
	t->model = str_skip(name, (size_t)str_chr(name, '/') + 1);
	t->weight = 1;
	t->free = p->free;
	t->max_concurrent = p->max_concurrent;
	if (str_chr(t->model, '*') >= 0)
		return t;	/* a pattern's: made whole for each request */
	t->live = live_target(name);
	build_add_target(b, t);
	return t;
}

static struct target *one_target(struct build *b, const struct node *n)
{
	struct target_draft d = { 0 };
	if (n->kind == NODE_SCALAR)
		return build_target(b, n, n->value);
	options_load(&target_table, n, &d, &b->context);
	if (str_empty(d.target)) {
		report_error(b->report, n->line, n->column, "this target has no `target: provider/model`");
		return NULL;
	}
	struct target *t = build_target(b, n, d.target);
	if (!t)
		return NULL;
	t->weight = d.weight;
	t->quality = d.quality;
	t->context = d.context;
	t->free |= d.free;
	if (d.max_concurrent)
		t->max_concurrent = d.max_concurrent;
	return t;
}

static void set_targets(struct build *b, const struct node *model, const struct node *list, struct model *m)
{
	unsigned n = 0;
	if (!list || list->kind != NODE_LIST || !list->first) {
		report_error(b->report, (list ? list : model)->line, (list ? list : model)->column,
			     "model `%.*s` needs `targets: [provider/model, ...]`", STR_FMT(m->name));
		return;
	}
	for (const struct node *t = list->first; t; t = t->next)
		n++;
	struct target **targets = arena_array(b->arena, struct target *, n);
	for (const struct node *t = list->first; t; t = t->next) {
		struct target *target = one_target(b, t);
		if (target)
			targets[m->n_targets++] = target;
		if (target && !target->live && !m->pattern)
			report_error(b->report, t->line, t->column, "`*` in a target needs `*` in the model's name");
	}
	m->targets = targets;
}

static void build_model(struct build *b, const struct node *n)
{
	struct model_draft d = { 0 };
	struct model *m = arena_new(b->arena, struct model);
	options_load(&model_table, n, &d, &b->context);
	m->name = n->key;
	m->pattern = str_chr(n->key, '*') >= 0;
	m->strategy = (enum strategy_kind)d.strategy;
	if (m->strategy != STRATEGY_ORDERED && !str_has(buf_str(&b->later), STR("strategies")))
		buf_addf(&b->later, "%sstrategies other than ordered", b->later.n ? ", " : "");
	m->timeouts = d.timeouts;
	m->retry = d.retry;
	m->retry.uncertain = (enum uncertain)d.uncertain;
	m->on_stream_failure = (enum stream_failure)d.on_stream_failure;
	m->content_policy_next = d.content_policy_next;
	m->fallbacks = d.fallbacks.items;
	m->n_fallbacks = d.fallbacks.n;
	m->created_s = (int64_t)time(NULL);
	m->live = live_model(m->name);
	set_targets(b, n, node_get(n, STR("targets")), m);
	build_add_model(b, m);
}

/* --- fallbacks --- */

static const struct model *model_named(const struct snapshot *s, struct str name)
{
	for (unsigned i = 0; i < s->n_models; i++)
		if (str_eq(s->models[i]->name, name))
			return s->models[i];
	return NULL;
}

enum { CHAIN_MAX = 64 };

/* Follows every chain of fallbacks from `from`; a way back to it is a cycle. */
static bool reaches(const struct snapshot *s, const struct model *from)
{
	const struct model *queue[CHAIN_MAX];
	unsigned n = 0, done = 0;
	queue[n++] = from;
	while (done < n) {
		const struct model *m = queue[done++];
		for (unsigned i = 0; i < m->n_fallbacks; i++) {
			const struct model *next = model_named(s, m->fallbacks[i]);
			bool seen = false;
			if (next == from)
				return true;
			for (unsigned j = 0; j < n; j++)
				seen |= queue[j] == next;
			if (next && !seen && n < CHAIN_MAX)
				queue[n++] = next;
		}
	}
	return false;
}

static void check_fallbacks(struct build *b, const struct node *map)
{
	for (const struct node *n = map->first; n; n = n->next) {
		const struct model *m = model_named(b->s, n->key);
		for (unsigned i = 0; m && i < m->n_fallbacks; i++)
			if (!model_named(b->s, m->fallbacks[i]) && str_chr(m->fallbacks[i], '/') < 0)
				report_error(b->report, n->line, n->column, "model `%.*s` falls back to `%.*s`, which does not exist",
					     STR_FMT(m->name), STR_FMT(m->fallbacks[i]));
		if (m && reaches(b->s, m))
			report_error(b->report, n->key_line, n->key_column, "the fallbacks of `%.*s` lead back to it", STR_FMT(m->name));
	}
}

void build_models(struct build *b)
{
	const struct node *map = b->draft.models;
	if (map && !node_is_null(map) && map->kind != NODE_MAP)
		report_error(b->report, map->line, map->column, "`models`: expected a map, not %s", node_kind_name(map));
	if (map && map->kind == NODE_MAP) {
		for (const struct node *n = map->first; n; n = n->next)
			build_model(b, n);
		check_fallbacks(b, map);
	}
	snapshot_index(b->s);
}
