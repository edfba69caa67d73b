/*
 * counters_state.h: what counters.c keeps and counters_render.c shows. For these two alone.
 */
#ifndef WEIR_BASE_COUNTERS_STATE_H
#define WEIR_BASE_COUNTERS_STATE_H

#include "base/counters.h"

enum { COUNTER_TABLE = 128 };

struct counter {
	struct counter *next;		/* of the family, in the order they were made */
	struct counter *same_hash;
	const struct counter_family *family;
	const uint64_t *bounds;
	unsigned n_bounds;
	uint32_t at;			/* its first cell */
	struct str labels;		/* rendered, without braces */
};

struct counter_state {
	struct counter_family *next_family;
	struct counter *first, **end;
	struct counter *table[COUNTER_TABLE];
	unsigned n;
};

/* All families in use. Guarded, like the lists above, by the lock. */
extern struct counter_family *counters_families;
void counters_lock(void);
void counters_unlock(void);

/* Cell i of a series summed over all threads; under the lock. */
int64_t counter_cell(const struct counter *c, unsigned i);

#endif
