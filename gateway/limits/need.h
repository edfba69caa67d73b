/*
 * need.h: what a request will probably use, before it is sent.
 */
#ifndef WEIR_LIMITS_NEED_H
#define WEIR_LIMITS_NEED_H

#include "limits/hold.h"

/* From the plan's targets that may be asked; the dearest of them counts. */
void need_of(struct txn *t, struct hold_need *out);

/* Leaves only free targets in the plan; false when there is none. */
bool need_nothing(struct txn *t);

/* Takes out targets whose price nobody knows: they cannot be held against a budget. */
void need_prices(struct txn *t);

#endif
