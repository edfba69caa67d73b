/*
 * limits.h: what all connections of the process count together: how many, how many of one
 * address, how much memory for bodies. Atomics; nothing blocks.
 */
#ifndef WEIR_EDGE_LIMITS_H
#define WEIR_EDGE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

/* `peer_hash` 0: not counted by address (Unix sockets). */
bool limits_connection(uint32_t peer_hash, unsigned max, unsigned max_of_address);
void limits_connection_gone(uint32_t peer_hash);
unsigned limits_connections(void);

bool limits_memory(uint64_t bytes, uint64_t max);
void limits_memory_back(uint64_t bytes);

#endif
