/*
 * deflate.c: zlib in one go.
 */
#include "base/deflate.h"

#include <limits.h>
#include <zlib.h>

bool deflate_add(struct str in, struct buf *out)
{
	uLongf n = compressBound(in.n);
	if (in.n > INT_MAX || !buf_reserve(out, n))
		return false;
	if (compress2((Bytef *)out->p + out->n, &n, (const Bytef *)in.p, in.n, Z_BEST_SPEED) != Z_OK)
		return false;
	out->n += n;
	return true;
}

bool inflate_add(struct str in, size_t n, struct buf *out)
{
	uLongf made = n;
	uLong used = in.n;
	if (n == 0 || n > INT_MAX || in.n > INT_MAX || !buf_reserve(out, n))
		return false;
	if (uncompress2((Bytef *)out->p + out->n, &made, (const Bytef *)in.p, &used) != Z_OK || made != n || used != in.n)
		return false;
	out->n += n;
	return true;
}
