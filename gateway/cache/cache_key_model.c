/*
 * cache_key_model.c: a model's definition, as far as it decides on answers.
 *
 * What its configuration says stands in digests that were made with the snapshot: config/build_definition.c. Targets are told
 * in order of their names: how they are ordered for one request changes from moment to moment.
 */
#include "cache/cache_key_parts.h"

#include <stdlib.h>

#include "core/plan.h"

static void add_digest(struct buf *b, const uint8_t digest[DIGEST_SIZE])
{
	buf_add(b, str_of((const char *)digest, DIGEST_SIZE));
}

/* Its limits and abilities decide how a request is translated for it; a plugin's word, whether it may answer at all. */
static void add_target(struct buf *b, const struct plan_entry *e)
{
	const struct target *t = e->target;
	const int64_t numbers[] = { e->rung, t->context, t->max_output, t->features_known ? (int64_t)t->features : -1, t->responses_only,
				    t->quality, e->excluded_as == ERR_PLUGIN, e->preferred };
	buf_add_part(b, t->name);
	buf_add_part(b, t->model);
	add_digest(b, t->provider->definition);
	buf_add_part(b, str_of((const char *)numbers, sizeof(numbers)));
}

static void add_model(struct buf *b, const struct model *m)
{
	buf_add_part(b, m->name);
	add_digest(b, m->definition);
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

void cache_key_model(struct txn *t, struct buf *b)
{
	const struct plan *p = t->plan;
	const struct plan_entry **sorted = arena_array(&t->arena, const struct plan_entry *, p->n + 1);
	const struct model *rung = p->model;
	for (unsigned i = 0; i < p->n; i++)
		sorted[i] = &p->entries[i];
	qsort(sorted, p->n, sizeof(*sorted), by_name);
	add_model(b, rung);
	for (unsigned i = 0; i < p->n; i++) {
		if (sorted[i]->model != rung)
			add_model(b, rung = sorted[i]->model);
		add_target(b, sorted[i]);
	}
}
