/*
 * families.h: everything weir counts, and the rows that keep the series at hand.
 *
 * A row belongs to a model, a target or a pair of them, is made once (under a lock, when
 * first asked for) and lives as long as the process; a series in a row is found once and
 * then counted through its pointer. Label values come from configuration alone.
 */
#ifndef WEIR_TELEMETRY_FAMILIES_H
#define WEIR_TELEMETRY_FAMILIES_H

#include <stdatomic.h>

#include "base/counters.h"
#include "core/error.h"
#include "core/live.h"
#include "core/snapshot.h"
#include "core/usage.h"

enum { STATUS_CLASSES = 5, ROUTES_TABLE = 16 };

enum token_type { TOKENS_INPUT, TOKENS_OUTPUT, TOKENS_CACHE_READ, TOKENS_CACHE_WRITE, TOKENS_REASONING, TOKEN_TYPES };

/* What one endpoint counts of one model. */
struct endpoint_counters {
	struct endpoint_counters *next;
	const char *endpoint;			/* static */
	struct str model;
	_Atomic(struct counter *) requests[ERR_KINDS][STATUS_CLASSES];	/* each found when first wanted */
	struct counter *duration, *first_token;
	struct counter *overhead;		/* the endpoint's, whatever the model */
};

/* What one target did for one model at one endpoint. */
struct route_counters {
	struct route_counters *next;
	const char *endpoint;
	const struct live_target *target;
	struct str model;
	struct counter *tokens[TOKEN_TYPES];
	struct counter *cost, *cost_estimated;
	/* the gen_ai_ families */
	_Atomic(struct counter *) ai_duration[ERR_KINDS];
	struct counter *ai_input, *ai_output, *ai_first_token, *ai_per_token;
};

struct model_counters {
	struct model_counters *next;		/* of all rows */
	struct str name;
	struct counter *retries;
	_Atomic(struct endpoint_counters *) endpoints;
	_Atomic(struct route_counters *) routes[ROUTES_TABLE];
};

struct target_counters {
	struct target_counters *next;		/* of all rows */
	const struct live_target *live;
	struct str provider, model, name;	/* "provider", "model", "provider/model" */
	_Atomic(struct counter *) attempts[ERR_KINDS];
	struct counter *duration, *first_token;
	struct counter *up, *in_flight;		/* set when somebody looks, see gauges.h */
	_Atomic(struct counter *) unpriced;	/* found when first wanted */
	/* For the status page. */
	_Atomic int64_t input, output;		/* tokens */
	_Atomic int64_t cost, cost_estimated;	/* nano-dollars; the second is part of the first */
	_Atomic int64_t n_unpriced;		/* attempts whose price is not known */
};

/* NULL: of requests that came to no model. */
struct model_counters *families_model(struct live_model *m);
struct target_counters *families_target(struct live_target *t);
struct endpoint_counters *families_endpoint(struct model_counters *m, const char *endpoint);
struct route_counters *families_route(struct model_counters *m, const char *endpoint, struct live_target *t);

/* Counts one request that ended with `status`. */
void families_request(struct endpoint_counters *e, enum error_kind kind, int status);
/* Its length in the gen_ai_ family; `kind` says how it ended. */
void families_ai_duration(struct route_counters *r, enum error_kind kind, int64_t us);

/* Requests that are inside now. */
struct counter *families_in_flight(void);
/* A stream broke off: on the caller's side, or on the provider's. */
void families_abort(bool by_caller);

/* Sums over everything since the start but for probes of health. `failed`: the providers' fault or ours. */
struct families_totals {
	int64_t requests, failed, input, output, cost;	/* cost in nano-dollars */
};
void families_totals(struct families_totals *sum);

/* Attempts at a target, and those of them that failed. */
void families_attempts(struct target_counters *t, int64_t *all, int64_t *failed);

/* Every row there is, newest first; rows are never taken away. */
struct target_counters *families_targets(void);

/* Makes the series of everything configured, so that they are there at zero. For each new snapshot. */
void families_prepare(const struct snapshot *s);

#endif
