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

struct store_home;

extern const struct stage limits_stage;

/* Before workers start. `local` serves while `shared` is away; the same where that cannot be. */
void limits_use(struct store_home *shared, struct store_home *local);

struct store;
/* This worker's; NULL where none was given. */
struct store *limits_store(void);

/* Around each worker's loop. */
void limits_open(struct loop *l);
void limits_close(void);

#endif
