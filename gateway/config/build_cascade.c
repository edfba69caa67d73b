/*
 * build_cascade.c: what a cascade demands of its answers, and whether any answer can meet it.
 */
#include "base/pattern.h"
#include "config/build.h"
#include "core/plugin.h"
#include "plugin_host/plugin_set.h"
#include "wire/json_scan.h"

static const struct node *at(const struct node *model, const char *path)
{
	const struct node *n = options_node(model, str_c(path));
	return n ? n : model;
}

static struct pattern *const *patterns(struct build *b, const struct node *list, const struct option_strings *from, unsigned *n)
{
	struct pattern **all = arena_array(b->arena, struct pattern *, from->n ? from->n : 1);
	const struct node *item = list->kind == NODE_LIST ? list->first : list;
	char why[PATTERN_WHY];
	for (unsigned i = 0; i < from->n; i++, item = item && item->next ? item->next : item) {
		struct pattern *p = pattern_new(from->items[i], why);
		if (!p) {
			build_error(b, item, "`%.*s` is no pattern: %s", STR_FMT(str_head(from->items[i], 80)), why);
			continue;
		}
		arena_own(b->arena, p, pattern_free);
		all[(*n)++] = p;
	}
	return all;
}

static void release(void *context)
{
	const struct plugin_use *u = context;
	u->plugin->release(u->self);
}

/* An instance of the plugin, for this file alone. */
static void read_rules(struct build *b, const struct node *n, struct str file, struct cascade_checks *k)
{
	struct buf why = BUF_INIT(1024);
	struct plugin_use *u = arena_new(b->arena, struct plugin_use);
	struct weir_setup s = build_plugin_setup(b, b->arena);
	struct node config = { .kind = NODE_MAP, .line = n->line, .column = n->column, .n = 1 };
	struct node name = { .kind = NODE_SCALAR, .line = n->line, .column = n->column, .key = STR("file"), .value = file };
	config.first = &name;
	*u = (struct plugin_use){ .name = STR("rules"), .plugin = plugin_load(STR("rules"), STR_NONE, STR_NONE, &why) };
	buf_free(&why);
	if (!plugin_configure(u, &s, build_plugin_node(b->arena, &config)))
		return;
	arena_own(b->arena, u, release);
	k->rules = u;
	k->rules_pass = plugin_passes;
}

static void check_checks(struct build *b, const struct node *n, const struct cascade *c)
{
	const struct cascade_checks *k = &c->checks;
	if (k->schema.n && !json_scan_is_object(k->schema))
		build_error(b, at(n, "cascade.checks.schema"), "`cascade.checks.schema` is no JSON object");
	if (k->schema.n && k->json == WHEN_NEVER)
		build_error(b, at(n, "cascade.checks.json"), "`json: never` and a `schema` contradict each other");
	if (k->max_length && k->min_length > k->max_length)
		build_error(b, at(n, "cascade.checks.min_length"), "no answer has at least %lld and at most %lld bytes",
			    (long long)k->min_length, (long long)k->max_length);
	if (k->min_length > (int64_t)c->window)
		build_error(b, at(n, "cascade.checks.min_length"), "`min_length` is more than the window that is judged: no stream reaches it");
}

static void check_contradictions(struct build *b, const struct node *n, const struct model_draft *d)
{
	for (unsigned i = 0; i < d->match.n; i++)
		for (unsigned j = 0; j < d->deny.n; j++)
			if (str_eq(d->match.items[i], d->deny.items[j]))
				build_error(b, at(n, "cascade.checks.deny"), "`%.*s` is demanded and denied at once: no answer passes",
					    STR_FMT(str_head(d->deny.items[j], 80)));
}

static void check_surroundings(struct build *b, const struct node *n, const struct model *m)
{
	if (m->n_targets == 1)
		build_error(b, at(n, "targets"), "a cascade needs at least two targets, the smallest first");
	if (m->policy.hedge_quantile)
		build_error(b, at(n, "hedge.quantile"), "`hedge` and `strategy: cascade` do not go together: which answer would be checked?");
	if (m->retry.attempts && (unsigned)m->retry.attempts < m->n_targets)
		build_warn(b, at(n, "retry.attempts"), "`retry.attempts` ends the cascade of `%.*s` before its last target", STR_FMT(m->name));
	if (m->policy.max_share)
		build_warn(b, at(n, "max_share"), "`max_share` of model `%.*s` has no effect: a cascade has an order of its own",
			   STR_FMT(m->name));
	for (unsigned i = 0; i < m->n_targets; i++)
		for (unsigned j = 0; j < i; j++)
			if (str_eq(m->targets[i]->name, m->targets[j]->name))
				build_error(b, at(n, "targets"), "`%.*s` stands twice in a cascade: it would answer the same again",
					    STR_FMT(m->targets[i]->name));
}

/* Does it say anything but what holds anyway? */
static bool differs(struct build *b, const struct model_draft *d)
{
	struct model_draft *usual = arena_new(b->arena, struct model_draft);
	options_load(&model_table, NULL, usual, &b->context);
	return d->match.n || d->deny.n || d->rules.n || d->cascade.checks.schema.n || memcmp(&usual->cascade, &d->cascade, sizeof(d->cascade)) != 0;
}

const struct cascade *build_cascade(struct build *b, const struct node *n, const struct model_draft *d, const struct model *m)
{
	const struct node *said = node_get(n, STR("cascade"));
	if (m->strategy != STRATEGY_CASCADE) {
		if (said && differs(b, d))
			build_warn(b, said, "`cascade` of model `%.*s` has no effect: its strategy is another", STR_FMT(m->name));
		return NULL;
	}
	struct cascade *c = arena_new(b->arena, struct cascade);
	*c = d->cascade;
	c->checks.match = patterns(b, at(n, "cascade.checks.match"), &d->match, &c->checks.n_match);
	c->checks.deny = patterns(b, at(n, "cascade.checks.deny"), &d->deny, &c->checks.n_deny);
	if (d->rules.n && b->environment)
		read_rules(b, at(n, "cascade.checks.rules"), d->rules, &c->checks);
	check_contradictions(b, n, d);
	check_checks(b, n, c);
	check_surroundings(b, n, m);
	return c;
}
