/*
 * str_map.c: open addressing, at most half full. What it grew out of stays in the arena: together as much as it has now.
 */
#include "base/str_map.h"

enum { FIRST = 16 };

struct str_map_slot {
	struct str key;
	uint64_t hash;
	void *value;
	bool taken;
};

static struct str_map_slot *slot_of(const struct str_map *m, uint64_t hash, struct str key)
{
	size_t i = hash & (m->size - 1);
	while (m->slots[i].taken && (m->slots[i].hash != hash || !str_eq(m->slots[i].key, key)))
		i = (i + 1) & (m->size - 1);
	return &m->slots[i];
}

static void grow(struct str_map *m)
{
	struct str_map before = *m;
	m->size = before.size ? 2 * before.size : FIRST;
	m->slots = arena_array(m->arena, struct str_map_slot, m->size);
	for (size_t i = 0; i < before.size; i++)
		if (before.slots[i].taken)
			*slot_of(m, before.slots[i].hash, before.slots[i].key) = before.slots[i];
}

void **str_map_at(struct str_map *m, struct str key)
{
	uint64_t hash = str_hash(key);
	if (2 * m->used >= m->size)
		grow(m);
	struct str_map_slot *s = slot_of(m, hash, key);
	if (!s->taken) {
		*s = (struct str_map_slot){ .key = key, .hash = hash, .taken = true };
		m->used++;
	}
	return &s->value;
}

void *str_map_get(const struct str_map *m, struct str key)
{
	return m->size ? slot_of(m, str_hash(key), key)->value : NULL;
}
