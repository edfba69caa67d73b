/*
 * build_limits.c: budgets and limits of keys and teams become rules that are reserved together.
 */
#include "config/build.h"
#include "core/limit.h"

enum { RULES_MAX = 24 };	/* STORE_LIMITS_MAX: what one reservation can hold */

struct rules {
	struct build *b;
	struct str owner;		/* "key/web": the beginning of the store's keys */
	struct str called;		/* "key web" */
	struct limit_rule *rules;
	unsigned n;
};

static const int64_t spans[] = { 1, 60, 3600, 86400 };
static const char *const span_names[] = { "second", "minute", "hour", "day" };
static const char *const period_names[] = { "hour", "day", "week", "month", "year", "total" };

static struct limit_rule *add_rule(struct rules *r, const struct node *at)
{
	static struct limit_rule nowhere;
	if (r->n < RULES_MAX)
		return &r->rules[r->n++];
	build_error(r->b, at, "%.*s has more than %d limits and budgets, its team's included", STR_FMT(r->called), RULES_MAX);
	return &nowhere;
}

/* The kind and the span are part of the store's key. */
static void add_window(struct rules *r, const struct node *at, enum limit_unit unit, const char *what, unsigned span, int64_t most)
{
	struct arena *a = r->b->arena;
	if (most <= 0)
		return;
	*add_rule(r, at) = (struct limit_rule){
		.name = arena_printf(a, "%s_per_%s", what, span_names[span]), .owner = r->called,
		.store_key = arena_printf(a, "%.*s/%s/%lld", STR_FMT(r->owner), what, (long long)spans[span]),
		.unit = unit, .most = most, .span_s = spans[span],
	};
}

static void add_limits(struct rules *r, const struct node *map)
{
	struct limits_draft d = { .concurrent = 0 };
	if (!map || node_is_null(map))
		return;
	options_load(&limits_table, map, &d, &r->b->context);
	for (unsigned i = 0; i < array_len(d.requests); i++)
		add_window(r, map, LIMIT_REQUESTS, "requests", i, d.requests[i]);
	for (unsigned i = 0; i < array_len(d.tokens); i++)
		add_window(r, map, LIMIT_TOKENS, "tokens", i + 1, d.tokens[i]);
	if (d.concurrent > 0)
		*add_rule(r, map) = (struct limit_rule){
			.name = STR("concurrent"), .owner = r->called, .unit = LIMIT_CONCURRENT, .most = d.concurrent,
			.store_key = arena_printf(r->b->arena, "%.*s/concurrent", STR_FMT(r->owner)),
		};
}

static void add_budget(struct rules *r, const struct node *n)
{
	struct budget_draft d = { .usd = 0 };
	struct arena *a = r->b->arena;
	options_load(&budget_table, n, &d, &r->b->context);
	const struct zone *zone = zone_find(d.time_zone, a);
	if (n->kind == NODE_MAP && (d.usd > 0) == (d.tokens > 0))
		build_error(r->b, n, "a budget needs `usd` or `tokens`, one of them");
	if (!zone)
		build_error(r->b, node_get(n, STR("time_zone")), "`time_zone`: there is no `%.*s`: say UTC, +02:00, or a name such as "
			    "Europe/Berlin", STR_FMT(str_head(d.time_zone, 60)));
	const char *unit = d.usd ? "usd" : "tokens";
	char money[MONEY_SIZE];
	struct str amount = d.usd ? money_format(money, d.usd) : arena_printf(a, "%lld", (long long)d.tokens);
	*add_rule(r, n) = (struct limit_rule){
		.name = arena_printf(a, "%.*s %s %s%s", STR_FMT(amount), unit, d.per == PERIOD_TOTAL ? "in " : "per ", period_names[d.per]),
		.owner = r->called, .unit = d.usd ? LIMIT_USD : LIMIT_TOKENS, .budget = true, .worst_case = d.reserve,
		.store_key = arena_printf(a, "%.*s/budget/%s/%s/%.*s", STR_FMT(r->owner), unit, period_names[d.per], STR_FMT(d.time_zone)),
		.most = d.usd ? d.usd : d.tokens, .period = (enum period)d.per, .zone = zone,
	};
}

static void add_budgets(struct rules *r, const struct node *list)
{
	if (!list || node_is_null(list) || (list->kind != NODE_SCALAR && !list->first))
		return;
	if (list->kind != NODE_LIST) {
		build_error(r->b, list, "`budgets`: expected a list of { usd, per }, not %s", node_kind_name(list));
		return;
	}
	for (const struct node *n = list->first; n; n = n->next)
		add_budget(r, n);
}

static const struct node *team_node(const struct build *b, struct str name)
{
	const struct node *teams = b->draft.teams;
	for (const struct node *n = teams && teams->kind == NODE_LIST ? teams->first : NULL; n; n = n->next) {
		const struct node *called = node_get(n, STR("name"));
		if (called && str_eq(called->value, name))
			return n;
	}
	return NULL;
}

void build_limits(struct build *b, struct key *k, const struct key_draft *d)
{
	struct arena *a = b->arena;
	struct rules r = { b, arena_printf(a, "key/%.*s", STR_FMT(k->name)), arena_printf(a, "key `%.*s`", STR_FMT(k->name)),
			   arena_array(a, struct limit_rule, RULES_MAX), 0 };
	const struct node *team = str_empty(k->team) ? NULL : team_node(b, k->team);
	add_limits(&r, d->limits);
	add_budgets(&r, d->budgets);
	if (team) {
		r.owner = arena_printf(a, "team/%.*s", STR_FMT(k->team));
		r.called = arena_printf(a, "team `%.*s`", STR_FMT(k->team));
		add_limits(&r, node_get(team, STR("limits")));
		add_budgets(&r, node_get(team, STR("budgets")));
	}
	if (r.n == 0)
		return;
	struct limit_set *set = arena_new(a, struct limit_set);
	*set = (struct limit_set){ .rules = r.rules, .n = r.n, .closed = d->on_store_failure };
	set->scope = arena_printf(a, "%s/%.*s", str_empty(k->team) ? "key" : "team", STR_FMT(str_empty(k->team) ? k->name : k->team));
	for (unsigned i = 0; i < r.n; i++)
		set->money |= r.rules[i].unit == LIMIT_USD;
	k->limits = set;
}

/* Teams are checked as wholes, also where no key belongs to them. */
void build_check_limits(struct build *b, const struct node *limits, const struct node *budgets)
{
	struct rules r = { b, STR("check"), STR("the team"), arena_array(b->arena, struct limit_rule, RULES_MAX), 0 };
	add_limits(&r, limits);
	add_budgets(&r, budgets);
}
