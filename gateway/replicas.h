/*
 * replicas.h: this process is entered among those that share the store, and counts them.
 */
#ifndef WEIR_REPLICAS_H
#define WEIR_REPLICAS_H

#include "core/snapshot.h"
#include "store/store.h"

/* On the main thread. `shared` is NULL where the store is this process's own memory. */
void replicas_open(struct loop *l, const struct settings *s, struct store_home *shared);
void replicas_close(void);

#endif
