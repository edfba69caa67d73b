/*
 * fastest.c: the expected time to an answer's end: first token, and tokens per second.
 *
 * A target that nobody knows yet, or that was slow once, gets a small share of requests
 * (the model's `explore`), the one that was not asked for longest first; so recovery is seen without a crowd.
 */
#include <math.h>
#include <stdatomic.h>

#include "core/live.h"
#include "routing/strategy.h"

static int64_t seen(const struct plan_entry *e)
{
	return e->target->live ? atomic_load_explicit(&e->target->live->learned.seen_us, memory_order_relaxed) : 0;
}

static unsigned longest_unseen(const struct strategy_view *v)
{
	unsigned oldest = 1;
	for (unsigned i = 2; i < v->n; i++)
		if (seen(v->entries[i]) < seen(v->entries[oldest]))
			oldest = i;
	return oldest;
}

/* Nobody was answered by it yet, and nobody is being. */
static int unknown(const struct strategy_view *v)
{
	for (unsigned i = 0; i < v->n; i++) {
		struct live_target *live = v->entries[i]->target->live;
		if (live && atomic_load_explicit(&live->learned.n, memory_order_relaxed) == 0 &&
		    atomic_load_explicit(&live->in_flight, memory_order_relaxed) == 0)
			return (int)i;
	}
	return -1;
}

static void order(struct strategy_view *v)
{
	uint64_t number;
	for (unsigned i = 0; i < v->n; i++) {
		struct plan_entry *e = v->entries[i];
		e->score = e->time_us >= 0 ? e->time_us : INFINITY;
	}
	strategy_sort(v);
	int home = strategy_home(v), first = unknown(v);
	if (first >= 0)
		strategy_first(v, (unsigned)first, "nobody knows yet how fast it is");
	else if (v->n > 1 && strategy_explores(v, &number))
		strategy_first(v, longest_unseen(v), "to learn how fast it is");
	else if (home > 0 && v->entries[home]->score <= 1.25 * v->entries[0]->score)
		strategy_first(v, (unsigned)home, "the session was here before: its prompt is cached");
}

const struct strategy fastest_strategy = { .name = "fastest", .expectations = true, .order = order };
