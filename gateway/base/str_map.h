/*
 * str_map.h: pointers by text, in an arena: for what foreign bytes may hold very many of.
 */
#ifndef WEIR_BASE_STR_MAP_H
#define WEIR_BASE_STR_MAP_H

#include "base/arena.h"

struct str_map {
	struct arena *arena;
	struct str_map_slot *slots;
	size_t size, used;
};

#define STR_MAP_INIT(arena) { (arena), NULL, 0, 0 }

/* Where the value of `key` stands, NULL at first; until the next call. The key's bytes must outlive the map. */
void **str_map_at(struct str_map *m, struct str key) __attribute__((returns_nonnull));
/* NULL: there is none. */
void *str_map_get(const struct str_map *m, struct str key);

#endif
