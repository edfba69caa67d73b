/*
 * expect.h: what a request will probably be at each target: tokens, money, time.
 */
#ifndef WEIR_ROUTING_EXPECT_H
#define WEIR_ROUTING_EXPECT_H

#include "core/plan.h"
#include "core/prompt.h"

struct live_target;

struct expect_view {
	const struct prompt *prompt;
	int64_t max_output;		/* tokens the caller allows; 0: not said */
	int service;			/* enum service_tier */
	struct live_target *home;	/* where the session's prompt may be cached */
};

/* Fills in input, output, cost and time of all `n` entries. */
void expect(const struct expect_view *v, struct plan_entry *entries, unsigned n);

#endif
