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

struct plan_entry {
	struct target *target;
	const char *excluded;		/* why it is not asked, or NULL */
	enum error_kind excluded_as;	/* the error all-excluded plans answer with */
	int64_t back_at_us;		/* when its breaker lets a trial through; 0: unknown */
};

struct plan {
	const struct model *model;
	struct plan_entry *entries;
	unsigned n;
};

#endif
