/*
 * alert.c: one listener.
 */
#include "core/alert.h"

#include <stdatomic.h>
#include <stddef.h>

static void (*_Atomic listener)(const struct alert *a);

void alert_raise(const struct alert *a)
{
	void (*heard)(const struct alert *) = atomic_load(&listener);
	if (heard)
		heard(a);
}

void alert_listen(void (*heard)(const struct alert *a))
{
	atomic_store(&listener, heard);
}
