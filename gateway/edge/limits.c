/*
 * limits.c: counts of the whole process.
 *
 * Addresses share a table of counters by hash; two that collide share a count, which errs
 * on the strict side and costs no memory to keep.
 */
#include "edge/limits.h"

#include <stdatomic.h>

enum { ADDRESSES = 1 << 16 };

static _Atomic unsigned connections;
static _Atomic uint32_t of_address[ADDRESSES];
static _Atomic uint64_t memory;

bool limits_connection(uint32_t peer_hash, unsigned max, unsigned max_of_address)
{
	if (atomic_fetch_add_explicit(&connections, 1, memory_order_relaxed) >= max) {
		atomic_fetch_sub_explicit(&connections, 1, memory_order_relaxed);
		return false;
	}
	if (peer_hash == 0)
		return true;
	_Atomic uint32_t *mine = &of_address[peer_hash % ADDRESSES];
	if (atomic_fetch_add_explicit(mine, 1, memory_order_relaxed) >= max_of_address) {
		limits_connection_gone(peer_hash);
		return false;
	}
	return true;
}

void limits_connection_gone(uint32_t peer_hash)
{
	atomic_fetch_sub_explicit(&connections, 1, memory_order_relaxed);
	if (peer_hash)
		atomic_fetch_sub_explicit(&of_address[peer_hash % ADDRESSES], 1, memory_order_relaxed);
}

unsigned limits_connections(void)
{
	return atomic_load_explicit(&connections, memory_order_relaxed);
}

bool limits_memory(uint64_t bytes, uint64_t max)
{
	if (atomic_fetch_add_explicit(&memory, bytes, memory_order_relaxed) + bytes <= max)
		return true;
	limits_memory_back(bytes);
	return false;
}

void limits_memory_back(uint64_t bytes)
{
	atomic_fetch_sub_explicit(&memory, bytes, memory_order_relaxed);
}
