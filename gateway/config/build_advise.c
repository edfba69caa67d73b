/*
 * build_advise.c: what is allowed and will surprise: options without effect, a free target that
 * always wins, fallbacks that lose a capability, models that are retired.
 */
#include <time.h>

#include "config/build.h"

struct advice {
	struct build *b;
	const struct node *n;		/* the model's map */
	const struct model *m;
};

/* `said`: it differs from its default. */
static void without_effect(const struct advice *a, bool said, const char *option, const char *why)
{
	const struct node *at = options_node(a->n, str_c(option));
	if (at && said)
		build_warn(a->b, at, "`%s` of model `%.*s` has no effect: %s", option, STR_FMT(a->m->name), why);
}

static unsigned count_providers(const struct model *m)
{
	unsigned n = 0;
	for (unsigned i = 0; i < m->n_targets; i++) {
		unsigned k = 0;
		while (k < i && m->targets[k]->provider != m->targets[i]->provider)
			k++;
		n += k == i;
	}
	return n;
}

static void advise_options(const struct advice *a)
{
	const struct model *m = a->m;
	const struct routing_policy *p = &m->policy, *usual = &a->b->draft.s.policy;
	bool learns = m->strategy == STRATEGY_CHEAPEST || m->strategy == STRATEGY_FASTEST;
	const struct node *targets = node_get(a->n, STR("targets"));
	const struct node *t = targets ? targets->first : NULL;
	for (unsigned i = 0; t && i < m->n_targets; t = t->next, i++)
		if (m->targets[i]->weight != 1 && m->strategy != STRATEGY_WEIGHTED)
			build_warn(a->b, node_get(t, STR("weight")), "`weight` has no effect: the strategy of `%.*s` is not weighted",
				   STR_FMT(m->name));
	if (!learns)
		without_effect(a, p->explore != usual->explore, "explore", "only cheapest and fastest look around");
	if (count_providers(m) < 2 && m->n_fallbacks == 0) {
		without_effect(a, p->max_share > 0, "max_share", "there is one provider");
		without_effect(a, p->hedge_quantile > 0, "hedge.quantile", "there is no second provider");
	}
	if (m->policy.hedge_quantile == 0)
		without_effect(a, p->hedge_share != usual->hedge_share, "hedge.max_share", "`hedge.quantile` is not set");
	if (m->n_targets == 1 && m->n_fallbacks == 0)
		without_effect(a, m->content_policy_next, "content_policy_next", "there is no other target");
}

static void advise_free(const struct advice *a)
{
	const struct model *m = a->m;
	if (m->strategy != STRATEGY_CHEAPEST || m->policy.requires.quality || m->n_targets < 2)
		return;
	for (unsigned i = 0; i < m->n_targets; i++)
		if (m->targets[i]->free) {
			build_warn(a->b, node_get(a->n, STR("targets")), "`%.*s` is free, so `cheapest` always takes it: say `requires: "
				   "{ quality: N }` and the targets' `quality`", STR_FMT(m->targets[i]->name));
			return;
		}
}

static int32_t today(void)
{
	time_t now = time(NULL);
	struct tm tm;
	gmtime_r(&now, &tm);
	return (tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday;
}

static const struct node *target_node(const struct advice *a, unsigned i)
{
	const struct node *list = node_get(a->n, STR("targets"));
	const struct node *t = list ? list->first : NULL;
	while (t && i--)
		t = t->next;
	return t ? t : a->n;
}

static void advise_target(const struct advice *a, unsigned i)
{
	const struct target *t = a->m->targets[i];
	int32_t date = t->retires;
	unsigned lost = t->features_known ? a->m->policy.requires.features & ~t->features : 0;
	if (!t->live)
		return;
	if (date && date <= today())
		build_warn(a->b, target_node(a, i), "`%.*s` was retired on %d-%02d-%02d, says the price table", STR_FMT(t->name),
			   (int)date / 10000, (int)date / 100 % 100, (int)date % 100);
	for (unsigned f = 0; f < FEATURES; f++)
		if (lost & 1u << f)
			build_warn(a->b, target_node(a, i), "`%.*s` is never asked for `%.*s`: it lacks `%s`; if it does not, say its "
				   "`features`", STR_FMT(t->name), STR_FMT(a->m->name), feature_name(f));
	if (t->price && t->price->estimated && a->m->strategy == STRATEGY_CHEAPEST)
		build_warn(a->b, target_node(a, i), "no table knows the price of `%.*s`: an estimate decides", STR_FMT(t->name));
	if (!t->price && a->m->strategy == STRATEGY_CHEAPEST)
		build_warn(a->b, target_node(a, i), "the price of `%.*s` is not known: `cheapest` asks it last; give it under `prices`",
			   STR_FMT(t->name));
}

static bool serves(const struct target *t, const struct requires *r)
{
	return !(t->features_known && r->features & ~t->features) && !(r->context && t->context && t->context < r->context) &&
	       !(r->quality && t->quality && t->quality < r->quality);
}

/* A rung on which no target keeps what the model requires. */
static void advise_fallbacks(const struct advice *a)
{
	const struct requires *r = &a->m->policy.requires;
	for (unsigned i = 0; i < a->m->n_fallbacks; i++) {
		const struct model *f = snapshot_model(a->b->s, a->m->fallbacks[i]);
		bool any = !f || f->n_targets == 0;
		for (unsigned k = 0; f && k < f->n_targets; k++)
			any |= serves(f->targets[k], r);
		if (!any)
			build_warn(a->b, build_ladder_node(a->n, i), "no target of the fallback `%.*s` has what `%.*s` requires: it is "
				   "never asked", STR_FMT(f->name), STR_FMT(a->m->name));
	}
}

static void advise_prices(struct build *b)
{
	const struct node *map = b->draft.prices;
	for (const struct node *n = map && map->kind == NODE_MAP ? map->first : NULL; n; n = n->next) {
		ptrdiff_t slash = str_chr(n->key, '/');
		if (slash > 0 && !snapshot_provider(b->s, str_head(n->key, (size_t)slash)))
			report_warning(b->report, n->key_line, n->key_column, "a price without effect: there is no provider `%.*s`",
				       STR_FMT(str_head(n->key, (size_t)slash)));
	}
}

void build_advise(struct build *b)
{
	const struct node *map = b->draft.models;
	unsigned i = 0;
	advise_prices(b);
	if (!map || map->kind != NODE_MAP || b->report->n_errors)
		return;
	for (const struct node *n = map->first; n && i < b->s->n_models; n = n->next, i++) {
		struct advice a = { b, n, b->s->models[i] };
		advise_options(&a);
		advise_free(&a);
		for (unsigned k = 0; k < a.m->n_targets; k++)
			advise_target(&a, k);
		advise_fallbacks(&a);
		build_prune_ladder(b, n, b->s->models[i]);
		build_advise_ladder(b, n, a.m);
	}
}
