/*
 * limits.h: the stage that reserves what a request may use, and settles what it used.
 *
 * All limits of a key and its team are reserved in one round trip to the store, all or none;
 * the difference to the truth is settled when the transaction ends, however it ends. Live
 * reservations are renewed. When the store is away a key's policy decides: limits of this
 * process alone, or no service.
 */
#ifndef WEIR_LIMITS_LIMITS_H
#define WEIR_LIMITS_LIMITS_H

#include "base/loop.h"
#include "core/stage.h"

extern const struct stage limits_stage;

/* Around each worker's loop, inside worker_store_open() and _close(). */
void limits_open(struct loop *l);
void limits_close(void);

#endif
