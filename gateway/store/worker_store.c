/*
 * worker_store.c: two pointers a thread.
 */
#include "store/worker_store.h"

static struct store_home *shared_home, *local_home;
static _Thread_local struct store *shared, *local;

void worker_store_use(struct store_home *s, struct store_home *l)
{
	shared_home = s;
	local_home = l;
}

void worker_store_open(struct loop *l)
{
	shared = shared_home ? store_open(shared_home, l) : NULL;
	local = local_home == shared_home ? shared : local_home ? store_open(local_home, l) : NULL;
}

void worker_store_close(void)
{
	if (local && local != shared)
		store_close(local);
	if (shared)
		store_close(shared);
	shared = local = NULL;
}

struct store *worker_store(void)
{
	return shared;
}

struct store *worker_store_local(void)
{
	return local;
}
