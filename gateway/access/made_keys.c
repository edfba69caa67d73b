/*
 * made_keys.c: a small table a worker, of keys lent to transactions.
 *
 * A key is made anew when its record changed, or the configuration did. Between changes of the book nothing shared is
 * locked: one number says whether there were any.
 */
#include "access/made_keys.h"

#include <stdlib.h>

#include "access/key_book.h"
#include "base/clock.h"
#include "base/mem.h"

enum { PLACES = 512 };

struct made_key {
	struct arena arena;
	struct key_record *record;
	const struct key *key;
	uint64_t generation, serial;	/* of the book, when it was looked up last; of the snapshot */
	unsigned lent;			/* to transactions, and one for its place */
};

static key_maker *make;
static _Thread_local struct made_key *places[PLACES];

void made_keys_use(key_maker *maker)
{
	make = maker;
}

static void give_back(void *object)
{
	struct made_key *m = object;
	if (--m->lent > 0)
		return;
	key_record_release(m->record);
	arena_clear(&m->arena);
	free(m);
}

static struct made_key *make_key(const struct snapshot *s, struct key_record *r, uint64_t generation)
{
	struct made_key *m = mem_alloc(sizeof(*m));
	m->record = r;
	m->lent = 1;
	m->generation = generation;
	m->serial = s->serial;
	m->key = make ? make(s, r->text, &m->arena) : NULL;
	return m;
}

/* What is at this place still is what the book has. */
static bool is_fresh(struct made_key *m, const struct snapshot *s, const uint8_t digest[32], uint64_t generation)
{
	if (!m || m->serial != s->serial || memcmp(m->record->digest, digest, sizeof(m->record->digest)) != 0)
		return false;
	if (m->generation == generation)
		return true;
	struct key_record *now = key_book_find(digest);
	bool same = now == m->record;
	key_record_release(now);
	if (same)
		m->generation = generation;
	return same;
}

static struct made_key *look_up(const struct snapshot *s, const uint8_t digest[32])
{
	uint64_t generation = key_book_generation();
	struct made_key **place = &places[(digest[8] | digest[9] << 8) % PLACES];
	if (is_fresh(*place, s, digest, generation))
		return *place;
	struct key_record *r = key_book_find(digest);
	if (!r)
		return NULL;
	if (*place)
		give_back(*place);
	*place = make_key(s, r, generation);
	return *place;
}

const struct key *made_key(const struct snapshot *s, const uint8_t digest[32], struct arena *user)
{
	if (!key_book_used())
		return NULL;
	struct made_key *m = look_up(s, digest);
	if (!m || !m->key || !key_record_valid(m->record, m->record->ends_s ? clock_wall_us() / SECOND_US : 0))
		return NULL;
	m->lent++;
	arena_own(user, m, give_back);
	return m->key;
}

void made_keys_thread_end(void)
{
	for (unsigned i = 0; i < PLACES; i++) {
		if (places[i])
			give_back(places[i]);
		places[i] = NULL;
	}
}
