/*
 * attempt_charge.h: what an attempt cost, and what its answer taught.
 */
#ifndef WEIR_UPSTREAM_ATTEMPT_CHARGE_H
#define WEIR_UPSTREAM_ATTEMPT_CHARGE_H

#include <stdbool.h>

struct attempt;
struct target;
struct txn;

/* Notes what charging will need of the target and the request, which may be gone by then. */
void attempt_charge_begin(struct attempt *a, const struct target *target);

/*
 * Adds the attempt's cost to the transaction, once however often it is called. `whole`: the answer
 * is complete. Otherwise the provider may have worked for nothing that we could count, and a
 * flagged estimate is charged, unless it provably did not act (an error status, a request that never left).
 */
void attempt_charge(struct attempt *a, bool whole);

#endif
