/*
 * http_write.h: heads and chunk framing, written into a struct buf.
 *
 * A buf over fixed memory (HTTP_FIXED_BUF) never allocates. Each call returns false and
 * leaves `failed` set when the buffer is full or when bytes would break the framing, so
 * a head may be written in a run and checked once by its buffer's `failed`.
 */
#ifndef WEIR_WIRE_HTTP_WRITE_H
#define WEIR_WIRE_HTTP_WRITE_H

#include "base/buf.h"
#include "core/http.h"

/* Never buf_free() it. */
#define HTTP_FIXED_BUF(memory, size) { (memory), 0, (size), (size), false }

/* "HTTP/1.1 200 OK\r\n". Status 100 to 999; unknown ones get an empty reason. */
bool http_put_status(struct buf *b, unsigned status);

/* "POST <prefix><path>[?<query>] HTTP/1.1\r\n"; visible ASCII only, beginning with `/`. */
bool http_put_request(struct buf *b, enum http_method m, struct str prefix, struct str path,
		      struct str query);

/*
 * "name: value\r\n". The name must be a token; the value holds no control byte but tab. CR,
 * LF and NUL in either are refused, so no value ever adds a line.
 */
bool http_put_header(struct buf *b, struct str name, struct str value);
bool http_put_header_u64(struct buf *b, struct str name, uint64_t value);
/* The same of what weir made itself: nobody looks at it again. */
bool http_put_own(struct buf *b, struct str name, struct str value);
bool http_put_end(struct buf *b);	/* the blank line */

/* Whether http_put_header() would take it. */
bool http_header_fits(struct str name, struct str value);

/* "1f4\r\n" before `n` bytes of data and CRLF; returns its length. n > 0, since 0 ends a body. */
enum { HTTP_CHUNK_PREFIX_MAX = 18 };
size_t http_chunk_prefix(char out[HTTP_CHUNK_PREFIX_MAX], size_t n);
#define HTTP_CHUNK_LAST STR("0\r\n\r\n")

/* The phrase of RFC 9110 and its kin; "" for others. */
struct str http_reason(unsigned status);

#endif
