/*
 * shared_bytes.h: bytes that outlive whoever made them, for as long as somebody holds them.
 *
 * They grow while they have one holder; after that nobody changes them, so any thread may read them.
 */
#ifndef WEIR_BASE_SHARED_BYTES_H
#define WEIR_BASE_SHARED_BYTES_H

#include <stdatomic.h>

#include "base/str.h"

struct shared_bytes {
	atomic_uint holders;
	char data[];
};

/* Room for `size` bytes; `b` may be NULL: a new one. NULL: no memory, and `b` is as it was. */
struct shared_bytes *shared_bytes_resize(struct shared_bytes *b, size_t size) must_check;
struct shared_bytes *shared_bytes_copy(struct str s) must_check;

struct shared_bytes *shared_bytes_hold(struct shared_bytes *b);
void shared_bytes_let_go(struct shared_bytes *b);	/* may be NULL */

#endif
