/*
 * http_write.c: heads and chunk framing.
 */
#include "wire/http_write.h"

#include "wire/http_lex.h"
#include "wire/http_parser.h"

static const struct {
	unsigned status;
	struct str phrase;
} reasons[] = {
	{ 200, STR_INIT("OK") },
	{ 100, STR_INIT("Continue") },
	{ 101, STR_INIT("Switching Protocols") },
	{ 201, STR_INIT("Created") },
	{ 202, STR_INIT("Accepted") },
	{ 204, STR_INIT("No Content") },
	{ 206, STR_INIT("Partial Content") },
	{ 301, STR_INIT("Moved Permanently") },
	{ 302, STR_INIT("Found") },
	{ 303, STR_INIT("See Other") },
	{ 304, STR_INIT("Not Modified") },
	{ 307, STR_INIT("Temporary Redirect") },
	{ 308, STR_INIT("Permanent Redirect") },
	{ 400, STR_INIT("Bad Request") },
	{ 401, STR_INIT("Unauthorized") },
	{ 402, STR_INIT("Payment Required") },
	{ 403, STR_INIT("Forbidden") },
	{ 404, STR_INIT("Not Found") },
	{ 405, STR_INIT("Method Not Allowed") },
	{ 406, STR_INIT("Not Acceptable") },
	{ 408, STR_INIT("Request Timeout") },
	{ 409, STR_INIT("Conflict") },
	{ 410, STR_INIT("Gone") },
	{ 411, STR_INIT("Length Required") },
	{ 412, STR_INIT("Precondition Failed") },
	{ 413, STR_INIT("Content Too Large") },
	{ 414, STR_INIT("URI Too Long") },
	{ 415, STR_INIT("Unsupported Media Type") },
	{ 416, STR_INIT("Range Not Satisfiable") },
	{ 417, STR_INIT("Expectation Failed") },
	{ 421, STR_INIT("Misdirected Request") },
	{ 422, STR_INIT("Unprocessable Content") },
	{ 424, STR_INIT("Failed Dependency") },
	{ 425, STR_INIT("Too Early") },
	{ 426, STR_INIT("Upgrade Required") },
	{ 428, STR_INIT("Precondition Required") },
	{ 429, STR_INIT("Too Many Requests") },
	{ 431, STR_INIT("Request Header Fields Too Large") },
	{ 451, STR_INIT("Unavailable For Legal Reasons") },
	{ 499, STR_INIT("Client Closed Request") },
	{ 500, STR_INIT("Internal Server Error") },
	{ 501, STR_INIT("Not Implemented") },
	{ 502, STR_INIT("Bad Gateway") },
	{ 503, STR_INIT("Service Unavailable") },
	{ 504, STR_INIT("Gateway Timeout") },
	{ 505, STR_INIT("HTTP Version Not Supported") },
	{ 529, STR_INIT("Overloaded") }
};

struct str http_reason(unsigned status)
{
	for (size_t i = 0; i < array_len(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].phrase;
	return STR("");
}

static bool refuse(struct buf *b)
{
	b->failed = true;
	return false;
}

/* Behind a buf_reserve() that covers it. */
static void put(struct buf *b, struct str s)
{
	if (s.n)
		memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
}

bool http_put_status(struct buf *b, unsigned status)
{
	if (status < 100 || status > 999)
		return refuse(b);
	char digits[4] = {
		(char)('0' + status / 100), (char)('0' + status / 10 % 10), (char)('0' + status % 10), ' '
	};
	struct str reason = http_reason(status);
	if (!buf_reserve(b, 9 + sizeof(digits) + reason.n + 2))
		return false;
	put(b, STR("HTTP/1.1 "));
	put(b, str_of(digits, sizeof(digits)));
	put(b, reason);
	put(b, STR("\r\n"));
	return true;
}

static bool is_visible(struct str s)
{
	return s.n == 0 || lex_skip_visible(s.p, s.p + s.n) == s.p + s.n;
}

bool http_put_request(struct buf *b, enum http_method m, struct str prefix, struct str path,
		      struct str query)
{
	struct str name = http_method_name(m), begin = str_empty(prefix) ? path : prefix;
	if (str_empty(name) || !str_starts(begin, STR("/")) || !is_visible(prefix) || !is_visible(path) ||
	    !is_visible(query))
		return refuse(b);
	if (!buf_reserve(b, name.n + 1 + prefix.n + path.n + 1 + query.n + 11))
		return false;
	put(b, name);
	put(b, STR(" "));
	put(b, prefix);
	put(b, path);
	if (query.n)
		put(b, STR("?"));
	put(b, query);
	put(b, STR(" HTTP/1.1\r\n"));
	return true;
}

bool http_header_fits(struct str name, struct str value)
{
	return name.n && lex_skip_token(name.p, name.p + name.n) == name.p + name.n &&
		(value.n == 0 || lex_skip_text(value.p, value.p + value.n) == value.p + value.n);
}

bool http_put_header(struct buf *b, struct str name, struct str value)
{
	return http_header_fits(name, value) ? http_put_own(b, name, value) : refuse(b);
}

bool http_put_own(struct buf *b, struct str name, struct str value)
{
	if (!buf_reserve(b, name.n + 2 + value.n + 2))
		return false;
	put(b, name);
	put(b, STR(": "));
	put(b, value);
	put(b, STR("\r\n"));
	return true;
}

bool http_put_header_u64(struct buf *b, struct str name, uint64_t value)
{
	char room[STR_DIGITS];
	return http_put_own(b, name, str_digits(room, value));
}

bool http_put_end(struct buf *b)
{
	return buf_add(b, STR("\r\n"));
}

size_t http_chunk_prefix(char out[HTTP_CHUNK_PREFIX_MAX], size_t n)
{
	unsigned digits = 1;
	for (size_t rest = n >> 4; rest; rest >>= 4)
		digits++;
	for (unsigned i = digits; i-- > 0; n >>= 4)
		out[i] = "0123456789abcdef"[n & 15];
	out[digits] = '\r';
	out[digits + 1] = '\n';
	return digits + 2;
}
