/*
 * ladder.h: what comes when no target answered, and before an error.
 */
#ifndef WEIR_UPSTREAM_LADDER_H
#define WEIR_UPSTREAM_LADDER_H

#include "core/txn.h"

/* The walk over the plan came to `kind`. True: a rung of the model's ladder answers instead. */
bool ladder_answers(struct txn *t, enum error_kind kind);

#endif
