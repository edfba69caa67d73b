/*
 * cache_counters.h: what the cache did; counted by core/families.h.
 */
#ifndef WEIR_TELEMETRY_CACHE_COUNTERS_H
#define WEIR_TELEMETRY_CACHE_COUNTERS_H

#include "core/snapshot.h"

/* Makes the series of every model whose answers may be kept, so that they are there at zero. */
void cache_counters_prepare(const struct snapshot *s);

#endif
