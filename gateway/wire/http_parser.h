/*
 * http_parser.h: strict HTTP/1.1 message heads, requests and responses, pure.
 *
 * A head is parsed in place from one contiguous buffer: every span of the result points
 * into it (or at a constant) and lives as long as it. What is odd is refused, not
 * repaired, since two readers who repair differently are how requests are smuggled.
 * The parser keeps no clock, no globals and no memory but struct http_parser.
 *
 * Cut anywhere, a head gives the same answer as in one piece: an error is found at the
 * first byte that makes it one, and needs nothing behind it. So non-HTTP bytes are
 * refused when they arrive, not when a deadline ends.
 *
 * Bodies are left to the caller, with wire/chunked.h for the chunked ones; trailers are
 * dropped there. Which host, path or method is served is not judged here.
 */
#ifndef WEIR_WIRE_HTTP_PARSER_H
#define WEIR_WIRE_HTTP_PARSER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "core/http.h"

enum http_result {
	HTTP_MORE,	/* fine so far, incomplete */
	HTTP_DONE,
	HTTP_BAD	/* refused; the connection must not be used any further */
};

/* Headers somebody here asks for; found by id without a search. */
enum http_header_id {
	HTTP_H_OTHER,
	HTTP_H_ACCEPT, HTTP_H_ACCEPT_ENCODING, HTTP_H_ACCESS_CONTROL_REQUEST_HEADERS,
	HTTP_H_ACCESS_CONTROL_REQUEST_METHOD, HTTP_H_ANTHROPIC_BETA, HTTP_H_ANTHROPIC_VERSION,
	HTTP_H_API_KEY, HTTP_H_AUTHORIZATION, HTTP_H_CACHE_CONTROL, HTTP_H_CONNECTION,
	HTTP_H_CONTENT_ENCODING, HTTP_H_CONTENT_LENGTH, HTTP_H_CONTENT_TYPE, HTTP_H_COOKIE, HTTP_H_EXPECT,
	HTTP_H_FORWARDED, HTTP_H_HOST, HTTP_H_IDEMPOTENCY_KEY, HTTP_H_IF_NONE_MATCH, HTTP_H_LOCATION,
	HTTP_H_OPENAI_BETA, HTTP_H_OPENAI_ORGANIZATION, HTTP_H_OPENAI_PROCESSING_MS, HTTP_H_OPENAI_PROJECT,
	HTTP_H_ORIGIN, HTTP_H_REQUEST_ID, HTTP_H_RETRY_AFTER, HTTP_H_RETRY_AFTER_MS, HTTP_H_SERVER,
	HTTP_H_TRACEPARENT, HTTP_H_TRACESTATE, HTTP_H_TRANSFER_ENCODING, HTTP_H_UPGRADE, HTTP_H_USER_AGENT,
	HTTP_H_X_API_KEY, HTTP_H_X_FORWARDED_FOR, HTTP_H_X_GOOG_API_KEY, HTTP_H_X_RATELIMIT_LIMIT_REQUESTS,
	HTTP_H_X_RATELIMIT_LIMIT_TOKENS, HTTP_H_X_RATELIMIT_REMAINING_REQUESTS,
	HTTP_H_X_RATELIMIT_REMAINING_TOKENS, HTTP_H_X_RATELIMIT_RESET_REQUESTS,
	HTTP_H_X_RATELIMIT_RESET_TOKENS, HTTP_H_X_REAL_IP, HTTP_H_X_REQUEST_ID, HTTP_H_X_SHOULD_RETRY,
	HTTP_H_X_STAINLESS_TIMEOUT, HTTP_H_X_WEIR_CACHE, HTTP_H_X_WEIR_FALLBACKS, HTTP_H_X_WEIR_PROVIDER,
	HTTP_H_X_WEIR_SESSION, HTTP_H_X_WEIR_TAGS, HTTP_H_X_WEIR_TIMEOUT_MS,
	HTTP_HEADER_IDS
};

enum http_body {
	HTTP_BODY_NONE,		/* also for a length of 0 */
	HTTP_BODY_LENGTH,	/* head->length bytes, at least 1 */
	HTTP_BODY_CHUNKED,
	HTTP_BODY_UNTIL_CLOSE	/* responses only */
};

enum { HTTP_HEADERS_MAX = 100, HTTP_NAME_MAX = 256 };

struct http_limits {
	uint32_t max_line;	/* first line with its CRLF: beyond 414 */
	uint32_t max_head;	/* the whole head: beyond 431 */
	uint32_t max_header;	/* one header line with its CRLF: beyond 431 */
	uint32_t max_headers;	/* at most HTTP_HEADERS_MAX: beyond 431 */
};

extern const struct http_limits http_request_limits;	/* 8 KiB, 32 KiB, 16 KiB, 100 */
extern const struct http_limits http_response_limits;	/* 8 KiB, 64 KiB, 16 KiB, 100 */

struct http_header {
	struct str name, value;		/* name as sent; value without the blanks around it */
};

/*
 * About 3.4 KiB: keep one per thread, not one per connection, and copy out what must
 * outlive the buffer. On HTTP_BAD `error` and `why` are set, the first line's fields too
 * if that line was good, and nothing else.
 */
struct http_head {
	enum http_method method;	/* of a response: what the caller passed in */
	struct str method_text;
	struct str target;		/* requests: as sent */
	struct str path;		/* begins with `/`, still percent-encoded; "*" for OPTIONS * */
	struct str query;		/* behind the `?`; STR_NONE without one */
	struct str authority;		/* of an absolute-form target, which overrides Host; else STR_NONE */
	bool absolute;			/* the target was http(s)://authority/path */
	unsigned minor;			/* HTTP/1.minor: 0 or 1 */
	unsigned status;		/* responses: 100 to 999 */
	struct str reason;		/* responses: may be empty */

	enum http_body body;
	uint64_t length;
	bool keep_alive;		/* as far as the peer is concerned */
	bool expect_continue;		/* a body is announced and waits for 100 Continue */
	bool upgrade;			/* asks for another protocol, may be ignored; or is a 101 */

	unsigned error;			/* requests: status to answer; responses: 431 too large, else 502 */
	const char *why;		/* constant text for the log */

	size_t size;			/* of the head with its blank line: the body begins there */
	unsigned count;
	uint64_t seen, twice;		/* bits of enum http_header_id */
	bool close_asked, keep_asked;	/* tokens of Connection */
	uint8_t first[HTTP_HEADER_IDS];	/* index of the first header of that id; see `seen` */
	struct http_header headers[HTTP_HEADERS_MAX];
};

/* How far a head has been looked at. Zero before each message; zero again after DONE or BAD. */
struct http_parser {
	uint32_t line;		/* offset of the first header line not yet found complete */
	uint32_t count;		/* headers before it */
};

/*
 * Parses the head at the start of `in`. On HTTP_MORE call again with the same bytes
 * (they may have moved) and more behind them: complete lines are not looked at again
 * until the head is whole, then all spans are taken in one further pass. One empty line
 * before a request is skipped.
 */
enum http_result http_request_parse(struct http_parser *p, struct str in, const struct http_limits *limits,
				    struct http_head *head) must_check;

/*
 * `method` is what was asked: the answer to HEAD has no body. Interim (1xx) heads are
 * heads of their own with no body: skip them and parse on; 101 is never asked for.
 */
enum http_result http_response_parse(struct http_parser *p, struct str in, const struct http_limits *limits,
				     enum http_method method, struct http_head *head) must_check;

/* The value of a header; STR_NONE when absent, the first one when repeated (see http_header_twice). */
static inline struct str http_header(const struct http_head *h, enum http_header_id id)
{
	return h->seen >> id & 1 ? h->headers[h->first[id]].value : STR_NONE;
}

static inline bool http_header_has(const struct http_head *h, enum http_header_id id)
{
	return h->seen >> id & 1;
}

static inline bool http_header_twice(const struct http_head *h, enum http_header_id id)
{
	return h->twice >> id & 1;
}

/* By name, ignoring case, with a search: for names that have no id. STR_NONE when absent. */
struct str http_header_find(const struct http_head *h, struct str name);

/* HTTP_H_OTHER when the name has no id. The name must be a token; case is ignored. */
enum http_header_id http_header_id(struct str name);
struct str http_header_name(enum http_header_id id);	/* in lower case */

/* HTTP_UNKNOWN for others; methods are case-sensitive. */
enum http_method http_method_of(struct str name);
struct str http_method_name(enum http_method m);	/* "" for HTTP_UNKNOWN */

#endif
