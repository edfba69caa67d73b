/*
 * http_cases.h: parsing rows of requests and answers in every way they can be cut.
 *
 * Each is parsed in one piece, cut in two at every byte, and byte by byte, each time from
 * freshly allocated memory of the exact size; all of these have to agree.
 */
#ifndef WEIR_TESTS_HTTP_CASES_H
#define WEIR_TESTS_HTTP_CASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/buf.h"
#include "wire/http_parser.h"

struct side {
	bool response;
	enum http_method method;
	const struct http_limits *limits;
};

static enum http_result step(const struct side *s, struct http_parser *p, struct str in, struct http_head *h)
{
	return s->response ? http_response_parse(p, in, s->limits, s->method, h) :
		http_request_parse(p, in, s->limits, h);
}

/* What a parse came to, as text, so that outcomes compare with one call. */
static void describe(struct buf *out, enum http_result r, const struct http_head *h)
{
	buf_clear(out);
	if (r == HTTP_MORE) {
		buf_add(out, STR("more"));
		return;
	}
	buf_addf(out, "%s %u %s|%.*s|%.*s|%.*s|%u %u %.*s\n", r == HTTP_DONE ? "done" : "bad", h->error,
		 h->why ? h->why : "", STR_FMT(h->method_text), STR_FMT(h->path), STR_FMT(h->query), h->minor,
		 h->status, STR_FMT(h->reason));
	if (r == HTTP_BAD)
		return;
	buf_addf(out, "%d %llu keep=%d expect=%d upgrade=%d absolute=%d size=%zu\n", h->body,
		 (unsigned long long)h->length, h->keep_alive, h->expect_continue, h->upgrade, h->absolute,
		 h->size);
	for (unsigned i = 0; i < h->count; i++)
		buf_addf(out, "%.*s=%.*s\n", STR_FMT(h->headers[i].name), STR_FMT(h->headers[i].value));
	for (unsigned i = 1; i < HTTP_HEADER_IDS; i++)
		if (http_header_has(h, (enum http_header_id)i))
			buf_addf(out, "%u:%.*s\n", i, STR_FMT(http_header(h, (enum http_header_id)i)));
}

static enum http_result parse_prefix(const struct side *s, struct http_parser *p, struct str text, size_t n,
				     struct http_head *h, struct buf *out)
{
	char *copy = malloc(n ? n : 1);
	assert_non_null(copy);
	memcpy(copy, text.p, n);
	enum http_result r = step(s, p, str_of(copy, n), h);
	describe(out, r, h);
	free(copy);
	return r;
}

static struct http_head head;

static void check_same(const struct buf *whole, const struct buf *cut, struct str text, size_t at)
{
	if (!str_eq(buf_str(whole), buf_str(cut)))
		fail_msg("cut at %zu of %.*s:\n%.*s\ninstead of\n%.*s", at, STR_FMT(text), STR_FMT(*cut),
			 STR_FMT(*whole));
}

static void check_cuts(const struct side *s, struct str text, const struct buf *whole)
{
	struct buf cut = BUF_INIT(1 << 20);
	for (size_t at = 0; at <= text.n && text.n < 2000; at++) {
		struct http_parser p = { 0, 0 };
		if (parse_prefix(s, &p, text, at, &head, &cut) == HTTP_MORE)
			parse_prefix(s, &p, text, text.n, &head, &cut);
		check_same(whole, &cut, text, at);
		assert_true(p.line == 0 || str_eq(buf_str(&cut), STR("more")));
	}
	struct http_parser p = { 0, 0 };
	enum http_result r = HTTP_MORE;
	for (size_t n = 0; n <= text.n && r == HTTP_MORE; n++)
		r = parse_prefix(s, &p, text, n, &head, &cut);
	check_same(whole, &cut, text, text.n);
	buf_free(&cut);
}

/* Parses in all ways; leaves the result of one piece in `head`, its spans in `text`. */
static enum http_result parse(const struct side *s, struct str text)
{
	struct buf whole = BUF_INIT(1 << 20);
	struct http_parser p = { 0, 0 };
	parse_prefix(s, &p, text, text.n, &head, &whole);
	check_cuts(s, text, &whole);
	buf_free(&whole);
	p = (struct http_parser){ 0, 0 };
	return step(s, &p, text, &head);
}

struct row {
	const char *name;
	struct str text;
	unsigned error;		/* 0: parses */
	enum http_body body;
	uint64_t length;
};

static void check_rows(const struct side *s, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *row = &rows[i];
		enum http_result r = parse(s, row->text);
		if (r != (row->error ? HTTP_BAD : HTTP_DONE) || head.error != row->error)
			fail_msg("%s (%.*s): result %d, error %u: %s", row->name, STR_FMT(row->text), r,
				 head.error, head.why ? head.why : "");
		if (r == HTTP_DONE && (head.body != row->body || head.length != row->length))
			fail_msg("%s: body %d of %llu", row->name, head.body,
				 (unsigned long long)head.length);
	}
}

#define BAD(name, text) { name, STR_INIT(text), 400, HTTP_BODY_NONE, 0 }
#define ERR(name, text, status) { name, STR_INIT(text), status, HTTP_BODY_NONE, 0 }
#define FINE(name, text) { name, STR_INIT(text), 0, HTTP_BODY_NONE, 0 }
#define CHUNKED(name, text) { name, STR_INIT(text), 0, HTTP_BODY_CHUNKED, 0 }
#define LENGTH(name, text, n) { name, STR_INIT(text), 0, HTTP_BODY_LENGTH, n }

static struct str filled(struct buf *b, const char *begin, char c, size_t n, const char *end)
{
	buf_clear(b);
	buf_add(b, str_c(begin));
	for (size_t i = 0; i < n; i++)
		buf_addc(b, c);
	buf_add(b, str_c(end));
	return buf_str(b);
}

static void check_error(const struct side *s, struct str text, unsigned error)
{
	enum http_result r = parse(s, text);
	if (r != (error ? HTTP_BAD : HTTP_DONE) || head.error != error)
		fail_msg("%.*s... of %zu: result %d, error %u: %s", (int)(text.n < 40 ? text.n : 40), text.p,
			 text.n, r, head.error, head.why ? head.why : "");
}

#endif
