/*
 * cascade.h: how a model's smaller targets are asked first, and what their answers must be.
 */
#ifndef WEIR_CORE_CASCADE_H
#define WEIR_CORE_CASCADE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct pattern;
struct plugin_use;

/* What an answer can fail, in the order it is looked at. */
enum cascade_check {
	CHECK_FINISH,		/* it ended as answers end */
	CHECK_REFUSAL,		/* it does not begin by refusing */
	CHECK_LENGTH,
	CHECK_JSON,		/* it is JSON, where that is wanted */
	CHECK_SCHEMA,		/* and keeps to its schema */
	CHECK_TOOLS,		/* tools that exist are called, with arguments that keep to their schema */
	CHECK_MATCH,		/* all these patterns are found in it */
	CHECK_DENY,		/* none of those is */
	CHECK_RULES,		/* no rule of a file rejects it */
	CHECK_CONFIDENCE,	/* its tokens were probable, as far as the vendor says */
	CASCADE_CHECKS
};

enum when_json { WHEN_NEVER, WHEN_ASKED, WHEN_ALWAYS };

struct cascade_checks {
	bool finish, refusals, tools;
	int json;			/* enum when_json: is the answer to be JSON? */
	int64_t min_length, max_length;	/* bytes of text; 0: no limit */
	struct str schema;		/* JSON; empty: the caller's own, where it gives one */
	struct pattern *const *match, *const *deny;
	unsigned n_match, n_deny;
	const struct plugin_use *rules;	/* NULL: none */
	bool (*rules_pass)(const struct plugin_use *u, struct str text);
	int confidence;			/* per cent; 0: not looked at */
};

struct cascade {
	struct cascade_checks checks;
	uint64_t window;		/* bytes of a stream that are held and judged; what comes later is not */
	int64_t window_us;		/* and how long, from the first content */
	int compare;			/* per cent of requests whose small answer is compared with the large target's */
	/* Requests with more than this begin at the last target. 0: no limit. */
	int64_t tokens;
	int tools, images;
	bool code;			/* and those with code in them */
};

/* Its word in metrics, logs and configurations. */
static inline const char *cascade_check_name(enum cascade_check c)
{
	static const char *const names[] = { "finish", "refusals", "length", "json", "schema", "tools", "match", "deny", "rules", "confidence" };
	return c < CASCADE_CHECKS ? names[c] : "none";
}

#endif
