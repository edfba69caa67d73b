/*
 * cascade_counters.h: how often each target of a cascade sufficed, and what that saved.
 */
#ifndef WEIR_TELEMETRY_CASCADE_COUNTERS_H
#define WEIR_TELEMETRY_CASCADE_COUNTERS_H

#include <stdatomic.h>

#include "base/counters.h"
#include "core/cascade.h"
#include "core/snapshot.h"

enum { COMPARE_RESULTS = 5 };
extern const char *const compare_results[COMPARE_RESULTS];

struct cascade_target {
	_Atomic(struct cascade_target *) next;	/* as they were first seen, which is the order of the configuration */
	struct str name;
	struct counter *answered;	/* requests whose answer was this one's */
	struct counter *escalated;	/* answers of it that failed */
};

struct cascade_model {
	struct cascade_model *next;
	struct str name;
	struct counter *failed[CASCADE_CHECKS];
	struct counter *unjudged;	/* answers of smaller targets that were passed on without being looked at */
	struct counter *spent, *large;	/* nano-dollars: on these requests; and what the last target alone would have cost */
	struct counter *compared[COMPARE_RESULTS], *compare_cost;
	_Atomic(struct cascade_target *) targets;
};

/* Every cascade there was; never taken away. */
struct cascade_model *cascade_models(void);

/* Makes the series of every configured cascade, so that they are there at zero. */
void cascade_prepare(const struct snapshot *s);

#endif
