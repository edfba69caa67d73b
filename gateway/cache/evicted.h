/*
 * evicted.h: models and tags whose answers were let go of, and when: what was kept before that is no answer any more.
 *
 * Process-wide, for any thread. Replicas tell each other by way of the store, see cache_admin.c.
 */
#ifndef WEIR_CACHE_EVICTED_H
#define WEIR_CACHE_EVICTED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { EVICTED_MOST = 1024, EVICTED_NAME = 600 };

/* "model/NAME" or "tag/K=V". False: there is no room for another name. */
bool evicted_note(struct str name, int64_t at_us);

/* Was an answer of this model with these tags (k=v, comma separated), kept at `stored_us` (Unix time), let go of since? */
bool evicted_since(struct str model, struct str tags, int64_t stored_us);

#endif
