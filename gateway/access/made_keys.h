/*
 * made_keys.h: a worker's ready keys of the book: what a key may use, worked out when it is first used.
 */
#ifndef WEIR_ACCESS_MADE_KEYS_H
#define WEIR_ACCESS_MADE_KEYS_H

#include "core/snapshot.h"

/* Makes a key of a record's text, in the arena; NULL when it is none any more. Any thread. */
typedef struct key *key_maker(const struct snapshot *s, struct str record, struct arena *a);

void made_keys_use(key_maker *maker);	/* before workers start */

/*
 * The key of this digest, as this snapshot's teams have it; NULL: none, or not valid now. Lives as long as `user`, the
 * arena of who asks.
 */
const struct key *made_key(const struct snapshot *s, const uint8_t digest[32], struct arena *user);

void made_keys_thread_end(void);

#endif
