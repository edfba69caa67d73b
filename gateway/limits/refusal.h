/*
 * refusal.h: what a caller is told when a limit is reached, and how close to it others are.
 */
#ifndef WEIR_LIMITS_REFUSAL_H
#define WEIR_LIMITS_REFUSAL_H

#include "limits/hold.h"

/* Fills t->error: whose limit, what is spent and reserved, when to come back. */
enum stage_result refusal(struct txn *t, const struct hold *h, const struct limit_set *set);

/* For the x-ratelimit headers; in t->arena. */
const struct rate_state *rate_state_of(struct txn *t, const struct hold *h);

/* "2026-12-01T00:00:00Z" */
struct str moment_text(struct arena *a, int64_t unix_s);

#endif
