/*
 * redis_counters.h: what is counted of the shared store.
 */
#ifndef WEIR_STORE_REDIS_COUNTERS_H
#define WEIR_STORE_REDIS_COUNTERS_H

#include "base/counters.h"

enum redis_ended { COUNT_ANSWERED, COUNT_LATE, COUNT_DOWN, COUNT_BROKEN, COUNTED };

struct redis_counters {
	struct counter *ended[COUNTED];		/* calls, as their callers were told */
	struct counter *links_up, *in_flight, *owed, *lost, *otherwise;
};

extern struct redis_counters redis_counters;

void redis_counters_begin(void);	/* before the first store is opened */

#endif
