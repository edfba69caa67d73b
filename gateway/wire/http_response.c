/*
 * http_response.c: status lines, and what makes an answer's framing certain.
 *
 * Vendors get a little leeway where nothing hangs on it: a missing reason phrase, bytes
 * above 0x7f, repeated headers, the same Content-Length twice.
 */
#include "wire/http_head.h"
#include "wire/http_lex.h"

enum { REFUSED = 502, TOO_LARGE = 431 };

static enum http_result bad(struct http_head *h, const char *why)
{
	return http_fail(h, REFUSED, why);
}

/* "200", "200 " or "200 OK": what follows the version and its space. */
static bool status_parse(struct http_head *h, struct str s)
{
	if (s.n < 3 || !lex_all(str_head(s, 3), LEX_DIGIT) || s.p[0] == '0' || (s.n > 3 && s.p[3] != ' '))
		return false;
	h->status = (unsigned)((s.p[0] - '0') * 100 + (s.p[1] - '0') * 10 + (s.p[2] - '0'));
	h->reason = str_skip(s, 4);
	return true;
}

/* Compares as much of "HTTP/1.1 " as is there, so that anything else is refused with its first bytes. */
static bool version_begins(struct http_head *h, struct str in)
{
	static const char version[] = "HTTP/1.1 ";
	for (size_t i = 0; i < in.n && i < sizeof(version) - 1; i++)
		if (in.p[i] != version[i] && !(i == 7 && in.p[i] == '0'))
			return false;
	h->minor = in.n > 7 && in.p[7] == '1';
	return true;
}

static enum http_result status_line(struct http_head *h, struct str in, size_t limit, size_t *size)
{
	if (in.n == 0)
		return HTTP_MORE;
	struct http_window w = http_window(in.p, in.p + in.n, limit);
	if (!version_begins(h, str_of(w.at, (size_t)(w.stop - w.at))))
		return bad(h, "not an HTTP/1 answer");
	const char *end = lex_skip_text(w.at, w.stop);
	if (end == w.stop || (*end == '\r' && end + 1 == w.stop))
		return http_cut(h, &w, TOO_LARGE, "status line too long");
	if (*end != '\r' || end[1] != '\n')
		return bad(h, "malformed status line");
	*size = (size_t)(end + 2 - in.p);
	struct str line = str_of(w.at, (size_t)(end - w.at));
	return status_parse(h, str_skip(line, 9)) ? HTTP_DONE : bad(h, "malformed status line");
}

/* Repeated Content-Length: fine when all say the same. */
static bool lengths_agree(const struct http_head *h)
{
	struct str first = http_header(h, HTTP_H_CONTENT_LENGTH);
	for (unsigned i = 0; i < h->count; i++)
		if (str_ieq(h->headers[i].name, STR("content-length")) && !str_eq(h->headers[i].value, first))
			return false;
	return true;
}

static enum http_result length_judge(struct http_head *h)
{
	if (http_header_twice(h, HTTP_H_CONTENT_LENGTH) && !lengths_agree(h))
		return bad(h, "different Content-Lengths");
	if (!http_length(http_header(h, HTTP_H_CONTENT_LENGTH), &h->length) || h->length > INT64_MAX)
		return bad(h, "malformed Content-Length");
	h->body = h->length ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
	return HTTP_DONE;
}

static enum http_result coding_judge(struct http_head *h)
{
	if (http_header_has(h, HTTP_H_CONTENT_LENGTH))
		return bad(h, "both Content-Length and Transfer-Encoding");
	if (h->minor == 0)
		return bad(h, "Transfer-Encoding in HTTP/1.0");
	if (http_header_twice(h, HTTP_H_TRANSFER_ENCODING) ||
	    !str_ieq(http_header(h, HTTP_H_TRANSFER_ENCODING), STR("chunked")))
		return bad(h, "unknown transfer coding");
	h->body = HTTP_BODY_CHUNKED;
	return HTTP_DONE;
}

static bool has_no_body(const struct http_head *h)
{
	return h->method == HTTP_HEAD || h->status < 200 || h->status == 204 || h->status == 304;
}

static enum http_result response_finish(struct http_head *h)
{
	enum http_result r = HTTP_DONE;
	h->body = HTTP_BODY_UNTIL_CLOSE;
	if (http_header_has(h, HTTP_H_TRANSFER_ENCODING))
		r = coding_judge(h);
	else if (http_header_has(h, HTTP_H_CONTENT_LENGTH))
		r = length_judge(h);
	if (has_no_body(h))
		h->body = HTTP_BODY_NONE;
	if (h->body == HTTP_BODY_NONE)
		h->length = 0;
	h->upgrade = h->status == 101;
	h->keep_alive = !h->close_asked && (h->minor == 1 || h->keep_asked) && !h->upgrade &&
		h->body != HTTP_BODY_UNTIL_CLOSE;
	return r;
}

enum http_result http_response_parse(struct http_parser *p, struct str in, const struct http_limits *limits,
				     enum http_method method, struct http_head *head)
{
	static const struct http_kind response = { status_line, response_finish, REFUSED };
	head->method = method;
	return http_head_parse(p, in, limits, &response, head);
}
