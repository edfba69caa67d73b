/*
 * redis_owed.h: what was used and spent while Redis was away, summed up by limits and by a day's names, until it can be told.
 *
 * An outage of a minute has tens of thousands of requests, but only as many sums as there are keys and users at work. Only what was
 * never sent is summed up: what may have arrived is told again as it was.
 */
#ifndef WEIR_STORE_REDIS_OWED_H
#define WEIR_STORE_REDIS_OWED_H

#include "base/list.h"
#include "store/store.h"

enum { OWED_PLACES = 1024 };

struct owed_sum {
	struct list link;
	uint64_t hash;
	bool is_tally;
	/* One of them; its strings and amounts are behind this struct. */
	struct store_reservation r;	/* with an id of its own */
	struct store_tally tally;
	struct store_limit *limits;
	int64_t *real;
};

struct owed_sums {
	struct list all;		/* the oldest first */
	unsigned n;
	struct owed_sum *last[OWED_PLACES];	/* that of a hash which was added to last, or NULL */
};

void owed_sums_open(struct owed_sums *o);
/* False: there are STORE_OWED_MAX others, and it is not kept. */
bool owed_sums_settle(struct owed_sums *o, const struct store_reservation *r, const int64_t *real) must_check;
bool owed_sums_tally(struct owed_sums *o, const struct store_tally *t) must_check;
/* The oldest, now the caller's to free(); NULL when there are none. */
struct owed_sum *owed_sums_take(struct owed_sums *o);

#endif
