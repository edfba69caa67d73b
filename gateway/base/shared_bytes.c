/*
 * shared_bytes.c: the last holder frees them.
 */
#include "base/shared_bytes.h"

#include <stdlib.h>

struct shared_bytes *shared_bytes_resize(struct shared_bytes *b, size_t size)
{
	size_t whole;
	if (__builtin_add_overflow(size, sizeof(*b), &whole))
		return NULL;
	struct shared_bytes *resized = realloc(b, whole);
	if (resized && !b)
		atomic_init(&resized->holders, 1);
	return resized;
}

struct shared_bytes *shared_bytes_copy(struct str s)
{
	struct shared_bytes *b = shared_bytes_resize(NULL, s.n);
	if (b && s.n)
		memcpy(b->data, s.p, s.n);
	return b;
}

struct shared_bytes *shared_bytes_hold(struct shared_bytes *b)
{
	atomic_fetch_add_explicit(&b->holders, 1, memory_order_relaxed);
	return b;
}

void shared_bytes_let_go(struct shared_bytes *b)
{
	if (b && atomic_fetch_sub_explicit(&b->holders, 1, memory_order_acq_rel) == 1)
		free(b);
}
