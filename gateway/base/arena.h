/*
 * arena.h: memory that dies together.
 *
 * Everything hung on a transaction is allocated here and released by one call.
 * Foreign resources are attached with their release function, which runs in
 * reverse order of attachment. An arena belongs to one thread; its blocks are
 * kept in a small per-thread pool between uses. Under ASan unused bytes are poisoned.
 */
#ifndef WEIR_BASE_ARENA_H
#define WEIR_BASE_ARENA_H

#include "base/str.h"

struct arena_block;
struct arena_owned;

struct arena {
	struct arena_block *blocks;
	struct arena_owned *owned;
	char *next, *end;	/* free space of the newest block */
};

#define ARENA_INIT { NULL, NULL, NULL, NULL }

void arena_init(struct arena *a);	/* allocates nothing yet */
void arena_clear(struct arena *a);	/* releases all; the arena may be used again */
void arena_wipe(struct arena *a);	/* the same, its bytes overwritten first: for what held secrets */

void *arena_alloc(struct arena *a, size_t n) __attribute__((returns_nonnull));	/* zeroed, 16-aligned */
struct str arena_copy(struct arena *a, struct str s);				/* NUL added behind */
struct str arena_printf(struct arena *a, const char *fmt, ...) printf_like(2, 3);

#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, count) ((type *)arena_alloc((a), sizeof(type) * (count)))

/* `release(object)` runs when the arena is cleared. */
void arena_own(struct arena *a, void *object, void (*release)(void *object));

/* Frees the calling thread's pool of blocks; call before a thread ends. */
void arena_thread_end(void);

#endif
