/*
 * aws_sigv4.h: AWS Signature Version 4 of a request, in its headers.
 *
 * Pure: the time comes as text, the body as its digest. Signed is what is handed in, so the
 * request must go out with just these headers, this path and query, and the headers in `add`.
 * Source: AWS IAM User Guide, "Create a signed AWS API request", read 2026-11; AWS's test suite.
 */
#ifndef WEIR_WIRE_AWS_SIGV4_H
#define WEIR_WIRE_AWS_SIGV4_H

#include <stdbool.h>

#include "base/arena.h"
#include "wire/http_parser.h"

enum {
	SIGV4_CANONICAL_MAX = 1024 * 1024,	/* ceiling of the canonical request */
	SIGV4_PART_MAX = 128 * 1024,		/* of path and query; escaped they take three times that */
	SIGV4_HEADERS_MAX = 4			/* of those to add */
};

struct sigv4_credentials {
	struct str access_key_id, secret_access_key;
	struct str session_token;	/* empty: none */
};

struct sigv4_request {
	struct str method;
	struct str path;		/* as on the request line, percent-encoded once; empty means "/" */
	struct str query;		/* as on the request line, behind the `?`; may be empty */
	/*
	 * Host must be among them. Those that proxies change (Connection, Expect, Transfer-Encoding,
	 * User-Agent, X-Amzn-Trace-Id) are left unsigned, those in `add` are ignored here.
	 */
	const struct http_header *headers;
	size_t header_count;
	struct str body_digest;		/* SHA-256 in lower-case hex, or "UNSIGNED-PAYLOAD" */
	struct str region, service;	/* "us-east-1", "bedrock" */
	struct str time;		/* UTC, "20150830T123600Z" */
	bool path_as_is;		/* S3: the path is neither tidied nor encoded a second time */
	bool path_untidied;		/* keeps empty, `.` and `..` segments, and does encode */
	bool sign_digest;		/* adds X-Amz-Content-Sha256 */
	bool token_unsigned;		/* the token is sent, but is no part of what is signed */
};

/* All in the arena, but the values taken from the request and the credentials. */
struct sigv4_signature {
	struct str canonical_request, string_to_sign;
	struct str signed_headers;	/* "host;x-amz-date" */
	struct str signature;		/* 64 hex digits */
	struct http_header add[SIGV4_HEADERS_MAX];	/* X-Amz-Date, ..., Authorization */
	size_t add_count;
};

/*
 * False when no Host is there, the time is not of that form, or something exceeds its ceiling.
 * The arena's copy of the secret and the keys made of it are wiped.
 */
bool sigv4_sign(struct arena *a, const struct sigv4_request *r, const struct sigv4_credentials *c,
		struct sigv4_signature *out) must_check;

#endif
