/*
 * evicted.c: a short list, looked at only when something is in it.
 */
#include "cache/evicted.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static struct {
	uint64_t name;		/* a hash: one too many is a miss too many */
	int64_t at_us;
} rows[EVICTED_MOST];
static _Atomic unsigned n_rows;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

static uint64_t hash_of(struct str kind, struct str name)
{
	return str_hash(kind) * UINT64_C(0x9e3779b97f4a7c15) ^ str_hash(name);
}

static unsigned place_of(uint64_t name)
{
	unsigned i = 0;
	while (i < n_rows && rows[i].name != name)
		i++;
	return i;
}

bool evicted_note(struct str name, int64_t at_us)
{
	ptrdiff_t slash = str_chr(name, '/');
	if (slash < 0)
		return false;
	uint64_t hash = hash_of(str_head(name, (size_t)slash), str_skip(name, (size_t)slash + 1));
	pthread_rwlock_wrlock(&lock);
	unsigned i = place_of(hash);
	bool room = i < EVICTED_MOST;
	if (room && i == n_rows) {
		rows[i].name = hash;
		rows[i].at_us = at_us;
		n_rows++;
	} else if (room && at_us > rows[i].at_us) {
		rows[i].at_us = at_us;
	}
	pthread_rwlock_unlock(&lock);
	return room;
}

static bool is_evicted(struct str kind, struct str name, int64_t stored_us)
{
	unsigned i = place_of(hash_of(kind, name));
	return i < n_rows && rows[i].at_us >= stored_us;
}

bool evicted_since(struct str model, struct str tags, int64_t stored_us)
{
	struct str tag;
	if (!n_rows)
		return false;
	pthread_rwlock_rdlock(&lock);
	bool gone = is_evicted(STR("model"), model, stored_us);
	while (!gone && str_split(&tags, ',', &tag))
		gone = is_evicted(STR("tag"), str_trim(tag), stored_us);
	pthread_rwlock_unlock(&lock);
	return gone;
}
