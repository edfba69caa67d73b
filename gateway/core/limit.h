/*
 * limit.h: what a key may use and spend, as one immutable snapshot says it.
 *
 * Rules of a key and of its team are reserved together, all or none, within one scope of the
 * store (the team, or the key where there is none).
 */
#ifndef WEIR_CORE_LIMIT_H
#define WEIR_CORE_LIMIT_H

#include "core/calendar.h"

/* Which tokens are counted. */
enum limit_side { LIMIT_BOTH, LIMIT_INPUT, LIMIT_OUTPUT };

/* Requests that a rule is for: all, those for a model, of each end user, with a tag. */
enum limit_per { LIMIT_ALL, LIMIT_MODEL, LIMIT_USER, LIMIT_TAG };

enum limit_unit { LIMIT_REQUESTS, LIMIT_TOKENS, LIMIT_CONCURRENT, LIMIT_USD };

enum { LIMIT_WARNINGS = 4 };

struct limit_rule {
	struct str name;		/* as configured: "requests_per_minute", "50 usd per month" */
	struct str owner;		/* "key web", "team storefront" */
	struct str store_key;
	enum limit_unit unit;
	enum limit_side side;		/* of tokens */
	enum limit_per per;
	struct str match;		/* models and tags: a pattern */
	bool budget;			/* of a calendar period, or rolling over span_s; else a rate, or at a time */
	bool worst_case;		/* budgets: reserve what could be spent at most */
	uint8_t warn_at[LIMIT_WARNINGS];	/* per cent; operators are told */
	unsigned n_warn;
	int64_t most;			/* requests, tokens, nano-dollars */
	int64_t span_s;			/* windows; 0: a budget's calendar period */
	enum period period;		/* budgets */
	const struct zone *zone;
};

struct limit_set {
	struct str scope;
	const struct limit_rule *rules;
	unsigned n;
	bool money;			/* one of them is in dollars */
	bool worst_case;		/* and reserves what could be spent at most */
	bool closed;			/* on_store_failure: closed. Else limits go on in this process's memory */
};

/* What an answer's x-ratelimit headers say; the tightest rule of each unit. */
struct rate_state {
	bool requests_known, tokens_known;
	int64_t requests_limit, requests_left, requests_reset_s;
	int64_t tokens_limit, tokens_left, tokens_reset_s;
};

#endif
