/*
 * route_table.c: from the name an application asks for to a model.
 */
#include "routing/route_table.h"

#include "core/live.h"
#include "providers/presets.h"

static struct target *make_target(const struct snapshot *s, const struct provider *p, struct str model, struct arena *a)
{
	struct target *t = arena_new(a, struct target);
	t->provider = (struct provider *)(uintptr_t)p;
	t->model = model;
	t->name = str_empty(model) ? p->name : arena_printf(a, "%.*s/%.*s", STR_FMT(p->name), STR_FMT(model));
	t->weight = 1;
	t->free = p->free;
	t->max_concurrent = p->max_concurrent;
	pricing_apply(&s->pricing, t);
	t->live = live_target_under(t->name, arena_printf(a, "%.*s/*", STR_FMT(p->name)));
	return t;
}

static const struct model *single(const struct snapshot *s, struct target *t, struct str name, struct arena *a)
{
	struct model *m = arena_new(a, struct model);
	struct target **list = arena_new(a, struct target *);
	*list = t;
	m->name = name;
	m->targets = list;
	m->n_targets = 1;
	m->timeouts = s->settings.timeouts;
	m->retry = s->settings.retry;
	m->policy = s->settings.policy;
	m->live = live_model(t->live->label);
	return m;
}

const struct model *route_direct(const struct snapshot *s, const struct provider *p, struct str model, struct arena *a)
{
	struct target *t = make_target(s, p, model, a);
	return single(s, t, t->name, a);
}

/* provider/model, as written out in the configuration or not. */
static const struct model *by_provider(const struct snapshot *s, struct str name, struct arena *a)
{
	ptrdiff_t slash = str_chr(name, '/');
	if (slash <= 0 || (size_t)slash + 1 == name.n)
		return NULL;
	const struct provider *p = snapshot_provider(s, str_head(name, (size_t)slash));
	if (!p)
		return NULL;
	struct target *t = (struct target *)(uintptr_t)snapshot_target(s, name);
	if (!t)
		t = make_target(s, p, str_skip(name, (size_t)slash + 1), a);
	return single(s, t, name, a);
}

/* --- patterns --- */

static const struct model *longest_pattern(const struct snapshot *s, struct str name)
{
	const struct model *best = NULL;
	for (unsigned i = 0; i < s->n_models; i++) {
		const struct model *m = s->models[i];
		if (m->pattern && str_glob(m->name, name) && (!best || m->name.n > best->name.n))
			best = m;
	}
	return best;
}

/* `*` in a target stands for the whole name that was asked for. */
static struct str fill_star(struct str pattern, struct str name, struct arena *a)
{
	ptrdiff_t star = str_chr(pattern, '*');
	if (star < 0)
		return pattern;
	return arena_printf(a, "%.*s%.*s%.*s", (int)star, pattern.p, STR_FMT(name), STR_FMT(str_skip(pattern, (size_t)star + 1)));
}

static const struct model *fill_pattern(const struct snapshot *s, const struct model *pattern, struct str name, struct arena *a)
{
	struct model *m = arena_new(a, struct model);
	struct target **list = arena_array(a, struct target *, pattern->n_targets);
	*m = *pattern;
	for (unsigned i = 0; i < pattern->n_targets; i++) {
		const struct target *from = pattern->targets[i];
		if (from->live) {
			list[i] = pattern->targets[i];
			continue;
		}
		struct target *t = arena_new(a, struct target);
		*t = *from;
		t->model = fill_star(from->model, name, a);
		t->name = arena_printf(a, "%.*s/%.*s", STR_FMT(from->provider->name), STR_FMT(t->model));
		pricing_apply(&s->pricing, t);
		t->live = live_target_under(t->name, from->name);
		list[i] = t;
	}
	m->targets = list;
	return m;
}

/* --- bare names --- */

static const struct model *by_owner(const struct snapshot *s, struct str name, struct arena *a, struct route *out)
{
	for (unsigned i = 0; i < s->n_providers; i++) {
		const struct provider *p = s->providers[i];
		if (!preset_owns(p->owns, name) && !(p->preset.n && pricing_knows(&s->pricing, p->preset, name)))
			continue;
		if (p->usable)
			return single(s, make_target(s, p, name, a), name, a);
		out->missing_variable = p->credential_variable;
	}
	if (str_empty(out->missing_variable)) {
		const struct preset *preset;
		for (size_t i = 0; (preset = preset_at(i)); i++)
			if (preset_owns(str_c(preset->prefixes), name) && !snapshot_provider(s, str_c(preset->name)))
				out->missing_variable = str_c(preset->variable);
	}
	return NULL;
}

/* --- names like it --- */

static void consider(struct route *out, unsigned *distances, struct str name, unsigned d)
{
	unsigned i = out->n_nearest;
	for (unsigned k = 0; k < out->n_nearest; k++)
		if (str_eq(out->nearest[k], name))
			return;
	while (i > 0 && distances[i - 1] > d)
		i--;
	if (i >= ROUTE_NEAREST)
		return;
	if (out->n_nearest < ROUTE_NEAREST)
		out->n_nearest++;
	for (unsigned k = out->n_nearest - 1; k > i; k--) {
		out->nearest[k] = out->nearest[k - 1];
		distances[k] = distances[k - 1];
	}
	out->nearest[i] = name;
	distances[i] = d;
}

static void find_nearest(const struct snapshot *s, struct str name, struct route *out)
{
	unsigned distances[ROUTE_NEAREST] = { 0 };
	for (unsigned i = 0; i < s->n_models; i++)
		if (!s->models[i]->pattern)
			consider(out, distances, s->models[i]->name, str_distance(s->models[i]->name, name));
	for (unsigned i = 0; i < s->n_targets; i++)
		if (s->targets[i]->provider->usable)
			consider(out, distances, s->targets[i]->name, str_distance(s->targets[i]->name, name));
}

void route_resolve(const struct snapshot *s, struct str name, struct arena *a, struct route *out)
{
	*out = (struct route){ .model = snapshot_model(s, name) };
	if (!out->model)
		out->model = by_provider(s, name, a);
	if (!out->model) {
		const struct model *pattern = longest_pattern(s, name);
		if (pattern)
			out->model = fill_pattern(s, pattern, name, a);
	}
	if (!out->model)
		out->model = by_owner(s, name, a, out);
	if (!out->model)
		find_nearest(s, name, out);
}
