/*
 * http_request.c: request lines, and what makes a request's framing certain.
 *
 * A path is refused when decoding it could climb (`.` and `..` segments in any spelling)
 * or end a string (%00); an encoded slash is data, as in model ids, and stays encoded.
 */
#include "wire/http_head.h"
#include "wire/http_lex.h"

enum { METHOD_MAX = 32 };

static enum http_result bad(struct http_head *h, const char *why)
{
	return http_fail(h, 400, why);
}

/* Length of one byte of a target as sent, `%2e` decoded to `.` and so on; 0 for a bad escape. */
static size_t escaped_byte(struct str s, char *out)
{
	*out = s.p[0];
	if (*out != '%')
		return 1;
	if (s.n < 3 || !lex_is(s.p[1], LEX_HEX) || !lex_is(s.p[2], LEX_HEX))
		return 0;
	*out = (char)(lex_hex(s.p[1]) << 4 | lex_hex(s.p[2]));
	return 3;
}

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

/* `dots` counts a segment made of dots alone; -1 when it holds anything else. */
static bool is_dot_segment(int dots)
{
	return dots == 1 || dots == 2;
}

/* A path with dots at a segment's start or with escapes: read it decoded, encoded slashes as slashes. */
static const char *path_judge_slowly(struct str path)
{
	int dots = 0;
	while (path.n) {
		char c;
		size_t n = escaped_byte(path, &c);
		if (n == 0)
			return "bad percent-escape in the path";
		if (is_control(c))
			return "escaped control byte in the path";
		path = str_skip(path, n);
		if (c == '/' || c == '\\') {
			if (is_dot_segment(dots))
				return "dot segment in the path";
			dots = 0;
		} else {
			dots = c == '.' && dots >= 0 ? dots + 1 : -1;
		}
	}
	return is_dot_segment(dots) ? "dot segment in the path" : NULL;
}

/* NULL when the path is good. It begins with a slash. */
static const char *path_judge(struct str path)
{
	bool odd = false;
	char before = 0;
	for (size_t i = 0; i < path.n; i++) {
		char c = path.p[i];
		if (!lex_is(c, LEX_PATH))
			return c == '#' ? "fragment in the target" : "byte that a path must not hold";
		odd |= c == '%' || (c == '.' && before == '/');
		before = c;
	}
	if (path.n > 1 && path.p[1] == '/')
		return "path begins with two slashes; does the base URL end in one?";
	return odd ? path_judge_slowly(path) : NULL;
}

static const char *query_judge(struct str query)
{
	while (query.n) {
		char c;
		size_t n = escaped_byte(query, &c);
		if (query.p[0] == '#')
			return "fragment in the target";
		if (n == 0)
			return "bad percent-escape in the query";
		if (c == 0)
			return "escaped NUL in the query";
		query = str_skip(query, n);
	}
	return NULL;
}

/* http://authority[/path][?query]: leaves the part behind the authority in `*rest`. */
static bool absolute_parse(struct http_head *h, struct str *rest)
{
	size_t scheme = str_istarts(*rest, STR("http://")) ? 7 : str_istarts(*rest, STR("https://")) ? 8 : 0;
	if (scheme == 0)
		return false;
	struct str s = str_skip(*rest, scheme);
	size_t n = 0;
	while (n < s.n && s.p[n] != '/' && s.p[n] != '?' && s.p[n] != '#')
		n++;
	struct lex_authority a;
	h->authority = str_head(s, n);
	h->absolute = true;
	*rest = str_skip(s, n);
	return lex_authority(h->authority, &a);
}

static enum http_result target_parse(struct http_head *h)
{
	struct str rest = h->target;
	if (h->method == HTTP_OPTIONS && str_eq(rest, STR("*"))) {
		h->path = rest;
		return HTTP_DONE;
	}
	if (h->method == HTTP_CONNECT)
		return http_fail(h, 405, "CONNECT");
	if (str_empty(rest) || (rest.p[0] != '/' && !absolute_parse(h, &rest)))
		return bad(h, "target is neither a path nor a web address");
	ptrdiff_t mark = str_chr(rest, '?');
	h->path = mark < 0 ? rest : str_head(rest, (size_t)mark);
	h->query = mark < 0 ? STR_NONE : str_skip(rest, (size_t)mark + 1);
	const char *why = path_judge(h->path);
	if (str_empty(h->path))
		h->path = STR("/");
	if (!why)
		why = query_judge(h->query);
	return why ? bad(h, why) : HTTP_DONE;
}

static enum http_result version_parse(struct http_head *h, struct str v)
{
	if (str_eq(v, STR("HTTP/1.1")) || str_eq(v, STR("HTTP/1.0"))) {
		h->minor = v.p[7] == '1';
		return HTTP_DONE;
	}
	if (v.n == 8 && str_starts(v, STR("HTTP/")) && lex_is(v.p[5], LEX_DIGIT) && v.p[6] == '.' &&
	    lex_is(v.p[7], LEX_DIGIT))
		return http_fail(h, 505, "HTTP version not supported");
	return bad(h, "malformed HTTP version");
}

/* The method and the space behind it. */
static enum http_result method_parse(struct http_head *h, const struct http_window *w)
{
	struct http_window m = http_window(w->at, w->stop, METHOD_MAX + 1);
	const char *p = lex_skip_token(m.at, m.stop);
	if (p == m.stop) {
		if (m.capped)
			return bad(h, "method too long");
		return http_cut(h, w, 414, "request line too long");
	}
	if (*p != ' ' || p == w->at)
		return bad(h, "not an HTTP request");
	h->method_text = str_of(w->at, (size_t)(p - w->at));
	h->method = http_method_of(h->method_text);
	if (h->method == HTTP_UNKNOWN && str_eq(h->method_text, STR("PRI")))
		return bad(h, "HTTP/2 without being asked");
	return HTTP_DONE;
}

/* The bytes of target and version; what they say is judged once the line is complete. */
static enum http_result line_split(struct http_head *h, const struct http_window *w, const char *p,
				   struct str *version, const char **next)
{
	const char *end = lex_skip_visible(p, w->stop);
	if (end == w->stop)
		return http_cut(h, w, 414, "request line too long");
	if (*end != ' ' || end == p)
		return bad(h, "malformed request line");
	h->target = str_of(p, (size_t)(end - p));
	p = end + 1;
	end = lex_skip_visible(p, w->stop);
	if (end == w->stop || (*end == '\r' && end + 1 == w->stop))
		return http_cut(h, w, 414, "request line too long");
	if (*end != '\r' || end[1] != '\n')
		return bad(h, *end == '\n' ? "bare line feed" : "malformed request line");
	*version = str_of(p, (size_t)(end - p));
	*next = end + 2;
	return HTTP_DONE;
}

/* RFC 9112 2.2: one empty line before a request is passed over; some clients end a body with it. */
static enum http_result empty_line_skip(struct http_head *h, struct str in, size_t *skip)
{
	*skip = 0;
	if (in.n == 0)
		return HTTP_MORE;
	if (in.p[0] != '\r')
		return HTTP_DONE;
	*skip = 2;
	if (in.n == 1)
		return HTTP_MORE;
	return in.p[1] == '\n' ? HTTP_DONE : bad(h, "bare carriage return");
}

static enum http_result request_line(struct http_head *h, struct str in, size_t limit, size_t *size)
{
	size_t skip;
	enum http_result r = empty_line_skip(h, in, &skip);
	if (r != HTTP_DONE)
		return r;
	struct http_window w = http_window(in.p + skip, in.p + in.n, limit - skip);
	r = method_parse(h, &w);
	if (r != HTTP_DONE)
		return r;
	struct str version = STR_NONE;
	const char *next = NULL;
	r = line_split(h, &w, w.at + h->method_text.n + 1, &version, &next);
	if (r != HTTP_DONE)
		return r;
	*size = (size_t)(next - in.p);
	r = version_parse(h, version);
	return r == HTTP_DONE ? target_parse(h) : r;
}

#define BIT(id) (UINT64_C(1) << HTTP_H_##id)

/* Headers of which a second one would let two readers disagree. */
static const uint64_t single = BIT(HOST) | BIT(CONTENT_LENGTH) | BIT(TRANSFER_ENCODING) | BIT(AUTHORIZATION) |
	BIT(CONTENT_TYPE) | BIT(CONTENT_ENCODING) | BIT(X_API_KEY) | BIT(X_GOOG_API_KEY) | BIT(API_KEY) |
	BIT(EXPECT) | BIT(ORIGIN);

static enum http_result host_judge(struct http_head *h)
{
	struct lex_authority a;
	if (!http_header_has(h, HTTP_H_HOST))
		return h->minor == 0 ? HTTP_DONE : bad(h, "no Host");
	return lex_authority(http_header(h, HTTP_H_HOST), &a) ? HTTP_DONE : bad(h, "malformed Host");
}

static enum http_result coding_judge(struct http_head *h)
{
	struct str coding = http_header(h, HTTP_H_TRANSFER_ENCODING);
	if (http_header_has(h, HTTP_H_CONTENT_LENGTH))
		return bad(h, "both Content-Length and Transfer-Encoding");
	if (h->minor == 0)
		return bad(h, "Transfer-Encoding in HTTP/1.0");
	if (str_ieq(coding, STR("chunked"))) {
		h->body = HTTP_BODY_CHUNKED;
		return HTTP_DONE;
	}
	if (coding.n && lex_all(coding, LEX_TOKEN))
		return http_fail(h, 501, "unknown transfer coding");
	return bad(h, "malformed Transfer-Encoding");
}

static enum http_result length_judge(struct http_head *h)
{
	if (!http_length(http_header(h, HTTP_H_CONTENT_LENGTH), &h->length))
		return bad(h, "malformed Content-Length");
	if (h->length > INT64_MAX)
		return http_fail(h, 413, "Content-Length beyond all bounds");
	h->body = h->length ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
	return HTTP_DONE;
}

static enum http_result expect_judge(struct http_head *h)
{
	if (h->minor == 0)
		return HTTP_DONE;	/* RFC 9110 10.1.1: HTTP/1.0 cannot mean it */
	if (!str_ieq(http_header(h, HTTP_H_EXPECT), STR("100-continue")))
		return http_fail(h, 417, "unknown expectation");
	h->expect_continue = h->body != HTTP_BODY_NONE;
	return HTTP_DONE;
}

static enum http_result request_finish(struct http_head *h)
{
	if (h->twice & single)
		return bad(h, "header that must be single is repeated");
	enum http_result r = host_judge(h);
	if (r == HTTP_DONE && http_header_has(h, HTTP_H_TRANSFER_ENCODING))
		r = coding_judge(h);
	else if (r == HTTP_DONE && http_header_has(h, HTTP_H_CONTENT_LENGTH))
		r = length_judge(h);
	if (r == HTTP_DONE && http_header_has(h, HTTP_H_EXPECT))
		r = expect_judge(h);
	h->keep_alive = !h->close_asked && (h->minor == 1 || h->keep_asked);
	h->upgrade = http_header_has(h, HTTP_H_UPGRADE);
	return r;
}

enum http_result http_request_parse(struct http_parser *p, struct str in, const struct http_limits *limits,
				    struct http_head *head)
{
	static const struct http_kind request = { request_line, request_finish, 400 };
	head->method = HTTP_UNKNOWN;
	return http_head_parse(p, in, limits, &request, head);
}
