/*
 * health.h: is this process alive, and does it want requests? Shared by both listeners.
 *
 * Readiness depends on configuration and drain only: a provider or a store that is down
 * stands in the verbose text and in metrics, never in readiness.
 */
#ifndef WEIR_CORE_HEALTH_H
#define WEIR_CORE_HEALTH_H

#include <stdbool.h>

#include "base/buf.h"

struct snapshot;

/* From any thread. */
void health_set_draining(void);
bool health_draining(void);

/* What the verbose text says of the store; once, before it is asked for. */
void health_store(const char *name, const char *(*state)(const void *store), const void *store);

/* The body of /readyz; `verbose` lists the checks. Returns whether ready. */
bool health_readiness(const struct snapshot *s, bool verbose, struct buf *out);

#endif
