/*
 * keys.h: keys made while running: where they are kept, and how replicas hear of them.
 *
 * All on the main thread. With Redis they live there; every replica has all of them in its book (access/key_book.h) and in
 * its SQLite file, asks for changes several times a second, and so serves on while Redis is away. Without Redis they
 * live in the file.
 */
#ifndef WEIR_KEYS_H
#define WEIR_KEYS_H

#include "base/loop.h"
#include "core/snapshot.h"
#include "store/store.h"

/* False with one line in `why`. `shared` NULL: the store is memory. */
bool keys_open(struct loop *l, const struct settings *s, struct store_home *shared, struct buf *why);
void keys_close(void);

/* A new or changed record; `before`: the version it was made from, 0: there must be no such key. */
enum keys_put { KEYS_KEPT, KEYS_CONFLICT, KEYS_AWAY };
struct keys_change {
	struct str name, record;		/* may go after the call */
	uint64_t before;
	bool revoked;
	/* Once; possibly before keys_change() returns. `why`: of KEYS_AWAY. */
	void (*done)(struct keys_change *c, enum keys_put result, const char *why);
};
void keys_change(struct keys_change *c);

/* Are there means to keep keys? */
bool keys_kept(void);

#endif
