/*
 * refusal.h: what a caller is told when a limit is reached, and how close to it others are.
 */
#ifndef WEIR_LIMITS_REFUSAL_H
#define WEIR_LIMITS_REFUSAL_H

#include "limits/hold.h"

/* Fills t->error, and remembers what denies the key whatever it asks for. */
enum stage_result refusal(struct txn *t, const struct hold *h, const struct limit_set *set);

/* For the x-ratelimit headers; in t->arena. */
const struct rate_state *rate_state_of(struct txn *t, const struct hold *h);

#endif
