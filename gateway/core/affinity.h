/*
 * affinity.h: which target a session was served by last, so that the vendor's prompt cache keeps working.
 *
 * A process-wide table of a fixed size; what is not used for an hour, or makes way for
 * another session, is forgotten. A wrong answer costs a cache hit, nothing else, so its
 * cells are single atomics without a lock.
 */
#ifndef WEIR_CORE_AFFINITY_H
#define WEIR_CORE_AFFINITY_H

#include <stdint.h>

#include "base/str.h"
#include "core/live.h"

/* Of a key's session with a model; never 0. */
uint64_t affinity_session(struct str key, struct str model, struct str session);

/* NULL: none that is remembered. */
struct live_target *affinity_find(uint64_t session, int64_t now_us);

/* `target` answered. */
void affinity_note(uint64_t session, struct live_target *target, int64_t now_us);

#endif
