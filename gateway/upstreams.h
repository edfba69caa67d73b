/*
 * upstreams.h: `weir check --upstreams`: is it my key, or the gateway?
 */
#ifndef WEIR_UPSTREAMS_H
#define WEIR_UPSTREAMS_H

#include "core/snapshot.h"

/* Asks each provider for its models, which costs nothing, and prints a table. 1 when one failed. */
int upstreams_check(const struct snapshot *s);

#endif
