/*
 * memory_values.c: byte values by key, the least recently used one leaving first.
 *
 * Sharded by key; each shard has an equal part of the bytes, what a value costs beside its own included.
 * New values are on probation; one that is read is protected, so that many that are asked for once
 * do not drive out those that are asked for again. Values are counted, so that they are copied in only,
 * and read without the lock.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/list.h"
#include "base/mem.h"
#include "store/memory_parts.h"

enum { SHARDS = 16, BUCKETS_FIRST = 64, PROTECTED_PERCENT = 80 };
enum { VALUE_OVERHEAD = 8, SPARE = 32 };	/* the allocator's own, beside what it rounds up to; and the part of all it keeps of what was freed */

static struct counter_family evictions_total = {
	.name = "weir_cache_evictions_total", .help = "Kept values that left memory before their time, for others.", .kind = COUNTER_SUM, .scale = 1,
};
static struct counter_family bytes_now = {
	.name = "weir_cache_memory_bytes", .help = "Memory of kept values, with what they cost beside their bytes.", .kind = COUNTER_GAUGE,
	.scale = 1,
};

struct memory_value {
	struct memory_value *next;	/* of the same bucket */
	struct list lru;		/* of its segment */
	bool is_protected;
	uint64_t hash;
	atomic_int refs;
	int64_t due_us;
	size_t key_n, n;
	char bytes[];			/* the key, then the value */
};

struct shard {
	pthread_mutex_t lock;
	struct memory_value **buckets;
	size_t mask, n, bytes, bytes_protected;
	struct list probation, protected;	/* the oldest first */
	struct counter *evictions, *bytes_now;
};

struct memory_values {
	uint64_t seed;
	size_t shard_max;
	int64_t (*clock)(void);
	_Alignas(64) struct shard shards[SHARDS];
};

/* What the allocator gave, which for large values is whole pages. */
static size_t value_size(const struct memory_value *v)
{
	return malloc_usable_size((void *)(uintptr_t)v) + VALUE_OVERHEAD;
}

struct str memory_value_bytes(const struct memory_value *v)
{
	return str_of(v->bytes + v->key_n, v->n);
}

void memory_value_release(struct memory_value *v)
{
	if (atomic_fetch_sub_explicit(&v->refs, 1, memory_order_acq_rel) == 1)
		free(v);
}

/* --- with the shard's lock --- */

static struct memory_value **value_at(struct shard *s, uint64_t hash, struct str key)
{
	struct memory_value **at = &s->buckets[hash & s->mask];
	while (*at && !((*at)->hash == hash && str_eq(str_of((*at)->bytes, (*at)->key_n), key)))
		at = &(*at)->next;
	return at;
}

static void count_bytes(struct shard *s, size_t n, int sign)
{
	s->bytes += sign > 0 ? n : -n;
	counter_add(s->bytes_now, sign * (int64_t)n);
}

static void value_unlink(struct shard *s, struct memory_value **at)
{
	struct memory_value *v = *at;
	*at = v->next;
	list_remove(&v->lru);
	count_bytes(s, value_size(v), -1);
	s->bytes_protected -= v->is_protected ? value_size(v) : 0;
	s->n--;
	memory_value_release(v);
}

static void rehash(struct list *segment, struct memory_value **to, size_t mask)
{
	list_each(link, segment) {
		struct memory_value *v = list_entry(link, struct memory_value, lru);
		v->next = to[v->hash & mask];
		to[v->hash & mask] = v;
	}
}

static void shard_grow(struct shard *s)
{
	size_t size = 2 * (s->mask + 1);
	struct memory_value **to = mem_alloc(size * sizeof(*to));
	count_bytes(s, size / 2 * sizeof(*to), 1);
	rehash(&s->probation, to, size - 1);
	rehash(&s->protected, to, size - 1);
	free(s->buckets);
	s->buckets = to;
	s->mask = size - 1;
}

static void shard_evict(struct shard *s)
{
	struct list *from = list_empty(&s->probation) ? &s->protected : &s->probation;
	struct memory_value *old = list_entry(from->next, struct memory_value, lru);
	value_unlink(s, value_at(s, old->hash, str_of(old->bytes, old->key_n)));
	counter_add(s->evictions, 1);
}

static void shard_add(struct shard *s, struct memory_value *v, size_t max)
{
	if (s->n++ > s->mask)
		shard_grow(s);
	while (s->bytes + value_size(v) > max && s->n > 1)
		shard_evict(s);
	v->next = s->buckets[v->hash & s->mask];
	s->buckets[v->hash & s->mask] = v;
	list_append(&s->probation, &v->lru);
	count_bytes(s, value_size(v), 1);
}

static void move(struct shard *s, struct memory_value *v, bool to_protected)
{
	list_remove(&v->lru);
	list_append(to_protected ? &s->protected : &s->probation, &v->lru);
	if (to_protected && !v->is_protected)
		s->bytes_protected += value_size(v);
	else if (!to_protected && v->is_protected)
		s->bytes_protected -= value_size(v);
	v->is_protected = to_protected;
}

/* It was read: the oldest of the protected make way for it, back to probation. */
static void shard_touch(struct shard *s, struct memory_value *v, size_t max)
{
	move(s, v, true);
	while (s->bytes_protected > max / 100 * PROTECTED_PERCENT && s->protected.next != &v->lru)
		move(s, list_entry(s->protected.next, struct memory_value, lru), false);
}

static struct shard *shard_enter(struct memory_values *m, struct str key, uint64_t *hash)
{
	*hash = str_hash_seeded(m->seed, key);
	struct shard *s = &m->shards[*hash >> 60];
	pthread_mutex_lock(&s->lock);
	return s;
}

/* --- the contract --- */

struct memory_value *memory_value_take(struct memory_values *m, struct str key)
{
	uint64_t hash;
	struct shard *s = shard_enter(m, key, &hash);
	struct memory_value **at = value_at(s, hash, key), *v = *at;
	if (v && v->due_us <= m->clock()) {
		value_unlink(s, at);
		v = NULL;
	}
	if (v) {
		atomic_fetch_add_explicit(&v->refs, 1, memory_order_relaxed);
		shard_touch(s, v, m->shard_max);
	}
	pthread_mutex_unlock(&s->lock);
	return v;
}

static struct memory_value *value_new(struct str key, struct str value)
{
	struct memory_value *v = malloc(sizeof(*v) + key.n + value.n);
	if (!v)
		return NULL;
	*v = (struct memory_value){ .refs = 1, .key_n = key.n, .n = value.n };
	list_init(&v->lru);
	memcpy(v->bytes, key.p, key.n);
	if (value.n > 0)
		memcpy(v->bytes + key.n, value.p, value.n);
	return v;
}

void memory_value_put(struct memory_values *m, struct str key, struct str value, int64_t ttl_ms)
{
	uint64_t hash;
	bool fits = value.n <= m->shard_max && sizeof(struct memory_value) + key.n + value.n <= m->shard_max;
	struct memory_value *v = fits ? value_new(key, value) : NULL;
	struct shard *s = shard_enter(m, key, &hash);
	struct memory_value **at = value_at(s, hash, key);
	if (*at)
		value_unlink(s, at);
	if (v && value_size(v) + (s->mask + 1) * sizeof(*s->buckets) > m->shard_max) {
		memory_value_release(v);
		v = NULL;
	}
	if (v) {
		int64_t most = INT64_MAX / 2000;
		v->hash = hash;
		v->due_us = m->clock() + (ttl_ms < most ? ttl_ms : most) * MS_US;
		shard_add(s, v, m->shard_max);
	}
	pthread_mutex_unlock(&s->lock);
}

bool memory_value_remove(struct memory_values *m, struct str key)
{
	uint64_t hash;
	struct shard *s = shard_enter(m, key, &hash);
	struct memory_value **at = value_at(s, hash, key);
	bool found = *at;
	if (found)
		value_unlink(s, at);
	pthread_mutex_unlock(&s->lock);
	return found;
}

struct memory_values *memory_values_new(size_t max, int64_t (*clock)(void))
{
	struct memory_values *m = aligned_alloc(64, sizeof(*m));
	if (!m)
		abort();
	memset(m, 0, sizeof(*m));
	m->seed = random_u64();
	m->shard_max = (max - max / SPARE) / SHARDS;
	m->clock = clock;
	for (struct shard *s = m->shards; s < m->shards + SHARDS; s++) {
		pthread_mutex_init(&s->lock, NULL);
		s->mask = BUCKETS_FIRST - 1;
		s->buckets = mem_alloc(BUCKETS_FIRST * sizeof(*s->buckets));
		s->bytes = BUCKETS_FIRST * sizeof(*s->buckets);
		s->evictions = counter_of(&evictions_total, NULL);
		s->bytes_now = counter_of(&bytes_now, NULL);
		counter_add(s->bytes_now, (int64_t)s->bytes);
		list_init(&s->probation);
		list_init(&s->protected);
	}
	return m;
}

static void release_all(struct list *segment)
{
	list_each(link, segment)
		memory_value_release(list_entry(link, struct memory_value, lru));
}

void memory_values_free(struct memory_values *m)
{
	for (struct shard *s = m->shards; s < m->shards + SHARDS; s++) {
		release_all(&s->probation);
		release_all(&s->protected);
		counter_add(s->bytes_now, -(int64_t)s->bytes);
		free(s->buckets);
		pthread_mutex_destroy(&s->lock);
	}
	free(m);
}
