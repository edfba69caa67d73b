/*
 * http_head.c: the header lines of a head, and the walk over a head that arrives in parts.
 *
 * Until the blank line is there, only complete lines are ticked off; the spans are taken
 * in one pass over the whole head once it is complete, since the buffer may have moved in
 * between. A head that arrives whole, the usual case, is passed over once.
 */
#include "wire/http_head.h"

#include "wire/http_lex.h"

const struct http_limits http_request_limits = { 8 << 10, 32 << 10, 16 << 10, HTTP_HEADERS_MAX };
const struct http_limits http_response_limits = { 8 << 10, 64 << 10, 16 << 10, HTTP_HEADERS_MAX };

struct http_window http_window(const char *at, const char *end, size_t limit)
{
	size_t n = (size_t)(end - at);
	bool capped = n >= limit;
	return (struct http_window){ at, at + (capped ? limit : n), capped };
}

enum http_result http_fail(struct http_head *h, unsigned error, const char *why)
{
	h->error = error;
	h->why = why;
	return HTTP_BAD;
}

enum http_result http_cut(struct http_head *h, const struct http_window *w, unsigned error, const char *why)
{
	return w->capped ? http_fail(h, error, why) : HTTP_MORE;
}

bool http_length(struct str value, uint64_t *out)
{
	return value.n <= 19 && str_u64(value, out);
}

/* Everything but the headers and the method that a response was asked by. */
static void head_reset(struct http_head *h)
{
	enum http_method method = h->method;
	memset(h, 0, offsetof(struct http_head, first));
	h->method = method;
}

/* Tokens of Connection that matter here; the others name headers, and none is relayed anyway. */
static void connection_add(struct http_head *h, struct str value)
{
	struct str token;
	while (str_split(&value, ',', &token)) {
		token = str_trim(token);
		if (str_ieq(token, STR("close")))
			h->close_asked = true;
		else if (str_ieq(token, STR("keep-alive")))
			h->keep_asked = true;
	}
}

static void header_add(struct http_head *h, struct str name, struct str value)
{
	enum http_header_id id = http_header_id(name);
	if (id != HTTP_H_OTHER) {
		uint64_t bit = UINT64_C(1) << id;
		if (h->seen & bit)
			h->twice |= bit;
		else
			h->first[id] = (uint8_t)h->count;
		h->seen |= bit;
		if (id == HTTP_H_CONNECTION)
			connection_add(h, value);
	}
	h->headers[h->count++] = (struct http_header){ name, value };
}

enum { HEAD_TOO_LARGE = 431 };

/* The first byte that belongs to no name and is no colon behind one: the blank line, or an error. */
static enum http_result line_odd(struct http_head *h, const struct http_window *w, const char *p,
				 unsigned refused, bool *blank)
{
	if (p != w->at || *p != '\r')
		return http_fail(h, refused, *p == '\n' ? "bare line feed" : "malformed header name");
	if (p + 1 == w->stop)
		return http_cut(h, w, HEAD_TOO_LARGE, "head too large");
	if (p[1] != '\n')
		return http_fail(h, refused, "bare carriage return");
	*blank = true;
	return HTTP_DONE;
}

/* The value behind the colon, to its CRLF; `*next` is the line after. */
static enum http_result value_parse(struct http_head *h, const struct http_window *w, const char *p,
				    unsigned refused, struct str *value, const char **next)
{
	p = lex_skip_blanks(p, w->stop);
	const char *end = lex_skip_text(p, w->stop);
	if (end == w->stop || (*end == '\r' && end + 1 == w->stop))
		return http_cut(h, w, HEAD_TOO_LARGE, "header too long");
	if (*end != '\r' || end[1] != '\n')
		return http_fail(h, refused, *end == '\n' ? "bare line feed" : "control byte in a header");
	*next = end + 2;
	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*value = str_of(p, (size_t)(end - p));
	return HTTP_DONE;
}

static enum http_result line_parse(struct http_head *h, const struct http_window *w, unsigned refused,
				   unsigned max, const char **next, bool *blank)
{
	struct http_window name = http_window(w->at, w->stop, HTTP_NAME_MAX + 1);
	const char *p = lex_skip_token(name.at, name.stop);
	if (unlikely(p == name.stop)) {
		if (name.capped)
			return http_fail(h, HEAD_TOO_LARGE, "header name too long");
		return http_cut(h, w, HEAD_TOO_LARGE, "header too long");
	}
	*next = p + 2;
	if (unlikely(*p != ':' || p == w->at))
		return line_odd(h, w, p, refused, blank);
	struct str value;
	enum http_result r = value_parse(h, w, p + 1, refused, &value, next);
	if (unlikely(r != HTTP_DONE))
		return r;
	if (unlikely(h->count >= max))
		return http_fail(h, HEAD_TOO_LARGE, "too many headers");
	header_add(h, str_of(w->at, (size_t)(p - w->at)), value);
	return HTTP_DONE;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Header lines from where the parser left off, to the blank line. */
static enum http_result lines_parse(struct http_parser *p, struct str in, const struct http_limits *limits,
				    unsigned refused, struct http_head *h)
{
	const char *at = in.p + p->line, *end = in.p + in.n;
	unsigned max = (unsigned)smaller(limits->max_headers, HTTP_HEADERS_MAX);
	h->count = p->count;
	for (bool blank = false; !blank;) {
		size_t room = limits->max_head - (size_t)(at - in.p);
		struct http_window w = http_window(at, end, smaller(room, limits->max_header));
		enum http_result r = line_parse(h, &w, refused, max, &at, &blank);
		if (r != HTTP_DONE) {
			p->line = (uint32_t)(w.at - in.p);
			p->count = h->count;
			return r;
		}
	}
	h->size = (size_t)(at - in.p);
	return HTTP_DONE;
}

static enum http_result whole_parse(struct http_parser *p, struct str in, const struct http_limits *limits,
				    const struct http_kind *kind, struct http_head *h)
{
	size_t size = 0;
	*p = (struct http_parser){ 0, 0 };
	enum http_result r = kind->first_line(h, in, smaller(limits->max_line, limits->max_head), &size);
	if (r != HTTP_DONE)
		return r;
	p->line = (uint32_t)size;
	return lines_parse(p, in, limits, kind->refused, h);
}

/* After an error behind the first line: gives that line's fields, for the log. */
static enum http_result first_line_keep(struct str in, const struct http_limits *limits,
					const struct http_kind *kind, struct http_head *h)
{
	unsigned error = h->error;
	const char *why = h->why;
	size_t size;
	head_reset(h);
	(void)kind->first_line(h, in, smaller(limits->max_line, limits->max_head), &size);
	return http_fail(h, error, why);
}

enum http_result http_head_parse(struct http_parser *p, struct str in, const struct http_limits *limits,
				 const struct http_kind *kind, struct http_head *h)
{
	head_reset(h);
	enum http_result r;
	if (p->line == 0) {
		r = whole_parse(p, in, limits, kind, h);
	} else {
		r = lines_parse(p, in, limits, kind->refused, h);
		if (r == HTTP_BAD)
			r = first_line_keep(in, limits, kind, h);
		if (r == HTTP_DONE) {
			head_reset(h);
			r = whole_parse(p, in, limits, kind, h);
		}
	}
	if (r == HTTP_DONE)
		r = kind->finish(h);
	if (r != HTTP_MORE)
		*p = (struct http_parser){ 0, 0 };
	return r;
}
