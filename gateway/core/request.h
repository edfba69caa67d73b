/*
 * request.h: what a caller asked, as the pipeline sees it.
 *
 * The edge fills it when the head is complete; all spans point into the transaction's
 * arena. No header of a caller reaches a provider; those weir itself understands are here.
 */
#ifndef WEIR_CORE_REQUEST_H
#define WEIR_CORE_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "core/http.h"

enum request_header {
	RH_ACCEPT, RH_ANTHROPIC_BETA, RH_ANTHROPIC_VERSION, RH_AUTHORIZATION, RH_CACHE_CONTROL, RH_CONTENT_ENCODING, RH_CONTENT_TYPE,
	RH_ORIGIN, RH_REQUEST_METHOD /* access-control-request-method */,
	RH_REQUEST_HEADERS /* access-control-request-headers */,
	RH_STAINLESS_TIMEOUT, RH_USER_AGENT, RH_API_KEY /* x-api-key */, RH_GOOG_API_KEY /* x-goog-api-key */,
	RH_REQUEST_ID /* x-request-id */, RH_WEIR_CACHE, RH_WEIR_FALLBACKS, RH_WEIR_PROVIDER, RH_WEIR_SESSION,
	RH_WEIR_TAGS, RH_WEIR_TIMEOUT_MS,
	REQUEST_HEADERS
};

struct request {
	enum http_method method;
	struct str method_text;
	struct str path;		/* as sent, still percent-encoded, without the query */
	struct str query;		/* without the `?` */
	struct str header[REQUEST_HEADERS];	/* STR_NONE where absent */
	struct str head;		/* all of it, as it came: what has no member here is looked up there */
	struct str peer;		/* the caller's address, for the log */
	bool has_body;
	bool body_length_known;
	uint64_t body_length;
	int64_t began_us;		/* first byte, monotonic */
};

#endif
