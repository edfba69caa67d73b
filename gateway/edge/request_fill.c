/*
 * request_fill.c: from a parsed head to the request the pipeline sees: one copy of the
 * bytes, and the spans moved over to it.
 */
#include "edge/request_fill.h"

static const enum http_header_id ids[REQUEST_HEADERS] = {
	[RH_ACCEPT] = HTTP_H_ACCEPT,
	[RH_ANTHROPIC_BETA] = HTTP_H_ANTHROPIC_BETA,
	[RH_ANTHROPIC_VERSION] = HTTP_H_ANTHROPIC_VERSION,
	[RH_AUTHORIZATION] = HTTP_H_AUTHORIZATION,
	[RH_CACHE_CONTROL] = HTTP_H_CACHE_CONTROL,
	[RH_CONTENT_ENCODING] = HTTP_H_CONTENT_ENCODING,
	[RH_CONTENT_TYPE] = HTTP_H_CONTENT_TYPE,
	[RH_ORIGIN] = HTTP_H_ORIGIN,
	[RH_REQUEST_METHOD] = HTTP_H_ACCESS_CONTROL_REQUEST_METHOD,
	[RH_REQUEST_HEADERS] = HTTP_H_ACCESS_CONTROL_REQUEST_HEADERS,
	[RH_STAINLESS_TIMEOUT] = HTTP_H_X_STAINLESS_TIMEOUT,
	[RH_USER_AGENT] = HTTP_H_USER_AGENT,
	[RH_API_KEY] = HTTP_H_X_API_KEY,
	[RH_GOOG_API_KEY] = HTTP_H_X_GOOG_API_KEY,
	[RH_REQUEST_ID] = HTTP_H_X_REQUEST_ID,
	[RH_WEIR_CACHE] = HTTP_H_X_WEIR_CACHE,
	[RH_WEIR_FALLBACKS] = HTTP_H_X_WEIR_FALLBACKS,
	[RH_WEIR_PROVIDER] = HTTP_H_X_WEIR_PROVIDER,
	[RH_WEIR_SESSION] = HTTP_H_X_WEIR_SESSION,
	[RH_WEIR_TAGS] = HTTP_H_X_WEIR_TAGS,
	[RH_WEIR_TIMEOUT_MS] = HTTP_H_X_WEIR_TIMEOUT_MS,
};

static struct str moved(struct str s, struct str from, const char *to)
{
	return s.p >= from.p && s.p <= from.p + from.n ? str_of(to + (s.p - from.p), s.n) : s;
}

void request_fill_nothing(struct txn *t, struct str peer)
{
	t->req = arena_new(&t->arena, struct request);
	t->req->method = HTTP_UNKNOWN;
	t->req->peer = arena_copy(&t->arena, peer);
	t->req->began_us = t->began_us;
}

void request_fill(struct txn *t, const struct http_head *head, struct str raw, struct str peer)
{
	const char *copy = arena_copy(&t->arena, raw).p;
	request_fill_nothing(t, peer);
	struct request *req = t->req;
	req->head = str_of(copy, raw.n);
	req->method = head->method;
	req->method_text = moved(head->method_text, raw, copy);
	req->path = moved(head->path, raw, copy);
	req->query = moved(head->query, raw, copy);
	for (unsigned i = 0; i < REQUEST_HEADERS; i++) {
		struct str value = http_header(head, ids[i]);
		req->header[i] = value.p ? moved(value, raw, copy) : STR_NONE;
	}
	req->has_body = head->body != HTTP_BODY_NONE;
	req->body_length_known = head->body != HTTP_BODY_CHUNKED;
	req->body_length = head->body == HTTP_BODY_LENGTH ? head->length : 0;
}
