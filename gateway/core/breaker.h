/*
 * breaker.h: when to leave a target alone, and when to try it again.
 *
 * One breaker per target (or credential) and class of failure, process-wide, atomics only.
 * Closed: failures are counted in a window; at `failures` of them it opens. Open: not asked
 * until its time is over. Half-open: one request at a time is let through as a trial; each
 * success doubles how many are let through at a time, the fifth closes it; a failure opens it
 * again for twice as long (at most 32 times).
 */
#ifndef WEIR_CORE_BREAKER_H
#define WEIR_CORE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/live.h"
#include "core/snapshot.h"

/* Would a request be let through? Claims nothing. */
bool breaker_allows(const struct breaker *b, int64_t now_us);

/* Claims a trial if half-open. False: not now. `*trial` says that one of the three below must end it. */
bool breaker_enter(struct breaker *b, int64_t now_us, bool *trial);

void breaker_succeed(struct breaker *b, bool trial);
/* True when this failure opened it. */
bool breaker_fail(struct breaker *b, const struct breaker_settings *s, int64_t now_us, bool trial);
/* Neither good nor bad: gives a trial back. */
void breaker_release(struct breaker *b, bool trial);

/* Opens it at once for a known time: Retry-After, a spent account, a retired model. */
void breaker_open_for(struct breaker *b, int64_t now_us, int64_t for_us);

/* All classes of a row. `*back_at_us` becomes the latest end of those that are open. */
bool breakers_allow(const struct breaker *all, int64_t now_us, enum breaker_class *open, int64_t *back_at_us);

const char *breaker_class_name(enum breaker_class c);

#endif
