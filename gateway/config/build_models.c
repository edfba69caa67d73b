/*
 * build_models.c: what applications ask for, and the targets behind it.
 */
#include <time.h>

#include "config/build.h"
#include "core/dialect.h"
#include "core/live.h"

enum { NAME_MOST = 256 };

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

void *build_room(struct arena *a, const void *items, unsigned n)
{
	if (n & (n - 1))
		return (void *)(uintptr_t)items;	/* room was made by powers of two */
	void **all = arena_array(a, void *, n ? 2 * (size_t)n : 1);
	if (n)
		memcpy(all, items, n * sizeof(*all));
	return all;
}

static void add_target(struct build *b, struct target *t)
{
	struct target **all = build_room(b->arena, b->s->targets, b->s->n_targets);
	all[b->s->n_targets++] = t;
	b->s->targets = all;
}

static void add_model(struct build *b, struct model *m)
{
	struct model **all = build_room(b->arena, b->s->models, b->s->n_models);
	all[b->s->n_models++] = m;
	b->s->models = all;
}

static struct provider *provider_of(struct build *b, const struct node *n, struct str name)
{
	ptrdiff_t slash = str_chr(name, '/');
	struct str first = slash < 0 ? name : str_head(name, (size_t)slash);
	const struct provider *p = snapshot_provider(b->s, first);
	if (p && slash > 0 && (size_t)slash + 1 < name.n)
		return (struct provider *)(uintptr_t)p;
	if (n && n->broken)
		return NULL;
	struct str like = nearest_provider(b, first);
	if (n && (slash < 0 || p))
		report_error(b->report, n->line, n->column, "a target reads provider/model, not `%.*s`", STR_FMT(str_head(name, 80)));
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
	pricing_apply(&b->s->pricing, t);
	if (str_chr(t->model, '*') >= 0)
		return t;	/* a pattern's: made whole for each request */
	t->live = live_target(name);
	add_target(b, t);
	return t;
}

static void set_features(struct build *b, const struct node *n, const struct target_draft *d, struct target *t)
{
	unsigned all = 0;
	if (!node_get(n, STR("features")))
		return;
	for (unsigned i = 0; i < d->features.n; i++) {
		unsigned f = feature_of(d->features.items[i]);
		if (!f)
			build_error(b, node_get(n, STR("features")), "`features`: there is no `%.*s`; there are tools, vision, audio, "
				    "json_schema, reasoning", STR_FMT(str_head(d->features.items[i], 40)));
		all |= f;
	}
	t->features = all;
	t->features_known = true;
}

static struct target *one_target(struct build *b, const struct node *n)
{
	struct target_draft d = { 0 };
	if (n->kind == NODE_SCALAR)
		return build_target(b, n, n->value);
	options_load(&target_table, n, &d, &b->context);
	if (str_empty(d.target)) {
		if (n->kind == NODE_MAP)
			build_error(b, n, "this target has no `target: provider/model`");
		return NULL;
	}
	struct target *t = build_target(b, node_get(n, STR("target")), d.target);
	if (!t)
		return NULL;
	t->weight = d.weight;
	t->quality = d.quality;
	t->context = d.context ? d.context : t->context;
	t->free |= d.free;
	set_features(b, n, &d, t);
	t->responses_only |= d.responses == 1;
	if (d.responses == 1 && !t->provider->also[0] && t->provider->dialect != dialect_find(STR("openai-responses")))
		build_error(b, node_get(n, STR("responses")), "`responses: only`: the provider `%.*s` is not asked for Responses; say `responses: relay` there",
			    STR_FMT(t->provider->name));
	if (d.free)
		pricing_apply(&b->s->pricing, t);
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

static void check_name(struct build *b, const struct node *n)
{
	bool good = n->key.n > 0 && n->key.n <= NAME_MOST;
	for (size_t i = 0; i < n->key.n; i++)
		good &= n->key.p[i] > ' ' && n->key.p[i] < 0x7f;
	if (!good)
		report_error(b->report, n->key_line, n->key_column, "a model's name has 1 to %d printable characters without blanks",
			     NAME_MOST);
}

static void build_model(struct build *b, const struct node *n)
{
	const struct settings_draft *usual = &b->draft;
	struct model_draft d = { .timeouts = usual->s.timeouts, .retry = usual->s.retry, .uncertain = usual->uncertain,
				 .policy = { .cache = usual->s.cache.enabled } };
	struct model *m = arena_new(b->arena, struct model);
	struct buf said = BUF_INIT(SIZE_MAX);
	check_name(b, n);
	options_load(&model_table, n, &d, &b->context);
	m->name = n->key;
	m->pattern = str_chr(n->key, '*') >= 0;
	m->strategy = (enum strategy_kind)d.strategy;
	m->timeouts = d.timeouts;
	m->retry = d.retry;
	m->retry.uncertain = (enum uncertain)d.uncertain;
	m->on_stream_failure = (enum stream_failure)d.on_stream_failure;
	m->content_policy_next = d.content_policy_next;
	m->policy = d.policy;
	for (unsigned i = 0; i < FEATURES; i++)
		m->policy.requires.features |= d.required[i] ? 1u << i : 0;
	build_ladder(b, n, &d, m);
	m->created_s = (int64_t)time(NULL);
	m->live = live_model(m->name);
	set_targets(b, n, node_get(n, STR("targets")), m);
	b->said = &said;
	m->cascade = build_cascade(b, n, &d, m);
	b->said = NULL;
	build_model_definition(n, &said, m);
	buf_free(&said);
	add_model(b, m);
}

/* --- fallbacks --- */

enum { CHAIN_MAX = 64 };

/* Follows every chain of fallbacks from `from`; a way back to it, or too long a way, is refused. */
static const char *chain_fault(const struct snapshot *s, const struct model *from)
{
	const struct model *queue[CHAIN_MAX] = { from };
	unsigned n = 1, done = 0;
	while (done < n) {
		const struct model *m = queue[done++];
		for (unsigned i = 0; i < m->n_fallbacks; i++) {
			const struct model *next = snapshot_model(s, m->fallbacks[i]);
			bool seen = !next;
			if (next == from)
				return "lead back to it";
			for (unsigned j = 0; j < n && !seen; j++)
				seen = queue[j] == next;
			if (!seen && n == CHAIN_MAX)
				return "lead on to more than 64 models";
			if (!seen)
				queue[n++] = next;
		}
	}
	return NULL;
}

static bool exists(const struct snapshot *s, struct str name)
{
	ptrdiff_t slash = str_chr(name, '/');
	if (snapshot_model(s, name) || (slash > 0 && snapshot_provider(s, str_head(name, (size_t)slash))))
		return true;
	for (unsigned i = 0; i < s->n_models; i++)
		if (s->models[i]->pattern && str_glob(s->models[i]->name, name))
			return true;
	return false;
}

static void check_fallbacks(struct build *b, const struct node *n, const struct model *m)
{
	for (unsigned i = 0; i < m->n_fallbacks; i++)
		if (!exists(b->s, m->fallbacks[i]))
			build_error(b, build_ladder_node(n, i), "model `%.*s` falls back to `%.*s`, which does not exist", STR_FMT(m->name),
				    STR_FMT(str_head(m->fallbacks[i], 80)));
	const char *fault = m->n_fallbacks ? chain_fault(b->s, m) : NULL;
	if (fault)
		report_error(b->report, n->key_line, n->key_column, "the fallbacks of `%.*s` %s", STR_FMT(m->name), fault);
}

/* Of names that are no model: provider/model, and what a vendor owns. */
static void set_usual_policy(struct build *b)
{
	struct model_draft *d = arena_new(b->arena, struct model_draft);
	d->policy.cache = b->draft.s.cache.enabled;
	options_load(&model_table, NULL, d, &b->context);
	b->draft.s.policy = d->policy;
}

void build_models(struct build *b)
{
	const struct node *map = b->draft.models;
	set_usual_policy(b);
	if (map && !node_is_null(map) && map->kind != NODE_MAP)
		build_error(b, map, "`models`: expected a map, not %s", node_kind_name(map));
	if (map && map->kind == NODE_MAP)
		for (const struct node *n = map->first; n; n = n->next)
			build_model(b, n);
	snapshot_index(b->s);
	unsigned i = 0;
	for (const struct node *n = map && map->kind == NODE_MAP ? map->first : NULL; n; n = n->next)
		check_fallbacks(b, n, b->s->models[i++]);
}
