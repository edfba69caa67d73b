/*
 * fetch.h: small HTTP calls of one worker, by the general transport. See core/fetch.h.
 */
#ifndef WEIR_UPSTREAM_FETCH_H
#define WEIR_UPSTREAM_FETCH_H

#include "base/loop.h"
#include "core/fetch.h"

extern const struct fetch_ops fetch_ops;

/* For the calling thread. Nothing is made before the first call. */
void fetch_open(struct loop *l);
void fetch_close(void);		/* calls under way are dropped */

#endif
