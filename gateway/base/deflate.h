/*
 * deflate.h: bytes made smaller, and made whole again within a bound.
 */
#ifndef WEIR_BASE_DEFLATE_H
#define WEIR_BASE_DEFLATE_H

#include "base/buf.h"

/* Adds `in` to `out`, compressed by zlib as fast as it can. False: `out` is full. */
bool deflate_add(struct str in, struct buf *out) must_check;

/* Adds what `in` was. False: it is nothing of that kind, or is not `n` bytes; never more than these are made. */
bool inflate_add(struct str in, size_t n, struct buf *out) must_check;

#endif
