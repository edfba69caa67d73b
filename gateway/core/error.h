/*
 * error.h: every way a request can fail, with its known consequences.
 *
 * One row a kind in error.c: the status, the OpenAI type and code, whether another
 * target may be tried, whose fault it is. Vendors' errors are mapped into these kinds;
 * nobody invents strings. Texts are for people and never hold secrets or vendors' raw text.
 */
#ifndef WEIR_CORE_ERROR_H
#define WEIR_CORE_ERROR_H

#include <stdbool.h>

#include "base/str.h"

enum error_kind {
	ERR_NONE,
	/* the caller's */
	ERR_BAD_REQUEST, ERR_BAD_JSON, ERR_CONTEXT_LENGTH, ERR_CONTENT_POLICY, ERR_NO_KEY, ERR_BAD_KEY,
	ERR_NOT_FOUND, ERR_METHOD, ERR_UNSUPPORTED_MEDIA, ERR_TOO_LARGE, ERR_SLOW_REQUEST, ERR_EXPECTATION,
	ERR_NO_MODEL, ERR_CALLER_GONE,
	/* policy's */
	ERR_MODEL_NOT_ALLOWED, ERR_KEY_RATE_LIMIT, ERR_BUDGET, ERR_COST_CEILING, ERR_PLUGIN,
	/* the providers' */
	ERR_UPSTREAM_REJECTED,	/* a vendor's 4xx about the request itself: passed on with its status */
	ERR_UPSTREAM_RATE_LIMIT, ERR_UPSTREAM_AUTH, ERR_UPSTREAM_BILLING, ERR_UPSTREAM_MODEL_GONE,
	ERR_UPSTREAM_BROKEN, ERR_UPSTREAM_CONNECT, ERR_UPSTREAM_OVERLOADED,
	ERR_UPSTREAM_CHECK,	/* its answer fails what a cascade demands */
	ERR_OVERLOADED,		/* all targets down or full */
	ERR_TIMEOUT,
	/* ours */
	ERR_PLUGIN_FAILED,	/* one that has to see the request came to no verdict on it */
	ERR_MEMORY, ERR_DRAINING, ERR_INTERNAL,
	ERR_KINDS
};

enum error_next {
	NEXT_NONE,		/* no other target is asked */
	NEXT_TARGET,		/* another target may be asked */
	NEXT_BIGGER,		/* only one with more context */
	NEXT_IF_ALLOWED		/* if the model allows it */
};

struct error_row {
	int status;
	const char *type;	/* OpenAI's error.type */
	const char *code;	/* error.code, NULL for null */
	enum error_next next;
	const char *fault;	/* the error_type label of metrics: caller_..., policy_..., provider_..., gateway_... */
};

const struct error_row *error_row(enum error_kind kind);

/* What went wrong with one transaction. Texts live in the transaction's arena. */
struct error {
	enum error_kind kind;
	int status;		/* 0: the row's */
	struct str message;
	struct str param;	/* the field at fault, empty for none */
	struct str code;	/* empty: the row's */
	struct str relay;	/* a whole error body in the caller's own shape, sent instead; usually empty */
	int retry_after_s;	/* 0: none */
	struct str budget_reset;	/* when a spent budget begins anew; empty: not told */
	bool final;		/* x-should-retry: false */
};

static inline int error_status(const struct error *e) { return e->status ? e->status : error_row(e->kind)->status; }

#endif
