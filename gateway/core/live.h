/*
 * live.h: what is learned about targets, models, credentials and keys while running.
 *
 * Process-wide rows keyed by name; they outlive snapshots, so a reload forgets nothing.
 * A row is found or made under a lock when a snapshot is built (or once per unknown
 * pattern name) and then used through its pointer, with atomics only. Rows are never freed; their
 * number is bounded by LIVE_ROWS_MAX a kind (keys: LIVE_KEYS_MAX), beyond which one shared row named "other" is used. Names that
 * callers make up take at most LIVE_MADE_UP_MAX rows; then they share the row of what they came from.
 */
#ifndef WEIR_CORE_LIVE_H
#define WEIR_CORE_LIVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/counters.h"
#include "base/list.h"
#include "base/str.h"
#include "core/learned.h"
#include "core/share.h"

enum { LIVE_ROWS_MAX = 4096, LIVE_MADE_UP_MAX = 1024, LIVE_KEYS_MAX = 131072 };

/* Classes of failure with a breaker of their own. */
enum breaker_class {
	BREAKER_ERROR,		/* 5xx, broken answers */
	BREAKER_CONNECT,	/* no connection */
	BREAKER_TIMEOUT,	/* no first token in time */
	BREAKER_RATE_LIMIT,	/* 429: open until Retry-After */
	BREAKER_AUTH,		/* our credential refused (on the credential) */
	BREAKER_BILLING,	/* account out of credit (on the credential) */
	BREAKER_MODEL_GONE,	/* the model is unknown or retired there */
	BREAKER_LOADING,	/* a local server loads its model */
	BREAKER_BUSY,		/* a local server has no place left */
	BREAKER_CLASSES
};

/* One breaker; routing/breaker.h has the operations. Times are monotonic microseconds. */
struct breaker {
	_Atomic int64_t open_until;	/* 0: closed */
	_Atomic int64_t window_began;
	_Atomic int32_t failures;	/* in the window, or in a row while half-open */
	_Atomic int32_t trips;		/* consecutive openings: the ramp */
	_Atomic int32_t probing;	/* half-open trials in flight */
	_Atomic int32_t ramp;		/* how many are let through at a time, when half-open; 0: one */
};

struct live_target {
	struct str name;
	struct str label;		/* for metrics: the configured name or pattern it came from */
	struct breaker breakers[BREAKER_CLASSES];
	_Atomic int32_t in_flight;
	_Atomic int32_t waiting;	/* for a place: core/slots.h */
	struct list queue;		/* of theirs, under its lock */
	_Atomic bool drained;		/* an operator took it out */
	_Atomic bool no_responses;	/* it said that it has no /responses */
	_Atomic int32_t healthy;	/* of active checks: 1 up, 0 down, -1 unknown */
	_Atomic int64_t answered_us, failed_us;	/* when last, monotonic */
	_Atomic int64_t since_us;	/* last change of state, wall clock */
	_Atomic int last_error;		/* enum error_kind */
	_Atomic int last_status;
	struct learned learned;
	_Atomic(struct target_counters *) counters;	/* telemetry/families.h makes and reads them */
};

struct live_credential {
	struct str label;
	struct breaker breakers[BREAKER_CLASSES];
};

struct live_model {
	struct str name;
	struct share share;
	_Atomic uint32_t turn;		/* weighted: which request this is */
	_Atomic int64_t mean_cost;	/* nano-dollars a request, running, of those that came to plugins; 0: not known */
	_Atomic(struct model_counters *) counters;
};

struct live_team {
	struct str name;
};

/* A limit that is reached, until when: its key is refused without asking the store. See core/refused.h. */
struct live_denial {
	_Atomic int64_t until_us;		/* monotonic; 0: none */
	_Atomic uint64_t stamp;			/* of configuration and keys when it was refused: other ones ask anew */
	_Atomic uint32_t rule;			/* of the key's limits */
	_Atomic int64_t spent, period_end;
	_Atomic int64_t retry_us;		/* monotonic; INT64_MAX: waiting does not help */
};

struct live_key {
	struct str name;
	struct str label;		/* for metrics: its name, or "other" */
	_Atomic(const struct live_team *) team;	/* that it belongs to now; NULL: none */
	_Atomic(struct counter *) cost;	/* telemetry's */
	struct live_denial denial;
};

struct live_target *live_target(struct str name);
/* Of those there are; NULL. */
struct live_target *live_target_find(struct str name);
/* The same for a name that a caller made up within a pattern or a provider: metrics show `label`. */
struct live_target *live_target_under(struct str name, struct str label);
struct live_credential *live_credential(struct str label);
struct live_model *live_model(struct str name);
struct live_key *live_key(struct str name);
struct live_team *live_team(struct str name);

/* Rows made so far, for the status page: calls `each` for every target. */
void live_targets_each(void (*each)(struct live_target *, void *arg), void *arg);

#endif
