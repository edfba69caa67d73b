/*
 * router.c: the stage that writes the plan: which targets may serve this request, in
 * which order, and why the others may not. It reads health and claims nothing.
 */
#include "routing/router.h"

#include <stdatomic.h>

#include "core/breaker.h"
#include "core/call.h"
#include "core/endpoint.h"
#include "core/plan.h"
#include "core/snapshot.h"
#include "core/txn.h"
#include "routing/route_table.h"
#include "routing/strategy.h"

enum { PLAN_MAX = 32 };

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

static bool provider_allows(const struct provider *p, int64_t now_us, enum breaker_class *open, int64_t *back_at_us)
{
	if (p->n_credentials == 0)
		return true;
	for (unsigned i = 0; i < p->n_credentials; i++)
		if (!p->credentials[i].live ||
		    breakers_allow(p->credentials[i].live->breakers, now_us, open, back_at_us))
			return true;
	return false;
}

static enum error_kind error_of(enum breaker_class c)
{
	return c == BREAKER_RATE_LIMIT ? ERR_UPSTREAM_RATE_LIMIT : ERR_OVERLOADED;
}

static bool is_full(const struct target *target)
{
	return target->max_concurrent > 0 && target->live &&
	       atomic_load_explicit(&target->live->in_flight, memory_order_relaxed) >= target->max_concurrent;
}

static bool is_down(const struct target *target)
{
	return target->live && atomic_load_explicit(&target->live->healthy, memory_order_relaxed) == 0;
}

static void judge(const struct txn *t, struct plan_entry *e)
{
	const struct provider *p = e->target->provider;
	struct str only = t->req->header[RH_WEIR_PROVIDER];
	int64_t now = loop_now(t->loop);
	enum breaker_class open;
	e->excluded_as = ERR_OVERLOADED;
	if (!p->usable) {
		e->excluded = "no credential";
	} else if (!str_empty(only) && !str_eq(only, p->name)) {
		e->excluded = "not the provider asked for";
	} else if (e->target->live && !breakers_allow(e->target->live->breakers, now, &open, &e->back_at_us)) {
		e->excluded = breaker_class_name(open);
		e->excluded_as = error_of(open);
	} else if (!provider_allows(p, now, &open, &e->back_at_us)) {
		e->excluded = breaker_class_name(open);
		e->excluded_as = error_of(open);
	} else if (is_down(e->target)) {
		e->excluded = "health check fails";
	} else if (is_full(e->target)) {
		e->excluded = "full";
	}
}

static void add_targets(const struct txn *t, struct plan *p, const struct model *m)
{
	for (unsigned i = 0; i < m->n_targets && p->n < PLAN_MAX; i++) {
		if (is_planned(p, m->targets[i]))
			continue;
		struct plan_entry *e = &p->entries[p->n++];
		e->target = m->targets[i];
		judge(t, e);
	}
}

/* Further models, the caller's list first; only what the key may use anyway. */
static void add_fallbacks(struct txn *t, struct plan *p)
{
	struct str rest = t->req->header[RH_WEIR_FALLBACKS], name;
	struct route r;
	while (str_split(&rest, ',', &name)) {
		name = str_trim(name);
		route_resolve(t->snapshot, name, &t->arena, &r);
		if (r.model && key_allows(t->key, name))
			add_targets(t, p, r.model);
	}
	for (unsigned i = 0; i < p->model->n_fallbacks; i++) {
		name = p->model->fallbacks[i];
		route_resolve(t->snapshot, name, &t->arena, &r);
		if (r.model && key_allows(t->key, name))
			add_targets(t, p, r.model);
	}
}

static enum stage_result write_plan(struct txn *t, const struct model *m)
{
	struct plan *p = arena_new(&t->arena, struct plan);
	p->model = m;
	p->entries = arena_array(&t->arena, struct plan_entry, PLAN_MAX);
	add_targets(t, p, m);
	if (m->n_fallbacks || !str_empty(t->req->header[RH_WEIR_FALLBACKS]))
		add_fallbacks(t, p);
	ordered_strategy.order(t, p);
	t->plan = p;
	t->live_model = m->live;
	return STAGE_NEXT;
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
	if (t->key && t->key->n_models && !key_allows(t->key, STR("*")))
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

static enum stage_result route_by_model(struct txn *t)
{
	struct route r;
	struct str name = t->call->model;
	route_resolve(t->snapshot, name, &t->arena, &r);
	if (!key_allows(t->key, name)) {
		t->error.param = STR("model");
		return txn_error(t, ERR_MODEL_NOT_ALLOWED, "This key may not use the model `%.*s`.",
				 STR_FMT(str_head(name, 200)));
	}
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
