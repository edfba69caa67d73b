/*
 * replicas.h: how many gateways share the store, as last seen. Told by the main thread, read by all.
 */
#ifndef WEIR_CORE_REPLICAS_H
#define WEIR_CORE_REPLICAS_H

void replicas_set_alive(unsigned n);
unsigned replicas_alive(void);		/* at least one: this */

#endif
