/*
 * cache_key_model.c: a model's definition, as far as it decides on answers.
 *
 * Targets are told in order of their names: how they are ordered for one request changes from moment to moment. Where the
 * definition itself is an order, that is told, too.
 */
#include "cache/cache_key_parts.h"

#include <stdlib.h>

#include "core/cascade.h"
#include "core/dialect.h"
#include "core/plan.h"

static void add_numbers(struct buf *b, const int64_t *numbers, size_t n)
{
	cache_key_part(b, str_of((const char *)numbers, n * sizeof(*numbers)));
}

static void add_provider(struct buf *b, const struct provider *p)
{
	const int64_t numbers[] = { p->quirks, p->origin.tls, p->demo };
	const struct dialect *spoken[] = { p->dialect, p->also[0], p->also[1] };
	const struct str parts[] = { p->preset, p->origin.host_header, p->origin.unix_path, p->base_path, p->api_version, p->region };
	for (size_t i = 0; i < array_len(spoken); i++)
		cache_key_part(b, spoken[i] ? str_c(spoken[i]->name) : STR_NONE);
	for (size_t i = 0; i < array_len(parts); i++)
		cache_key_part(b, parts[i]);
	for (unsigned i = 0; i < p->n_headers; i++) {
		cache_key_part(b, p->headers[i].name);
		cache_key_part(b, p->headers[i].value);
	}
	add_numbers(b, numbers, array_len(numbers));
}

/* Its limits and abilities decide how a request is translated for it. */
static void add_target(struct buf *b, const struct target *t, unsigned rung)
{
	const int64_t numbers[] = { rung, t->max_output, t->features_known ? (int64_t)t->features : -1, t->responses_only };
	cache_key_part(b, t->name);
	cache_key_part(b, t->model);
	add_provider(b, t->provider);
	add_numbers(b, numbers, array_len(numbers));
}

static int by_name(const void *a, const void *b)
{
	const struct plan_entry *x = *(const struct plan_entry *const *)a, *y = *(const struct plan_entry *const *)b;
	struct str p = x->target->name, q = y->target->name;
	if (x->rung != y->rung)
		return x->rung < y->rung ? -1 : 1;
	int order = memcmp(p.p, q.p, p.n < q.n ? p.n : q.n);
	return order ? order : (p.n > q.n) - (p.n < q.n);
}

/* By what its smaller targets' answers are let pass. */
static void add_cascade(struct buf *b, const struct cascade *c)
{
	const struct cascade_checks *k = &c->checks;
	const int64_t numbers[] = { k->finish, k->refusals, k->tools, k->json, k->min_length, k->max_length, k->n_match, k->n_deny,
				    k->confidence, (int64_t)c->window, c->tokens, c->tools, c->images, c->code };
	cache_key_part(b, k->schema);
	add_numbers(b, numbers, array_len(numbers));
}

void cache_key_model(struct txn *t, struct buf *b)
{
	const struct plan *p = t->plan;
	const struct model *m = p->model;
	const int64_t numbers[] = { m->strategy, m->policy.on_unsupported, m->policy.requires.features, m->policy.requires.context,
				    m->policy.requires.quality, m->content_policy_next };
	const struct plan_entry **sorted = arena_array(&t->arena, const struct plan_entry *, p->n + 1);
	cache_key_part(b, m->name);
	cache_key_part(b, m->policy.requires.region);
	add_numbers(b, numbers, array_len(numbers));
	for (unsigned i = 0; i < p->n; i++)
		sorted[i] = &p->entries[i];
	qsort(sorted, p->n, sizeof(*sorted), by_name);
	for (unsigned i = 0; i < p->n; i++)
		add_target(b, sorted[i]->target, sorted[i]->rung);
	for (unsigned i = 0; i < m->n_targets && (m->strategy == STRATEGY_ORDERED || m->cascade); i++)
		cache_key_part(b, m->targets[i]->name);
	if (m->cascade)
		add_cascade(b, m->cascade);
}
