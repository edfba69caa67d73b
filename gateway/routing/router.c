/*
 * router.c: the stage that writes the plan: which targets may serve this request, in
 * which order, and why the others may not. It reads health and claims nothing.
 */
#include "routing/router.h"

#include <stdatomic.h>

#include "base/digest.h"
#include "core/affinity.h"
#include "core/call.h"
#include "core/endpoint.h"
#include "core/journal.h"
#include "core/may_use.h"
#include "core/plan.h"
#include "core/snapshot.h"
#include "core/txn.h"
#include "routing/complexity.h"
#include "routing/count_tokens.h"
#include "routing/expect.h"
#include "routing/judge.h"
#include "routing/route_table.h"
#include "routing/strategy.h"

static enum stage_result no_such_model(struct txn *t, const struct route *r)
{
	struct str name = str_head(t->call->model, 200);
	struct buf hint = BUF_INIT(1024);
	if (!str_empty(r->missing_variable))
		buf_addf(&hint, " Its provider has no credential: set %.*s.", STR_FMT(r->missing_variable));
	else if (r->n_nearest)
		buf_addf(&hint, " Did you mean");
	for (unsigned i = 0; i < r->n_nearest && str_empty(r->missing_variable); i++)
		buf_addf(&hint, "%s `%.*s`", i == 0 ? "" : i + 1 == r->n_nearest ? " or" : ",", STR_FMT(r->nearest[i]));
	if (r->n_nearest && str_empty(r->missing_variable))
		buf_addc(&hint, '?');
	t->error.param = STR("model");
	txn_error(t, ERR_NO_MODEL, "The model `%.*s` does not exist here.%.*s", STR_FMT(name), STR_FMT(buf_str(&hint)));
	buf_free(&hint);
	return STAGE_FAILED;
}

/* --- the plan --- */

static bool is_planned(const struct plan *p, const struct target *target)
{
	for (unsigned i = 0; i < p->n; i++)
		if (str_eq(p->entries[i].target->name, target->name))
			return true;
	return false;
}

/* One rung: a model's own targets, judged by what the model that was asked for requires. */
static void add_targets(const struct txn *t, struct plan *p, const struct model *m, unsigned rung)
{
	for (unsigned i = 0; i < m->n_targets && p->n < PLAN_MAX; i++) {
		if (is_planned(p, m->targets[i]))
			continue;
		struct plan_entry *e = &p->entries[p->n++];
		*e = (struct plan_entry){ .target = m->targets[i], .rung = rung, .model = m, .input = -1, .output = -1, .cost = -1, .time_us = -1 };
		judge(t, &p->model->policy.requires, e);
		if (rung && !e->excluded)
			judge(t, &m->policy.requires, e);
	}
}

struct rung {
	const struct model *model;
	unsigned first, n;	/* of the plan's entries */
};

static void add_rung(const struct txn *t, struct plan *p, const struct model *m, struct rung *rungs, unsigned *n)
{
	if (*n == PLAN_MAX)
		return;
	rungs[*n] = (struct rung){ .model = m, .first = p->n };
	add_targets(t, p, m, *n);
	rungs[*n].n = p->n - rungs[*n].first;
	(*n)++;
}

/* Further models, the caller's list first; only what the key may use anyway. */
static void add_fallbacks(struct txn *t, struct plan *p, struct rung *rungs, unsigned *n)
{
	struct str rest = t->req->header[RH_WEIR_FALLBACKS], name;
	struct route r;
	while (str_split(&rest, ',', &name)) {
		name = str_trim(name);
		route_resolve(t->snapshot, name, &t->arena, &r);
		if (r.model && may_use(t, name))
			add_rung(t, p, r.model, rungs, n);
	}
	for (unsigned i = 0; i < p->model->n_fallbacks; i++) {
		name = p->model->fallbacks[i];
		route_resolve(t->snapshot, name, &t->arena, &r);
		if (r.model && may_use(t, name))
			add_rung(t, p, r.model, rungs, n);
	}
}

/* --- order --- */

static bool needs_expectations(const struct plan *p, const struct rung *rungs, unsigned n)
{
	bool any = p->model->policy.max_cost > 0 || p->model->policy.hedge_quantile > 0;
	for (unsigned i = 0; i < n; i++)
		any |= rungs[i].n > 1 && strategy_of(rungs[i].model->strategy)->expectations;
	return any;
}

static void expect_all(struct txn *t, struct plan *p, struct live_target *home)
{
	struct expect_view v = { .prompt = txn_prompt(t), .max_output = t->call->max_output, .service = t->call->service,
				 .home = home };
	if (!v.prompt->measured)
		return;
	expect(&v, p->entries, p->n);
	p->measured = true;
	for (unsigned i = 0; i < p->n; i++)
		judge_cost(p, &p->entries[i], 0);
}

/* A vendor that had its share makes way for another that is up. */
static void hold_shares(const struct model *m, struct plan_entry **entries, unsigned n)
{
	for (unsigned i = 1; i < n && m->policy.max_share && m->live; i++) {
		if (!share_exceeded(&m->live->share, entries[0]->target->provider->name, m->policy.max_share))
			return;
		struct plan_entry *over = entries[0];
		memmove(&entries[0], &entries[1], (n - 1) * sizeof(struct plan_entry *));
		entries[n - 1] = over;
		over->placed = "its vendor had its share";
	}
}

/* Orders what may be asked and leaves the rest behind it. */
static void order_rung(struct txn *t, struct plan *p, const struct rung *r, struct live_target *home)
{
	struct plan_entry *entries[PLAN_MAX], sorted[PLAN_MAX];
	struct strategy_view v = { .model = r->model, .entries = entries, .home = r->model->policy.affinity ? home : NULL,
				   .now_us = loop_now(t->loop), .dice = random_u64() };
	unsigned n = 0;
	if (r->model->cascade)
		v.first = complexity_first(t, r->model, &v.why_first);
	if (r->model->live && r->n > 1)
		v.turn = atomic_fetch_add_explicit(&r->model->live->turn, !t->dry, memory_order_relaxed);
	for (unsigned i = 0; i < r->n; i++)
		if (!p->entries[r->first + i].excluded)
			entries[v.n++] = &p->entries[r->first + i];
	strategy_of(r->model->strategy)->order(&v);
	if (!r->model->cascade)
		hold_shares(r->model, entries, v.n);
	for (unsigned i = 0; i < v.n; i++) {
		entries[i]->cascade = r->model->cascade;
		sorted[n++] = *entries[i];
	}
	for (unsigned i = 0; i < r->n; i++)
		if (p->entries[r->first + i].excluded)
			sorted[n++] = p->entries[r->first + i];
	memcpy(&p->entries[r->first], sorted, n * sizeof(*sorted));
}

static struct live_target *find_home(struct txn *t, struct plan *p)
{
	struct str key = t->live_key ? t->live_key->name : STR_NONE;
	if (str_empty(t->call->session) || !p->model->policy.affinity || !p->model->live)
		return NULL;
	p->session = affinity_session(key, p->model->live->name, t->call->session);
	return affinity_find(p->session, loop_now(t->loop));
}

/* A second look is at the last target alone. */
static void keep_last(struct plan *p, const struct model *m)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->entries[i].target != m->targets[m->n_targets - 1] && !p->entries[i].excluded)
			p->entries[i].excluded = "another one is compared with";
}

static enum stage_result write_plan(struct txn *t, const struct model *m)
{
	struct plan *p = arena_new(&t->arena, struct plan);
	struct rung unset rungs[PLAN_MAX];
	unsigned n = 0;
	p->model = m;
	bool further = !t->comparison && (m->n_fallbacks || !str_empty(t->req->header[RH_WEIR_FALLBACKS]));
	p->entries = arena_array(&t->arena, struct plan_entry, further || m->n_targets > PLAN_MAX ? PLAN_MAX : m->n_targets);
	add_rung(t, p, m, rungs, &n);
	if (further)
		add_fallbacks(t, p, rungs, &n);
	judge_fit(t, p);
	if (t->comparison)
		keep_last(p, m);
	struct live_target *home = p->n > 1 ? find_home(t, p) : NULL;
	if (needs_expectations(p, rungs, n) || t->dry)
		expect_all(t, p, home);
	for (unsigned i = 0; i < n; i++)
		if (rungs[i].n > 1)
			order_rung(t, p, &rungs[i], home);
	t->plan = p;
	t->live_model = m->live;
	if (!t->dry)
		journal_plan(t, p, strategy_of(m->strategy)->name);
	return count_tokens(t);
}

/* --- requests that belong to a provider rather than to a model --- */

static struct provider *first_usable(const struct snapshot *s)
{
	for (unsigned i = 0; i < s->n_providers; i++)
		if (s->providers[i]->usable && !s->providers[i]->demo)
			return s->providers[i];
	return NULL;
}

static enum stage_result route_by_provider(struct txn *t)
{
	const struct snapshot *s = t->snapshot;
	struct str asked = t->req->header[RH_WEIR_PROVIDER];
	struct str name = !str_empty(asked) ? asked : s->settings.files_provider;
	if (!may_use(t, STR("*")))
		return txn_error(t, ERR_MODEL_NOT_ALLOWED,
				 "This key is limited to certain models and may not use %s.", t->endpoint->name);
	const struct provider *p = str_empty(name) ? first_usable(s) : snapshot_provider(s, name);
	if (!p) {
		t->error.param = STR("x-weir-provider");
		return txn_error(t, ERR_BAD_REQUEST, str_empty(name) ?
				 "No provider has a credential, so there is none to send this to." :
				 "There is no provider of the name given in x-weir-provider.");
	}
	return write_plan(t, route_direct(s, p, STR_NONE, &t->arena));
}

static enum stage_result not_allowed(struct txn *t, struct str name)
{
	struct str owner = may_use_owner(t, name);
	t->error.param = STR("model");
	return txn_error(t, ERR_MODEL_NOT_ALLOWED, "This key may not use the model `%.*s`%s%.*s%s.", STR_FMT(str_head(name, 200)),
			 owner.n ? ": " : "", STR_FMT(owner), owner.n ? " does not allow it" : "");
}

static enum stage_result route_by_model(struct txn *t)
{
	struct route r;
	struct str name = t->call->model;
	route_resolve(t->snapshot, name, &t->arena, &r);
	if (!may_use(t, name))
		return not_allowed(t, name);
	if (!r.model)
		return no_such_model(t, &r);
	return write_plan(t, r.model);
}

static enum stage_result enter(struct txn *t)
{
	if (t->endpoint->route == ROUTE_PROVIDER && str_empty(t->call->model))
		return route_by_provider(t);
	return route_by_model(t);
}

const struct stage router_stage = { .name = "router", .enter = enter };
