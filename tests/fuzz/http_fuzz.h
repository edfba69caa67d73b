/*
 * http_fuzz.h: what must hold for any bytes given to the parser of heads.
 *
 * Cut in two anywhere they come to the same; spans stay inside the head; an accepted
 * head written anew is accepted and means the same. libFuzzer's input is the bytes as
 * they would arrive, so corpora are plain HTTP.
 */
#ifndef WEIR_TESTS_HTTP_FUZZ_H
#define WEIR_TESTS_HTTP_FUZZ_H

#include "base/buf.h"
#include "tests/fuzz/fuzz.h"
#include "wire/http_parser.h"
#include "wire/http_write.h"

static inline bool same_bytes(struct str a, struct str b)
{
	return str_eq(a, b) && !a.p == !b.p;
}

static inline bool same_head(const struct http_head *a, const struct http_head *b)
{
	if (a->method != b->method || a->status != b->status || a->body != b->body ||
	    a->length != b->length || a->keep_alive != b->keep_alive ||
	    a->expect_continue != b->expect_continue || a->count != b->count || a->seen != b->seen ||
	    a->twice != b->twice || !same_bytes(a->path, b->path) ||
	    !same_bytes(a->query, b->query) || !str_eq(a->reason, b->reason))
		return false;
	for (unsigned i = 0; i < a->count; i++)
		if (!str_eq(a->headers[i].name, b->headers[i].name) ||
		    !str_eq(a->headers[i].value, b->headers[i].value))
			return false;
	return true;
}

static inline bool same_outcome(enum http_result r, const struct http_head *a, enum http_result s,
				const struct http_head *b)
{
	if (r != s || r == HTTP_MORE)
		return r == s;
	if (r == HTTP_BAD)
		return a->error == b->error && str_eq(str_c(a->why), str_c(b->why)) &&
			str_eq(a->path, b->path) && a->method == b->method;
	return a->size == b->size && same_head(a, b);
}

static inline void check_spans(const struct http_head *h, struct str in)
{
	must(h->size > 0 && h->size <= in.n && h->count <= HTTP_HEADERS_MAX);
	in = str_head(in, h->size);
	must(lies_in(h->target, in) && lies_in(h->query, in) && lies_in(h->authority, in));
	must(lies_in(h->method_text, in) && lies_in(h->reason, in));
	must(lies_in(h->path, in) || str_eq(h->path, STR("/")));
	for (unsigned i = 0; i < h->count; i++)
		must(lies_in(h->headers[i].name, in) && lies_in(h->headers[i].value, in));
}

static inline void put_headers(struct buf *b, const struct http_head *h)
{
	for (unsigned i = 0; i < h->count; i++)
		must(http_put_header(b, h->headers[i].name, h->headers[i].value));
	http_put_end(b);
}

#endif
