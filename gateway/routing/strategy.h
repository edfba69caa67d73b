/*
 * strategy.h: how a model's targets are ordered for one request. One file each.
 */
#ifndef WEIR_ROUTING_STRATEGY_H
#define WEIR_ROUTING_STRATEGY_H

#include "core/plan.h"

struct txn;

struct strategy {
	const char *name;
	/* Orders the entries that are not excluded; leaves the others behind them. */
	void (*order)(const struct txn *t, struct plan *p);
};

extern const struct strategy ordered_strategy;

#endif
