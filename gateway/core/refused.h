/*
 * refused.h: what a caller is told when a limit is reached, and denials that are remembered.
 *
 * A limit of all of a key's requests that nothing but time opens again denies its key until then: later requests are
 * given the same answer without a question to the store. Other limits, a reload and a change of any key ask anew.
 */
#ifndef WEIR_CORE_REFUSED_H
#define WEIR_CORE_REFUSED_H

#include "core/limit.h"
#include "core/txn.h"

struct refused {
	const struct limit_rule *rule;
	int64_t spent, reserved;
	int64_t amount;			/* that this request needs; -1: not known */
	int64_t retry_us;		/* INT64_MAX: waiting does not help */
	int64_t period_end;		/* of a calendar budget, Unix seconds; 0: none */
	bool local;			/* the shared store was away: this process's own memory refused, */
	int64_t limit;			/* at this part of the rule's limit */
};

/* Fills t->error: whose limit, what is spent and reserved, when to come back. Always STAGE_FAILED. */
enum stage_result refuse(struct txn *t, const struct refused *r);

/* Denies the key of `t` by this rule of its own for `for_us`. */
void refused_note(const struct txn *t, const struct refused *r, int64_t for_us);

/* Is it denied now? Then `out` says by what. */
bool refused_before(const struct txn *t, struct refused *out);

/* "2026-12-01T00:00:00Z" */
struct str moment_text(struct arena *a, int64_t unix_s);

#endif
