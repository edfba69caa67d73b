/*
 * strategy.h: how a model's targets are ordered for one request. One file each.
 *
 * A strategy sees the entries of one rung that may be asked, with their expectations, and
 * puts them in order. It reads live state and claims nothing; whatever it decides by chance
 * comes from `dice`, so that a simulation can be repeated.
 */
#ifndef WEIR_ROUTING_STRATEGY_H
#define WEIR_ROUTING_STRATEGY_H

#include "core/plan.h"

struct strategy_view {
	const struct model *model;	/* whose strategy it is */
	struct plan_entry **entries;	/* those that may be asked, in the order they are written */
	unsigned n;
	struct live_target *home;	/* where this session was last; NULL */
	int64_t now_us;
	uint64_t dice;
	uint32_t turn;			/* which request of this model this is */
	struct target *first;		/* of a cascade: where it begins; NULL: with the first that may be asked */
	const char *why_first;		/* and why there */
};

struct strategy {
	const char *name;
	bool expectations;		/* needs tokens, cost and time of the entries */
	void (*order)(struct strategy_view *v);
};

extern const struct strategy ordered_strategy, weighted_strategy, cheapest_strategy, fastest_strategy, least_busy_strategy,
	cascade_strategy;

const struct strategy *strategy_of(enum strategy_kind kind);

/* For strategies: by score, least first; equal ones stay as they are. */
void strategy_sort(struct strategy_view *v);
/* Puts entry `i` first and says why. */
void strategy_first(struct strategy_view *v, unsigned i, const char *why);
/* The index of the session's home, or -1. */
int strategy_home(const struct strategy_view *v);
/* With the model's `explore` as its chance: true, and another number to choose by. */
bool strategy_explores(const struct strategy_view *v, uint64_t *number);

#endif
