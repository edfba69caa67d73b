/*
 * plan.h: the router's answer: which targets, in which order, and why not the others.
 * Pure data in the transaction's arena; nothing is claimed by it.
 */
#ifndef WEIR_CORE_PLAN_H
#define WEIR_CORE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/target.h"

enum { PLAN_MAX = 32 };

struct plan_entry {
	struct target *target;
	const char *excluded;		/* why it is not asked, or NULL */
	enum error_kind excluded_as;	/* the error all-excluded plans answer with */
	bool asked;			/* an attempt was made at it */
	bool full;			/* excluded only until one of its requests ends */
	bool passing;			/* excluded for a moment that is worth waiting for, until back_at_us */
	bool unfit;			/* by what a table or an estimate says; asked after all when nobody else is left */
	int64_t back_at_us;		/* when its breaker lets a trial through; 0: unknown */
	unsigned rung;			/* 0: the model's own, 1...: its fallbacks */
	const struct model *model;	/* of that rung */
	bool preferred;			/* by a plugin */
	unsigned step;			/* of a cascade: 1... from where it begins to its last target; 0: not part of it */
	const struct cascade *cascade;	/* of the model it is part of; NULL */
	double score;			/* the strategy's measure, least first */
	const char *placed;		/* why it stands where it does, beside its score; or NULL */
	/* Expectations; below 0: not known. */
	int64_t input, output;		/* tokens */
	int64_t cost;			/* nano-dollars */
	double time_us;			/* to the answer's end */
};

struct plan {
	const struct model *model;
	struct plan_entry *entries;
	unsigned n;
	bool measured;			/* expectations were worked out */
	uint64_t session;		/* for core/affinity.h; 0: none */
};

#endif
