/*
 * cascade.c: targets as they are written, the smallest first; an answer that fails its checks goes on to the next.
 *
 * A request that looks too hard begins further on. What stands before its beginning is asked last,
 * and only because the rest is down: nothing is checked there.
 */
#include "routing/strategy.h"

static void order(struct strategy_view *v)
{
	struct plan_entry *sorted[PLAN_MAX];
	unsigned first = 0, n = 0;
	while (v->first && first < v->n && v->entries[first]->target != v->first)
		first++;
	first = first < v->n ? first : 0;
	for (unsigned i = first; i < v->n; i++) {
		sorted[n++] = v->entries[i];
		v->entries[i]->step = i - first + 1;
	}
	for (unsigned i = 0; i < first; i++) {
		sorted[n++] = v->entries[i];
		v->entries[i]->placed = "only if no larger one can be asked";
	}
	for (unsigned i = 0; i < n; i++) {
		v->entries[i] = sorted[i];
		sorted[i]->score = i;
	}
	if (n && v->first && v->entries[0]->target == v->first)
		v->entries[0]->placed = v->why_first;
}

const struct strategy cascade_strategy = { .name = "cascade", .expectations = true, .order = order };
