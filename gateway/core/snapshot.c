/*
 * snapshot.c: counting references, and finding keys, models and targets.
 */
#include "core/snapshot.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/digest.h"

/* Open addressing over indexes + 1; sizes are powers of two at least twice the entries. */
struct snapshot_tables {
	uint32_t key_slots, model_slots, target_slots;
	uint32_t *keys, *models, *targets;
};

struct snapshot *snapshot_ref(struct snapshot *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

void snapshot_unref(struct snapshot *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	arena_wipe(&s->arena);
	free(s);
}

static uint64_t digest_hash(const uint8_t digest[32])
{
	uint64_t h;
	memcpy(&h, digest, sizeof(h));	/* a digest is random already */
	return h;
}

static uint32_t slots_for(unsigned n)
{
	uint32_t size = 8;
	while (size < 2 * n + 1)
		size *= 2;
	return size;
}

static void put(uint32_t *slots, uint32_t size, uint64_t hash, uint32_t index)
{
	uint32_t at = (uint32_t)hash & (size - 1);
	while (slots[at])
		at = (at + 1) & (size - 1);
	slots[at] = index + 1;
}

static const struct target *find_target(const struct snapshot *s, const struct snapshot_tables *t, struct str name)
{
	for (uint32_t at = (uint32_t)str_hash(name) & (t->target_slots - 1); t->targets[at]; at = (at + 1) & (t->target_slots - 1))
		if (str_eq(s->targets[t->targets[at] - 1]->name, name))
			return s->targets[t->targets[at] - 1];
	return NULL;
}

/* Keeps the first of each name. */
static void index_targets(struct snapshot *s, struct snapshot_tables *t)
{
	struct target **all = (struct target **)(uintptr_t)s->targets;
	unsigned n = s->n_targets;
	t->target_slots = slots_for(n);
	t->targets = arena_array(&s->arena, uint32_t, t->target_slots);
	s->n_targets = 0;
	for (unsigned i = 0; i < n; i++) {
		if (find_target(s, t, all[i]->name))
			continue;
		put(t->targets, t->target_slots, str_hash(all[i]->name), s->n_targets);
		all[s->n_targets++] = all[i];
	}
}

void snapshot_index(struct snapshot *s)
{
	struct snapshot_tables *t = arena_new(&s->arena, struct snapshot_tables);
	t->key_slots = slots_for(s->n_keys);
	t->model_slots = slots_for(s->n_models);
	t->keys = arena_array(&s->arena, uint32_t, t->key_slots);
	t->models = arena_array(&s->arena, uint32_t, t->model_slots);
	for (unsigned i = 0; i < s->n_keys; i++)
		put(t->keys, t->key_slots, digest_hash(s->keys[i]->digest), i);
	for (unsigned i = 0; i < s->n_models; i++)
		if (!s->models[i]->pattern)
			put(t->models, t->model_slots, str_hash(s->models[i]->name), i);
	index_targets(s, t);
	s->tables = t;
}

const struct target *snapshot_target(const struct snapshot *s, struct str name)
{
	return find_target(s, s->tables, name);
}

const struct key *snapshot_key(const struct snapshot *s, const uint8_t digest[32])
{
	const struct snapshot_tables *t = s->tables;
	for (uint32_t at = (uint32_t)digest_hash(digest) & (t->key_slots - 1); t->keys[at]; at = (at + 1) & (t->key_slots - 1))
		if (digest_equal(s->keys[t->keys[at] - 1]->digest, digest))
			return s->keys[t->keys[at] - 1];
	return NULL;
}

const struct model *snapshot_model(const struct snapshot *s, struct str name)
{
	const struct snapshot_tables *t = s->tables;
	for (uint32_t at = (uint32_t)str_hash(name) & (t->model_slots - 1); t->models[at]; at = (at + 1) & (t->model_slots - 1))
		if (str_eq(s->models[t->models[at] - 1]->name, name))
			return s->models[t->models[at] - 1];
	return NULL;
}

const struct provider *snapshot_provider(const struct snapshot *s, struct str name)
{
	for (unsigned i = 0; i < s->n_providers; i++)
		if (str_eq(s->providers[i]->name, name))
			return s->providers[i];
	return NULL;
}

static _Atomic uint64_t key_changes;

uint64_t snapshot_stamp(const struct snapshot *s)
{
	return s->serial << 32 ^ atomic_load_explicit(&key_changes, memory_order_relaxed);
}

void snapshot_keys_changed(void)
{
	atomic_fetch_add(&key_changes, 1);
}
