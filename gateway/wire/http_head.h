/*
 * http_head.h: what requests and responses share in parsing their heads.
 *
 * Only the parser's own files include it.
 */
#ifndef WEIR_WIRE_HTTP_HEAD_H
#define WEIR_WIRE_HTTP_HEAD_H

#include "wire/http_parser.h"

/* One line may lie in [at, stop). */
struct http_window {
	const char *at, *stop;
	bool capped;	/* a limit ends it, not the end of the data */
};

struct http_window http_window(const char *at, const char *end, size_t limit);

/* The line does not end within its window: wait for more, or it is too long. */
enum http_result http_cut(struct http_head *h, const struct http_window *w, unsigned error, const char *why);

enum http_result http_fail(struct http_head *h, unsigned error, const char *why);

/* Spaces the two kinds apart. */
struct http_kind {
	/* Reads the first line; on HTTP_DONE `*size` is its length, CRLF and anything skipped included. */
	enum http_result (*first_line)(struct http_head *h, struct str in, size_t limit, size_t *size);
	/* Judges the complete head: framing, host, connection. */
	enum http_result (*finish)(struct http_head *h);
	unsigned refused;	/* status for headers that are not HTTP */
};

enum http_result http_head_parse(struct http_parser *p, struct str in, const struct http_limits *limits,
				 const struct http_kind *kind, struct http_head *h);

/* Decimal digits only, at most 19. */
bool http_length(struct str value, uint64_t *out);

#endif
