/*
 * build_limits.c: budgets and limits of keys and teams become rules that are reserved together, and lists of models.
 */
#include "config/build.h"
#include "core/may_use.h"

enum { MATCH_MAX = 128, RULES_MAX = 24 };	/* STORE_LIMITS_MAX: what one reservation can hold */
static const int64_t AMOUNT_MAX = (INT64_C(1) << 53) - 1;	/* STORE_AMOUNT_MAX */

struct rules {
	struct build *b;
	struct str owner;		/* "key/web": the beginning of the store's keys */
	struct str called;		/* "key web" */
	struct limit_rule *rules;
	unsigned n;
	enum limit_per per;		/* of those that are added now */
	struct str match;
	struct key *key;		/* gets lists of models */
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

/* "key/web/tokens/60", "key/web/model/gpt-*|tokens/60"; a user's name comes behind "key/web/user|tokens/60|". */
static struct str store_key(const struct rules *r, struct str what)
{
	struct arena *a = r->b->arena;
	switch (r->per) {
	case LIMIT_MODEL: return arena_printf(a, "%.*s/model/%.*s|%.*s", STR_FMT(r->owner), STR_FMT(r->match), STR_FMT(what));
	case LIMIT_TAG:   return arena_printf(a, "%.*s/tag/%.*s|%.*s", STR_FMT(r->owner), STR_FMT(r->match), STR_FMT(what));
	case LIMIT_USER:  return arena_printf(a, "%.*s/user|%.*s|", STR_FMT(r->owner), STR_FMT(what));
	default:          return arena_printf(a, "%.*s/%.*s", STR_FMT(r->owner), STR_FMT(what));
	}
}

/* More than can be counted is no limit that is ever met, but for dollars. */
static int64_t at_most(struct rules *r, const struct node *n, int64_t amount, bool usd)
{
	if (amount <= AMOUNT_MAX)
		return amount;
	if (usd)
		build_warn(r->b, n, "a budget of more than 9007199 dollars cannot be counted, and is taken for one of 9007199.254740991");
	return AMOUNT_MAX;
}

/* The kind and the span are part of the store's key. */
static void add_window(struct rules *r, const struct node *at, enum limit_unit unit, enum limit_side side, const char *what, unsigned span,
		       int64_t most)
{
	struct arena *a = r->b->arena;
	if (most <= 0)
		return;
	*add_rule(r, at) = (struct limit_rule){
		.name = arena_printf(a, "%s_per_%s", what, span_names[span]), .owner = r->called,
		.store_key = store_key(r, arena_printf(a, "%s/%lld", what, (long long)spans[span])),
		.unit = unit, .side = side, .most = at_most(r, at, most, false), .span_s = spans[span], .per = r->per, .match = r->match,
	};
}

static void add_limits(struct rules *r, const struct node *map)
{
	struct limits_draft d = { .concurrent = 0 };
	if (!map || node_is_null(map))
		return;
	options_load(&limits_table, map, &d, &r->b->context);
	for (unsigned i = 0; i < array_len(d.requests); i++)
		add_window(r, map, LIMIT_REQUESTS, LIMIT_BOTH, "requests", i, d.requests[i]);
	for (unsigned i = 0; i < array_len(d.tokens[0]); i++) {
		add_window(r, map, LIMIT_TOKENS, LIMIT_BOTH, "tokens", i + 1, d.tokens[0][i]);
		add_window(r, map, LIMIT_TOKENS, LIMIT_INPUT, "input_tokens", i + 1, d.tokens[1][i]);
		add_window(r, map, LIMIT_TOKENS, LIMIT_OUTPUT, "output_tokens", i + 1, d.tokens[2][i]);
	}
	if (d.concurrent > 0)
		*add_rule(r, map) = (struct limit_rule){
			.name = STR("concurrent"), .owner = r->called, .unit = LIMIT_CONCURRENT, .most = d.concurrent,
			.store_key = store_key(r, STR("concurrent")), .per = r->per, .match = r->match,
		};
}

/* "80%", or 80. */
static void set_warnings(struct rules *r, const struct node *n, const struct budget_draft *d, struct limit_rule *rule)
{
	for (unsigned i = 0; i < d->warn_at.n; i++) {
		struct str text = d->warn_at.items[i];
		uint64_t at;
		if (str_ends(text, STR("%")))
			text = str_head(text, text.n - 1);
		if (!str_u64(text, &at) || at < 1 || at > 100 || i >= LIMIT_WARNINGS) {
			build_error(r->b, node_get(n, STR("warn_at")), "`warn_at`: expected at most four, from 1 to 100 per cent");
			return;
		}
		rule->warn_at[rule->n_warn++] = (uint8_t)at;
	}
}


static bool has_key(const struct rules *r, struct str key)
{
	for (const struct limit_rule *rule = r->rules; rule < r->rules + r->n; rule++)
		if (str_eq(rule->store_key, key))
			return true;
	return false;
}

/* Two budgets of one period count apart, so that each counts once. */
static struct str budget_key(struct rules *r, const struct node *n, struct str period)
{
	struct str key = store_key(r, period);
	for (unsigned twin = 2; has_key(r, key); twin++) {
		if (twin == 2)
			build_warn(r->b, n, "there is a budget of this period already: the smaller one binds; `warn_at` tells of a part of one");
		key = store_key(r, arena_printf(r->b->arena, "%.*s~%u", STR_FMT(period), twin));
	}
	return key;
}

static void set_rolling(struct rules *r, const struct node *n, const struct budget_draft *d, struct limit_rule *rule)
{
	struct str span = node_get(n, STR("rolling"))->value;
	rule->span_s = d->rolling_us / 1000000;
	rule->name = arena_printf(r->b->arena, "%.*s in any %.*s", STR_FMT(rule->name), STR_FMT(span));
	if (node_get(n, STR("per")) || node_get(n, STR("time_zone")))
		build_error(r->b, n, "a budget is `rolling` or of a calendar period (`per`, `time_zone`), not both");
}

static void add_budget(struct rules *r, const struct node *n)
{
	struct budget_draft d = { .usd = 0 };
	struct arena *a = r->b->arena;
	options_load(&budget_table, n, &d, &r->b->context);
	const struct zone *zone = zone_find(d.time_zone, a);
	if (n->kind == NODE_MAP && (d.usd > 0) == (d.tokens > 0))
		build_error(r->b, n, "a budget needs `usd` or `tokens`, one of them, above 0");
	if (!zone)
		build_error(r->b, node_get(n, STR("time_zone")), "`time_zone`: there is no `%.*s`: say UTC, +02:00, or a name such as "
			    "Europe/Berlin", STR_FMT(str_head(d.time_zone, 60)));
	const char *unit = d.usd ? "usd" : "tokens";
	char money[MONEY_SIZE];
	struct str amount = d.usd ? money_format(money, d.usd) : arena_printf(a, "%lld", (long long)d.tokens);
	struct str period = d.rolling_us ? arena_printf(a, "rolling/%lld", (long long)(d.rolling_us / 1000000))
					 : arena_printf(a, "%s/%.*s", period_names[d.per], STR_FMT(d.time_zone));
	struct limit_rule rule = {
		.name = arena_printf(a, "%.*s %s", STR_FMT(amount), unit), .owner = r->called, .unit = d.usd ? LIMIT_USD : LIMIT_TOKENS,
		.budget = true, .worst_case = d.reserve, .store_key = budget_key(r, n, arena_printf(a, "budget/%s/%.*s", unit, STR_FMT(period))),
		.most = at_most(r, n, d.usd ? d.usd : d.tokens, d.usd > 0), .period = (enum period)d.per, .zone = zone, .per = r->per,
		.match = r->match,
	};
	set_warnings(r, n, &d, &rule);
	if (d.rolling_us)
		set_rolling(r, n, &d, &rule);
	else
		rule.name = arena_printf(a, "%.*s %s%s", STR_FMT(rule.name), d.per == PERIOD_TOTAL ? "in " : "per ", period_names[d.per]);
	*add_rule(r, n) = rule;
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

/* --- by model, end user, tag --- */

/* Whether a body's `user` matters, and which models a tag's or an end user's requests may ask for. */
static void add_list(struct rules *r, const struct option_strings *models)
{
	struct key *k = r->key;
	k->asks_user |= r->per == LIMIT_USER || (r->per == LIMIT_TAG && str_starts(r->match, STR("user=")));
	if (models->n == 0)
		return;
	struct model_list *list = arena_new(r->b->arena, struct model_list);
	const struct model_list **all = build_room(r->b->arena, k->lists, k->n_lists);
	*list = (struct model_list){ r->called, r->per, r->match, models->items, models->n };
	all[k->n_lists++] = list;
	k->lists = all;
}

static void add_part(struct rules *r, const struct node *n, enum limit_per per, struct str match)
{
	static const char *const words[] = { [LIMIT_MODEL] = "for", [LIMIT_USER] = "for each user", [LIMIT_TAG] = "tagged" };
	struct part_draft d = { 0 };
	struct str called = r->called;
	if (match.n > MATCH_MAX)
		build_error(r->b, n, "`%.*s...` is longer than a model or a tag may be here: %d", STR_FMT(str_head(match, 40)), MATCH_MAX);
	options_load(per == LIMIT_MODEL ? &model_part_table : &part_table, n, &d, &r->b->context);
	r->called = arena_printf(r->b->arena, "%.*s %s%s%.*s", STR_FMT(called), words[per], match.n ? " " : "", STR_FMT(match));
	r->per = per;
	r->match = match;
	add_list(r, &d.models);
	add_limits(r, d.limits);
	add_budgets(r, d.budgets);
	r->called = called;
	r->per = LIMIT_ALL;
}

static void add_parts(struct rules *r, const struct node *map, enum limit_per per, const char *what)
{
	if (!map || node_is_null(map))
		return;
	if (map->kind != NODE_MAP)
		build_error(r->b, map, "`%s`: expected a map of %s limits, budgets }, not %s", what,
			    per == LIMIT_MODEL ? "models to {" : "tags to { models,", node_kind_name(map));
	for (const struct node *n = map->kind == NODE_MAP ? map->first : NULL; n; n = n->next)
		add_part(r, n, per, n->key);
}

static void add_all(struct rules *r, const struct node *of)
{
	const struct node *user = node_get(of, STR("per_user"));
	add_limits(r, node_get(of, STR("limits")));
	add_budgets(r, node_get(of, STR("budgets")));
	add_parts(r, node_get(of, STR("per_model")), LIMIT_MODEL, "per_model");
	add_parts(r, node_get(of, STR("per_tag")), LIMIT_TAG, "per_tag");
	if (user && !node_is_null(user))
		add_part(r, user, LIMIT_USER, STR_NONE);
}

/* --- keys and teams --- */

static void set_team_models(struct build *b, const struct node *team, struct key *k)
{
	struct config_report quiet;	/* what is wrong with it is told once, where teams are checked */
	struct option_context context = { b->arena, &quiet };
	struct team_draft d = { 0 };
	report_init(&quiet);
	options_load(&team_table, team, &d, &context);
	report_free(&quiet);
	k->team_models = d.models.items;
	k->n_team_models = d.models.n;
}

void build_limits(struct build *b, struct key *k, const struct node *of, bool closed)
{
	struct arena *a = b->arena;
	struct rules r = { .b = b, .key = k, .owner = arena_printf(a, "key/%.*s", STR_FMT(k->name)),
			   .called = arena_printf(a, "key `%.*s`", STR_FMT(k->name)),
			   .rules = arena_array(a, struct limit_rule, RULES_MAX) };
	const struct node *team = str_empty(k->team) ? NULL : team_node(b, k->team);
	add_all(&r, of);
	if (team) {
		r.owner = arena_printf(a, "team/%.*s", STR_FMT(k->team));
		r.called = arena_printf(a, "team `%.*s`", STR_FMT(k->team));
		add_all(&r, team);
		set_team_models(b, team, k);
	}
	if (r.n == 0)
		return;
	struct limit_set *set = arena_new(a, struct limit_set);
	*set = (struct limit_set){ .rules = r.rules, .n = r.n, .closed = closed };
	set->scope = arena_printf(a, "%s/%.*s", str_empty(k->team) ? "key" : "team", STR_FMT(str_empty(k->team) ? k->name : k->team));
	for (unsigned i = 0; i < r.n; i++) {
		set->money |= r.rules[i].unit == LIMIT_USD;
		set->worst_case |= r.rules[i].unit == LIMIT_USD && r.rules[i].worst_case;
	}
	k->limits = set;
}

/* Teams are checked as wholes, also where no key belongs to them. */
void build_check_limits(struct build *b, const struct node *team)
{
	struct key nobody = { .n_lists = 0 };
	struct rules r = { .b = b, .key = &nobody, .owner = STR("check"), .called = STR("the team"),
			   .rules = arena_array(b->arena, struct limit_rule, RULES_MAX) };
	add_all(&r, team);
}
