/*
 * cheapest.c: the expected cost of this very request.
 *
 * Now and then a target that costs at most twice as much is asked instead, so that the
 * length of its answers stays known: a model that says little can be the cheaper one at a
 * higher price. Those whose answers are not known yet come first among them.
 */
#include <math.h>

#include "core/live.h"
#include "routing/strategy.h"

static const double WORTH_A_LOOK = 2;
enum { LOOKED_AT = 8 };

static bool is_known(const struct plan_entry *e)
{
	uint32_t n;
	return !e->target->live || learned_output(&e->target->live->learned, e->input, &n) < 0 ? false : n >= LOOKED_AT;
}

static unsigned look_elsewhere(const struct strategy_view *v, uint64_t number)
{
	unsigned within = 1, unknown = 0;
	double most = v->entries[0]->score * WORTH_A_LOOK;
	while (within < v->n && v->entries[within]->score <= most) {
		if (!unknown && !is_known(v->entries[within]))
			unknown = within;
		within++;
	}
	return unknown ? unknown : within > 1 ? 1 + (unsigned)(number % (within - 1)) : 0;
}

static void order(struct strategy_view *v)
{
	uint64_t number;
	for (unsigned i = 0; i < v->n; i++) {
		struct plan_entry *e = v->entries[i];
		e->score = e->cost >= 0 ? (double)e->cost : INFINITY;
	}
	strategy_sort(v);
	int home = strategy_home(v);
	if (home == 0)
		v->entries[0]->placed = "the session was here before: its prompt is cached";
	else if (v->n > 1 && v->entries[0]->score > 0 && strategy_explores(v, &number)) {
		unsigned other = look_elsewhere(v, number);
		if (other)
			strategy_first(v, other, "to learn the length of its answers");
	}
}

const struct strategy cheapest_strategy = { .name = "cheapest", .expectations = true, .order = order };
