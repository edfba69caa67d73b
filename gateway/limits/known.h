/*
 * known.h: what the shared store has told of budgets, process-wide, so that a store that forgets is noticed.
 *
 * After a flush, an eviction or a failover that lost its last writes a store tells less of a period than
 * before. It is then raised to what is known here, which is what it had told last: some replica's
 * latest requests may be missing, none is counted twice.
 */
#ifndef WEIR_LIMITS_KNOWN_H
#define WEIR_LIMITS_KNOWN_H

#include <stdint.h>

#include "base/str.h"

/* Notes what was told of a budget's period, and returns the most that ever was. Any thread. */
int64_t known_spent(struct str scope, struct str key, int64_t period_start, int64_t spent);

#endif
