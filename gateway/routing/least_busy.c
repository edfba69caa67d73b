/*
 * least_busy.c: whoever has the fewest requests now, for each unit of its weight.
 */
#include <stdatomic.h>

#include "core/live.h"
#include "routing/strategy.h"

static double load_of(const struct target *t)
{
	int32_t busy = t->live ? atomic_load_explicit(&t->live->in_flight, memory_order_relaxed) : 0;
	double room = t->max_concurrent > 0 ? t->max_concurrent : t->weight > 0 ? t->weight : 1;
	return (busy + 1) / room;
}

static void order(struct strategy_view *v)
{
	int home = strategy_home(v);
	for (unsigned i = 0; i < v->n; i++)
		v->entries[i]->score = load_of(v->entries[i]->target);
	/* Equally busy ones take turns. */
	for (unsigned i = v->n > 1 ? v->turn % v->n : 0; i > 0; i--)
		strategy_first(v, v->n - 1, NULL);
	strategy_sort(v);
	if (home >= 0 && v->entries[strategy_home(v)]->score <= 2 * v->entries[0]->score)
		strategy_first(v, (unsigned)strategy_home(v), "the session was here before");
}

const struct strategy least_busy_strategy = { .name = "least_busy", .order = order };
