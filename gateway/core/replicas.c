/*
 * replicas.c: one number.
 */
#include "core/replicas.h"

#include <stdatomic.h>

static _Atomic unsigned alive = 1;

void replicas_set_alive(unsigned n)
{
	atomic_store_explicit(&alive, n > 0 ? n : 1, memory_order_relaxed);
}

unsigned replicas_alive(void)
{
	return atomic_load_explicit(&alive, memory_order_relaxed);
}
