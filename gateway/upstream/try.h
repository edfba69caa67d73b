/*
 * try.h: an attempt, and what it holds of live state while it runs: half-open trials, a place at the target.
 */
#ifndef WEIR_UPSTREAM_TRY_H
#define WEIR_UPSTREAM_TRY_H

#include "core/plan.h"
#include "upstream/attempt.h"

struct forward;

struct try {
	struct list link;		/* in the thread's pool, for second ones */
	struct attempt attempt;
	struct forward *f;
	struct plan_entry *entry;	/* being asked; NULL once the plan is gone */
	unsigned credentials_tried;	/* bits of the provider's list */
	int credential;			/* index in it, -1: none */
	bool trials[BREAKER_CLASSES];	/* half-open trials it holds */
	bool credential_trials[BREAKER_CLASSES];
	struct live_target *place;	/* where it has a place, claimed or under way; NULL: none */
	bool running;
};

/* Sends the request to `entry` with the credential that was chosen. The place is claimed already. */
void try_start(struct try *y, const struct timeouts *limits);

/* The attempt is over: gives back trials (as successes, or as neither) and the place. */
void try_let_go(struct try *y, bool success);

/* Ends it without an outcome, charged with what it may have cost. */
void try_cancel(struct try *y);

#endif
