/*
 * worker_store.h: the stores of the calling worker: the shared one, and this process's own memory for while that is away.
 */
#ifndef WEIR_STORE_WORKER_STORE_H
#define WEIR_STORE_WORKER_STORE_H

#include "store/store.h"

/* Before workers start. The same twice where the shared store is memory. */
void worker_store_use(struct store_home *shared, struct store_home *local);

/* Around each worker's loop. */
void worker_store_open(struct loop *l);
void worker_store_close(void);

/* NULL where none was given. */
struct store *worker_store(void);
struct store *worker_store_local(void);

#endif
