/*
 * chunked.h: the chunked transfer coding, decoded in place and incrementally.
 *
 * Fed any slices of a body, it hands back the slices of payload within them; nothing is
 * copied. Strict: CRLF only, sizes of 1 to 15 hex digits and nothing around them.
 * Extensions and trailers are checked, bounded and dropped. How much payload is too
 * much is the caller's to say.
 */
#ifndef WEIR_WIRE_CHUNKED_H
#define WEIR_WIRE_CHUNKED_H

#include "base/str.h"
#include "wire/http_parser.h"

enum {
	CHUNKED_EXTENSION_MAX = 256,
	CHUNKED_TRAILER_MAX = 8 << 10,	/* bytes of all trailers */
	CHUNKED_TRAILERS_MAX = 100
};

/* Zero at the start of a body. */
struct chunked {
	uint64_t left;		/* of the chunk's data; while its size is read, that size so far */
	uint16_t run;		/* digits of the size, bytes of the extension or of all trailers */
	uint8_t trailers;
	uint8_t state;
};

/*
 * Takes bytes off the front of `in`.
 * HTTP_MORE with a payload: use it and call again. HTTP_MORE without: `in` is empty, feed more.
 * HTTP_DONE: the body has ended, no payload; what is left of `in` lies behind it.
 * HTTP_BAD: nothing that follows can be trusted; stays so.
 *
 *	while ((r = chunked_next(&c, &in, &payload)) == HTTP_MORE && payload.n)
 *		...
 */
enum http_result chunked_next(struct chunked *c, struct str *in, struct str *payload) must_check;

#endif
