/*
 * key_book.h: keys made while running, as compact records by name and by digest; shared by all workers.
 *
 * The main thread alone changes it. A record is one line of JSON, kept as it is stored:
 *
 *   {"name":"web","digest":"64 hex digits","created":unix seconds,"expires":unix seconds or 0,"disabled":false,
 *    "revoked":false,"of":{"team":...,"models":...,"limits":...}}
 *
 * with what a key may do in `of`, in the configuration's words. A revoked key stays as a record of that.
 */
#ifndef WEIR_ACCESS_KEY_BOOK_H
#define WEIR_ACCESS_KEY_BOOK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { KEY_RECORD_MAX = 8192, KEY_NAME_MAX = 128 };

struct key_record {
	_Atomic unsigned refs;
	bool disabled, revoked;
	uint8_t digest[32];
	int64_t ends_s;			/* Unix seconds; 0: never */
	uint64_t version;		/* rises with every change of any key */
	struct str name, text;		/* both behind this struct */
	struct key_record *next_name, *next_digest;
};

/* False when `text` is no such record. An older version than the one there is, is passed over. */
bool key_book_put(struct str text, uint64_t version) must_check;

/* A reference, or NULL. By digest only keys that are not revoked are found. */
struct key_record *key_book_find(const uint8_t digest[32]);
struct key_record *key_book_named(struct str name);
void key_record_release(struct key_record *r);

/* How many records a look-up of this digest goes over; for measurements. */
unsigned key_book_steps(const uint8_t digest[32]);

bool key_record_valid(const struct key_record *r, int64_t now_s);	/* neither disabled nor expired nor revoked */

/* Changes with every put: what was found may be another since. */
uint64_t key_book_generation(void);
/* Was one ever made? Then nobody is let in without a key. */
bool key_book_used(void);
/* Whether there are any is asked of a shared store, and not yet known: set while nobody can be let in without a key. */
void key_book_set_unknown(bool unknown);
bool key_book_unknown(void);
uint64_t key_book_version(void);	/* the highest there is */

/* All records, in no order, on the main thread; they stay while `each` runs. */
void key_book_each(void (*each)(struct key_record *r, void *arg), void *arg);
unsigned key_book_count(void);
void key_book_clear(void);

#endif
