/*
 * live.c: the rows of what is learned, by name.
 *
 * Rows are never freed, so looking one up takes no lock; the lock is taken to make one.
 */
#include "core/live.h"

#include <pthread.h>

#include "base/mem.h"

enum { SLOTS = 2 * LIVE_ROWS_MAX, KEY_SLOTS = 2 * LIVE_KEYS_MAX };

struct table {
	_Atomic(void *) *rows;
	unsigned slots, n, made_up;
};

#define TABLE(slots) { (_Atomic(void *)[slots]){ NULL }, slots, 0, 0 }

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct table targets = TABLE(SLOTS), credentials = TABLE(SLOTS), models = TABLE(SLOTS), keys = TABLE(KEY_SLOTS),
	teams = TABLE(SLOTS);

/* All rows begin with their name. */
static struct str name_of(const void *row)
{
	return *(const struct str *)row;
}

static struct str own_copy(struct str s)
{
	return str_of(mem_copy(s), s.n);
}

/* The row, or NULL with the free slot it would get. */
static void *find(struct table *t, struct str name, size_t *slot)
{
	void *row;
	for (*slot = (size_t)str_hash(name) % t->slots; (row = atomic_load_explicit(&t->rows[*slot], memory_order_acquire));
	     *slot = (*slot + 1) % t->slots)
		if (str_eq(name_of(row), name))
			return row;
	return NULL;
}

/* `label` other than the name says that the name was made up. */
static void *row_make(struct table *t, struct str name, size_t size, struct str label, void (*init)(void *row, struct str label))
{
	size_t slot;
	bool made_up = !str_eq(name, label);
	if (made_up && t->made_up >= LIVE_MADE_UP_MAX) {
		name = label;
		made_up = false;
	}
	if (t->n >= t->slots / 2)
		name = STR("other");
	void *row = find(t, name, &slot);
	if (row)
		return row;
	row = mem_alloc(size);
	struct str copy = own_copy(name);
	memcpy(row, &copy, sizeof(copy));
	if (init)
		init(row, label);
	atomic_store_explicit(&t->rows[slot], row, memory_order_release);
	t->n++;
	t->made_up += made_up;
	return row;
}

static void *row_of(struct table *t, struct str name, size_t size, struct str label, void (*init)(void *row, struct str label))
{
	size_t slot;
	void *row = find(t, name, &slot);
	if (row)
		return row;
	pthread_mutex_lock(&lock);
	row = find(t, name, &slot);
	if (!row)
		row = row_make(t, name, size, label, init);
	pthread_mutex_unlock(&lock);
	return row;
}

static void init_target(void *row, struct str label)
{
	struct live_target *t = row;
	t->label = own_copy(label);
	atomic_store(&t->healthy, -1);
}

struct live_target *live_target_under(struct str name, struct str label)
{
	return row_of(&targets, name, sizeof(struct live_target), label, init_target);
}

struct live_target *live_target_find(struct str name)
{
	size_t slot;
	return find(&targets, name, &slot);
}

struct live_target *live_target(struct str name)
{
	return live_target_under(name, name);
}

struct live_credential *live_credential(struct str label)
{
	return row_of(&credentials, label, sizeof(struct live_credential), label, NULL);
}

struct live_model *live_model(struct str name)
{
	return row_of(&models, name, sizeof(struct live_model), name, NULL);
}

/* Metrics name the first thousands of keys; the ledger all of them. */
static void init_key(void *row, struct str label)
{
	struct live_key *k = row;
	k->label = keys.n < LIVE_ROWS_MAX ? k->name : STR("other");
	(void)label;
}

struct live_key *live_key(struct str name)
{
	return row_of(&keys, name, sizeof(struct live_key), name, init_key);
}

struct live_team *live_team(struct str name)
{
	return row_of(&teams, name, sizeof(struct live_team), name, NULL);
}

void live_targets_each(void (*each)(struct live_target *, void *arg), void *arg)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct live_target *row = atomic_load_explicit(&targets.rows[i], memory_order_acquire);
		if (row)
			each(row, arg);
	}
}
