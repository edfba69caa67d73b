/*
 * http_names.c: names of headers and methods, and their ids.
 *
 * A length leaves at most seven candidates; each is compared in words of eight bytes.
 */
#include "wire/http_parser.h"

#define N(id, text) [HTTP_H_##id] = STR_INIT(text)

static const struct str header_names[HTTP_HEADER_IDS] = {
	N(ACCEPT, "accept"),
	N(ACCEPT_ENCODING, "accept-encoding"),
	N(ACCESS_CONTROL_REQUEST_HEADERS, "access-control-request-headers"),
	N(ACCESS_CONTROL_REQUEST_METHOD, "access-control-request-method"),
	N(ANTHROPIC_BETA, "anthropic-beta"),
	N(ANTHROPIC_VERSION, "anthropic-version"),
	N(API_KEY, "api-key"),
	N(AUTHORIZATION, "authorization"),
	N(CACHE_CONTROL, "cache-control"),
	N(CONNECTION, "connection"),
	N(CONTENT_ENCODING, "content-encoding"),
	N(CONTENT_LENGTH, "content-length"),
	N(CONTENT_TYPE, "content-type"),
	N(COOKIE, "cookie"),
	N(EXPECT, "expect"),
	N(FORWARDED, "forwarded"),
	N(HOST, "host"),
	N(IDEMPOTENCY_KEY, "idempotency-key"),
	N(IF_NONE_MATCH, "if-none-match"),
	N(LOCATION, "location"),
	N(OPENAI_BETA, "openai-beta"),
	N(OPENAI_ORGANIZATION, "openai-organization"),
	N(OPENAI_PROCESSING_MS, "openai-processing-ms"),
	N(OPENAI_PROJECT, "openai-project"),
	N(ORIGIN, "origin"),
	N(REQUEST_ID, "request-id"),
	N(RETRY_AFTER, "retry-after"),
	N(RETRY_AFTER_MS, "retry-after-ms"),
	N(SERVER, "server"),
	N(TRACEPARENT, "traceparent"),
	N(TRACESTATE, "tracestate"),
	N(TRANSFER_ENCODING, "transfer-encoding"),
	N(UPGRADE, "upgrade"),
	N(USER_AGENT, "user-agent"),
	N(X_API_KEY, "x-api-key"),
	N(X_FORWARDED_FOR, "x-forwarded-for"),
	N(X_GOOG_API_KEY, "x-goog-api-key"),
	N(X_RATELIMIT_LIMIT_REQUESTS, "x-ratelimit-limit-requests"),
	N(X_RATELIMIT_LIMIT_TOKENS, "x-ratelimit-limit-tokens"),
	N(X_RATELIMIT_REMAINING_REQUESTS, "x-ratelimit-remaining-requests"),
	N(X_RATELIMIT_REMAINING_TOKENS, "x-ratelimit-remaining-tokens"),
	N(X_RATELIMIT_RESET_REQUESTS, "x-ratelimit-reset-requests"),
	N(X_RATELIMIT_RESET_TOKENS, "x-ratelimit-reset-tokens"),
	N(X_REAL_IP, "x-real-ip"),
	N(X_REQUEST_ID, "x-request-id"),
	N(X_SHOULD_RETRY, "x-should-retry"),
	N(X_STAINLESS_TIMEOUT, "x-stainless-timeout"),
	N(X_WEIR_CACHE, "x-weir-cache"),
	N(X_WEIR_FALLBACKS, "x-weir-fallbacks"),
	N(X_WEIR_PROVIDER, "x-weir-provider"),
	N(X_WEIR_SESSION, "x-weir-session"),
	N(X_WEIR_TAGS, "x-weir-tags"),
	N(X_WEIR_TIMEOUT_MS, "x-weir-timeout-ms"),
};

_Static_assert(HTTP_HEADER_IDS <= 64, "struct http_head keeps a bit for each id");

struct str http_header_name(enum http_header_id id)
{
	return header_names[id];
}

/*
 * Ignoring case: a byte of a token that is not a letter is equal to a byte of the names
 * above with bit 5 set only if it is that byte itself.
 */
static inline bool word_same(const char *a, const char *b)
{
	uint64_t x, y;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x | UINT64_C(0x2020202020202020)) == y;
}

static inline bool half_same(const char *a, const char *b)
{
	uint32_t x, y;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x | UINT32_C(0x20202020)) == y;
}

/* `name` in lower case; n >= 4. The last word overlaps the one before. */
static inline bool name_same(const char *s, const char *name, size_t n)
{
	if (n < 8)
		return half_same(s, name) && half_same(s + n - 4, name + n - 4);
	for (size_t i = 0; i + 8 < n; i += 8)
		if (!word_same(s + i, name + i))
			return false;
	return word_same(s + n - 8, name + n - 8);
}

enum { CANDIDATES = 8 };

/* By length; HTTP_H_OTHER ends a row. The unit test finds each name through its row. */
static const uint8_t by_length[][CANDIDATES] = {
	[4] = { HTTP_H_HOST },
	[6] = { HTTP_H_ACCEPT, HTTP_H_COOKIE, HTTP_H_ORIGIN, HTTP_H_SERVER, HTTP_H_EXPECT },
	[7] = { HTTP_H_API_KEY, HTTP_H_UPGRADE },
	[8] = { HTTP_H_LOCATION },
	[9] = { HTTP_H_X_API_KEY, HTTP_H_X_REAL_IP, HTTP_H_FORWARDED },
	[10] = { HTTP_H_CONNECTION, HTTP_H_USER_AGENT, HTTP_H_REQUEST_ID, HTTP_H_TRACESTATE },
	[11] = { HTTP_H_TRACEPARENT, HTTP_H_RETRY_AFTER, HTTP_H_X_WEIR_TAGS, HTTP_H_OPENAI_BETA },
	[12] = { HTTP_H_CONTENT_TYPE, HTTP_H_X_REQUEST_ID, HTTP_H_X_WEIR_CACHE },
	[13] = { HTTP_H_AUTHORIZATION, HTTP_H_CACHE_CONTROL, HTTP_H_IF_NONE_MATCH },
	[14] = { HTTP_H_CONTENT_LENGTH, HTTP_H_X_GOOG_API_KEY, HTTP_H_ANTHROPIC_BETA, HTTP_H_OPENAI_PROJECT,
		 HTTP_H_RETRY_AFTER_MS, HTTP_H_X_SHOULD_RETRY, HTTP_H_X_WEIR_SESSION },
	[15] = { HTTP_H_ACCEPT_ENCODING, HTTP_H_X_FORWARDED_FOR, HTTP_H_IDEMPOTENCY_KEY,
		 HTTP_H_X_WEIR_PROVIDER },
	[16] = { HTTP_H_CONTENT_ENCODING, HTTP_H_X_WEIR_FALLBACKS },
	[17] = { HTTP_H_TRANSFER_ENCODING, HTTP_H_ANTHROPIC_VERSION, HTTP_H_X_WEIR_TIMEOUT_MS },
	[19] = { HTTP_H_X_STAINLESS_TIMEOUT, HTTP_H_OPENAI_ORGANIZATION },
	[20] = { HTTP_H_OPENAI_PROCESSING_MS },
	[24] = { HTTP_H_X_RATELIMIT_LIMIT_TOKENS, HTTP_H_X_RATELIMIT_RESET_TOKENS },
	[26] = { HTTP_H_X_RATELIMIT_LIMIT_REQUESTS, HTTP_H_X_RATELIMIT_RESET_REQUESTS },
	[28] = { HTTP_H_X_RATELIMIT_REMAINING_TOKENS },
	[29] = { HTTP_H_ACCESS_CONTROL_REQUEST_METHOD },
	[30] = { HTTP_H_ACCESS_CONTROL_REQUEST_HEADERS, HTTP_H_X_RATELIMIT_REMAINING_REQUESTS }
};

enum http_header_id http_header_id(struct str name)
{
	if (name.n >= array_len(by_length))
		return HTTP_H_OTHER;
	const uint8_t *row = by_length[name.n];
	unsigned i = 0;
	while (row[i] && !name_same(name.p, header_names[row[i]].p, name.n))
		i++;
	return (enum http_header_id)row[i];
}

struct str http_header_find(const struct http_head *h, struct str name)
{
	for (unsigned i = 0; i < h->count; i++)
		if (str_ieq(h->headers[i].name, name))
			return h->headers[i].value;
	return STR_NONE;
}

static const struct str method_names[] = {
	[HTTP_GET] = STR_INIT("GET"),
	[HTTP_HEAD] = STR_INIT("HEAD"),
	[HTTP_POST] = STR_INIT("POST"),
	[HTTP_PUT] = STR_INIT("PUT"),
	[HTTP_DELETE] = STR_INIT("DELETE"),
	[HTTP_PATCH] = STR_INIT("PATCH"),
	[HTTP_OPTIONS] = STR_INIT("OPTIONS"),
	[HTTP_TRACE] = STR_INIT("TRACE"),
	[HTTP_CONNECT] = STR_INIT("CONNECT"),
	[HTTP_UNKNOWN] = STR_INIT("")
};

enum http_method http_method_of(struct str name)
{
	if (str_eq(name, STR("POST")))		/* nearly every request */
		return HTTP_POST;
	unsigned m = 0;
	while (m < HTTP_UNKNOWN && !str_eq(name, method_names[m]))
		m++;
	return (enum http_method)m;
}

struct str http_method_name(enum http_method m)
{
	return method_names[m];
}
