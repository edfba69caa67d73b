/*
 * ordered.c: targets in the order they are written.
 */
#include "routing/strategy.h"

static void order(const struct txn *t, struct plan *p)
{
	(void)t, (void)p;
}

const struct strategy ordered_strategy = { .name = "ordered", .order = order };
