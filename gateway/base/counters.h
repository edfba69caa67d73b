/*
 * counters.h: numbers that many threads count and one renders.
 *
 * A family is declared once, with its labels' names; a series (a family with label
 * values) is found or made once, off the hot path, and kept as a pointer by whoever
 * counts: an alias, a target, an endpoint. Adding is one relaxed add in the calling
 * thread's own page, so no cache line is shared; rendering sums the pages.
 *
 * Series live as long as the process. A family holds at most COUNTER_SERIES_MAX; what
 * comes beyond it is counted under the family's overflow series (label values "other")
 * and in weir_series_dropped_total. So label values never come from callers' text.
 */
#ifndef WEIR_BASE_COUNTERS_H
#define WEIR_BASE_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum { COUNTER_SERIES_MAX = 2000, COUNTER_LABELS_MAX = 5, COUNTER_BUCKETS_MAX = 20 };

enum counter_kind { COUNTER_SUM, COUNTER_GAUGE, COUNTER_HISTOGRAM };

struct counter_family {
	const char *name;		/* weir_..., Prometheus naming */
	const char *help;
	enum counter_kind kind;
	double scale;			/* stored integers times this are shown; 1e-6 shows microseconds as seconds */
	const char *labels[COUNTER_LABELS_MAX + 1];	/* NULL-terminated */
	const uint64_t *bounds;		/* histogram: upper bounds in stored units, rising */
	unsigned n_bounds;
	struct counter_state *state;	/* NULL; filled when first used */
};

struct counter;				/* one series */

/* Finds or makes the series of `values` (as many as the family has labels). Thread-safe, may lock. */
struct counter *counter_of(struct counter_family *f, const struct str *values);

/* On the hot path. Lock-free; from any thread that called counters_thread_begin(), or none (then a shared page). */
void counter_add(struct counter *c, int64_t n);		/* sums and gauges (gauges may fall) */
void counter_set(struct counter *c, int64_t value);	/* gauges that are never added to */
void counter_observe(struct counter *c, uint64_t value);	/* histograms */

void counters_thread_begin(void);
void counters_thread_end(void);		/* the thread's page is folded into the shared one */

/* Sum over all threads; for histograms the count of observations. */
int64_t counter_value(struct counter *c);

/*
 * The value below which the part `q` (0..1) of a histogram's observations lies, estimated within its bucket,
 * in stored units; at most the last bound. Below zero when nothing was observed.
 */
double counter_quantile(struct counter *c, double q);

/* All families that were used, as Prometheus text 0.0.4, or OpenMetrics 1.0.0. */
bool counters_render(struct buf *out, bool openmetrics);

#endif
