/*
 * window.h: the arithmetic of limits: counts that slide over sub-buckets, and how long to wait.
 *
 * Pure. The script in redis_script.c counts the same way; one suite of tests holds both to it.
 */
#ifndef WEIR_STORE_WINDOW_H
#define WEIR_STORE_WINDOW_H

#include "store/store_ops.h"

/* The present sub-bucket, and those of which a part may still be within the span. */
enum { WINDOW_COUNTS = STORE_WINDOW_PARTS + 1 };

/* What to tell one who waits for what others hold: nobody knows when they let go. */
#define WAIT_FOR_OTHERS_US INT64_C(1000000)

struct window {
	int64_t head;			/* number of the newest sub-bucket */
	int64_t sum;			/* of the counts */
	int64_t count[WINDOW_COUNTS];	/* the newest first */
};

static inline int64_t window_width_us(int64_t span_s)
{
	return span_s * (INT64_C(1000000) / STORE_WINDOW_PARTS);
}

/* A clock that was set back keeps the counts' ages: nothing is freed, nothing locked for longer than a span. */
void window_advance(struct window *w, int64_t span_s, int64_t now_us);
/* Counts in the newest sub-bucket. */
void window_spend(struct window *w, int64_t amount);
/* Counts what was spent before now, as long as it matters. */
void window_add(struct window *w, int64_t span_s, int64_t at_us, int64_t amount);

/* Until `excess` has slid out; WAIT_FOR_OTHERS_US where the counts are not what is in the way. */
int64_t window_wait(const struct window *w, int64_t span_s, int64_t now_us, int64_t excess);

#endif
