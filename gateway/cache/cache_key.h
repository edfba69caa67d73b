/*
 * cache_key.h: when are two requests the same question?
 */
#ifndef WEIR_CACHE_CACHE_KEY_H
#define WEIR_CACHE_CACHE_KEY_H

#include "base/digest.h"
#include "core/txn.h"

/*
 * SHA-256 over everything that may change the answer: the body's top-level members sorted by name with
 * the white space outside strings dropped (nested order counts), the endpoint, where an answer has
 * one form only whether a stream and its usage are asked for, the model with its targets, headers that matter, who shares the answer, and namespaces.
 * Whatever is not understood makes another key.
 *
 * It is made in steps, each of at most CACHE_KEY_TURN bytes of the body, so that a large one holds up no turn of the loop. What
 * is begun is ended, also before its last step; false: there was no memory for it.
 */
enum { CACHE_KEY_TURN = 256 * 1024 };
struct cache_keying;	/* in the transaction's arena */
struct cache_wish;
struct cache_keying *cache_keying_begin(struct txn *t, const struct cache_wish *wish);
bool cache_keying_on(struct cache_keying *k);	/* true: that was the last step */
bool cache_keying_end(struct cache_keying *k, uint8_t digest[DIGEST_SIZE]);
/* The same for each item of a batch, as if it were asked alone; at once. */
struct batch;
bool cache_key_items(struct txn *t, const struct cache_wish *wish, const struct batch *batch, uint8_t digests[][DIGEST_SIZE]);

enum { CACHE_KEY_SIZE = 8 + 2 * DIGEST_SIZE };

/* Where the answer of this id (the digest in hexadecimal) lies in the store. */
void cache_key_name(struct str id, char name[CACHE_KEY_SIZE]);

#endif
