/*
 * key_book.c: two chained tables over the same records, under one lock for readers and the writer.
 */
#include "access/key_book.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/mem.h"
#include "core/snapshot.h"
#include "wire/json_cursor.h"

enum { BUCKETS_FIRST = 64 };

static struct {
	pthread_rwlock_t lock;
	struct key_record **names, **digests;
	size_t mask;
	unsigned n;
	uint64_t version;
	_Atomic uint64_t generation;
	_Atomic bool unknown;
} book = { .lock = PTHREAD_RWLOCK_INITIALIZER };

/* --- records --- */

static struct key_record *record_new(struct str text, uint64_t version)
{
	struct str name = json_raw(json_get(text, STR("name"))), digest = json_raw(json_get(text, STR("digest")));
	struct key_record *r = malloc(sizeof(*r) + text.n);
	if (!r)
		abort();
	*r = (struct key_record){ .refs = 1, .version = version };
	char *copy = memcpy((char *)r + sizeof(*r), text.p, text.n);
	r->text = str_of(copy, text.n);
	r->disabled = json_type(json_get(text, STR("disabled"))) == JSON_TRUE;
	r->revoked = json_type(json_get(text, STR("revoked"))) == JSON_TRUE;
	bool good = name.n && name.n <= KEY_NAME_MAX && json_int(json_get(text, STR("expires")), &r->ends_s) &&
		    digest.n == 2 * DIGEST_SIZE && digest_from_hex(digest, r->digest);
	if (good) {
		r->name = str_of(copy + (name.p - text.p), name.n);
		return r;
	}
	free(r);
	return NULL;
}

void key_record_release(struct key_record *r)
{
	if (r && atomic_fetch_sub(&r->refs, 1) == 1)
		free(r);
}

bool key_record_valid(const struct key_record *r, int64_t now_s)
{
	return !r->disabled && !r->revoked && (r->ends_s == 0 || now_s < r->ends_s);
}

/* --- the tables --- */

static size_t digest_place(const uint8_t digest[32])
{
	size_t h;
	memcpy(&h, digest, sizeof(h));	/* random already */
	return h & book.mask;
}

static struct key_record **name_slot(struct str name)
{
	struct key_record **at = &book.names[str_hash(name) & book.mask];
	while (*at && !str_eq((*at)->name, name))
		at = &(*at)->next_name;
	return at;
}

static struct key_record **digest_slot(const uint8_t digest[32])
{
	struct key_record **at = &book.digests[digest_place(digest)];
	while (*at && !digest_equal((*at)->digest, digest))
		at = &(*at)->next_digest;
	return at;
}

static void link_digest(struct key_record *r)
{
	if (r->revoked)
		return;
	struct key_record **at = &book.digests[digest_place(r->digest)];
	r->next_digest = *at;
	*at = r;
}

static void grow(void)
{
	size_t size = book.mask ? 2 * (book.mask + 1) : BUCKETS_FIRST, old = book.mask ? book.mask + 1 : 0;
	struct key_record **names = book.names;
	free(book.digests);
	book.names = mem_alloc(size * sizeof(struct key_record *));
	book.digests = mem_alloc(size * sizeof(struct key_record *));
	book.mask = size - 1;
	for (size_t i = 0; i < old; i++)
		for (struct key_record *r = names[i], *next; r; r = next) {
			struct key_record **at = &book.names[str_hash(r->name) & book.mask];
			next = r->next_name;
			r->next_name = *at;
			*at = r;
			link_digest(r);
		}
	free(names);
}

static void take_out(struct key_record **at)
{
	struct key_record *old = *at, **by_digest = &book.digests[digest_place(old->digest)];
	*at = old->next_name;
	while (*by_digest && *by_digest != old)
		by_digest = &(*by_digest)->next_digest;
	if (*by_digest)
		*by_digest = old->next_digest;
	book.n--;
	key_record_release(old);
}

static void put_in(struct key_record *r)
{
	if (book.n >= book.mask)
		grow();
	struct key_record **at = name_slot(r->name);
	if (*at)
		take_out(at);
	at = name_slot(r->name);
	*at = r;
	link_digest(r);
	book.n++;
}

bool key_book_put(struct str text, uint64_t version)
{
	struct key_record *r = record_new(text, version);
	if (!r)
		return false;
	pthread_rwlock_wrlock(&book.lock);
	const struct key_record *old = book.mask ? *name_slot(r->name) : NULL;
	if (old && old->version >= version)
		key_record_release(r);
	else
		put_in(r);
	book.version = version > book.version ? version : book.version;
	pthread_rwlock_unlock(&book.lock);
	atomic_fetch_add_explicit(&book.generation, 1, memory_order_release);
	snapshot_keys_changed();
	return true;
}

/* --- looking up --- */

static struct key_record *found(struct key_record *r)
{
	if (r)
		atomic_fetch_add(&r->refs, 1);
	pthread_rwlock_unlock(&book.lock);
	return r;
}

struct key_record *key_book_find(const uint8_t digest[32])
{
	if (!key_book_used())
		return NULL;
	pthread_rwlock_rdlock(&book.lock);
	return found(book.mask ? *digest_slot(digest) : NULL);
}

unsigned key_book_steps(const uint8_t digest[32])
{
	unsigned n = 0;
	pthread_rwlock_rdlock(&book.lock);
	for (const struct key_record *r = book.mask ? book.digests[digest_place(digest)] : NULL; r; r = r->next_digest) {
		n++;
		if (digest_equal(r->digest, digest))
			break;
	}
	pthread_rwlock_unlock(&book.lock);
	return n;
}

struct key_record *key_book_named(struct str name)
{
	pthread_rwlock_rdlock(&book.lock);
	return found(book.mask ? *name_slot(name) : NULL);
}

uint64_t key_book_generation(void)
{
	return atomic_load_explicit(&book.generation, memory_order_acquire);
}

bool key_book_used(void)
{
	return key_book_generation() > 0;
}

void key_book_set_unknown(bool unknown)
{
	atomic_store(&book.unknown, unknown);
}

bool key_book_unknown(void)
{
	return atomic_load_explicit(&book.unknown, memory_order_relaxed);
}

uint64_t key_book_version(void)
{
	return book.version;
}

unsigned key_book_count(void)
{
	return book.n;
}

void key_book_each(void (*each)(struct key_record *r, void *arg), void *arg)
{
	for (size_t i = 0; book.mask && i <= book.mask; i++)
		for (struct key_record *r = book.names[i]; r; r = r->next_name)
			each(r, arg);
}

void key_book_clear(void)
{
	for (size_t i = 0; book.mask && i <= book.mask; i++)
		for (struct key_record *r = book.names[i], *next; r; r = next) {
			next = r->next_name;
			key_record_release(r);
		}
	free(book.names);
	free(book.digests);
	book.names = book.digests = NULL;
	book.mask = book.n = 0;
	book.version = 0;
	atomic_store(&book.generation, 0);
}
