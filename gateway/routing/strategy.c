/*
 * strategy.c: the table of strategies, and what they share.
 */
#include "routing/strategy.h"

#include <string.h>

enum { EXPLORE_SCALE = 1 << 20 };

const struct strategy *strategy_of(enum strategy_kind kind)
{
	static const struct strategy *const all[] = {
		[STRATEGY_ORDERED] = &ordered_strategy, [STRATEGY_WEIGHTED] = &weighted_strategy,
		[STRATEGY_CHEAPEST] = &cheapest_strategy, [STRATEGY_FASTEST] = &fastest_strategy,
		[STRATEGY_LEAST_BUSY] = &least_busy_strategy,
		[STRATEGY_CASCADE] = &cascade_strategy,
	};
	return all[kind];
}

void strategy_sort(struct strategy_view *v)
{
	for (unsigned i = 1; i < v->n; i++) {
		struct plan_entry *e = v->entries[i];
		unsigned k = i;
		for (; k > 0 && v->entries[k - 1]->score > e->score; k--)
			v->entries[k] = v->entries[k - 1];
		v->entries[k] = e;
	}
}

void strategy_first(struct strategy_view *v, unsigned i, const char *why)
{
	struct plan_entry *e = v->entries[i];
	memmove(&v->entries[1], &v->entries[0], i * sizeof(struct plan_entry *));
	v->entries[0] = e;
	e->placed = why;
}

int strategy_home(const struct strategy_view *v)
{
	for (unsigned i = 0; v->home && i < v->n; i++)
		if (v->entries[i]->target->live == v->home)
			return (int)i;
	return -1;
}

bool strategy_explores(const struct strategy_view *v, uint64_t *number)
{
	*number = v->dice / EXPLORE_SCALE;
	return v->dice % EXPLORE_SCALE < (uint64_t)v->model->policy.explore * EXPLORE_SCALE / 100;
}
