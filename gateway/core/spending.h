/*
 * spending.h: what a transaction settled of its budgets, on its way from the limits to the ledger.
 *
 * One block of memory: the names stand behind the parts. free() lets go of it.
 */
#ifndef WEIR_CORE_SPENDING_H
#define WEIR_CORE_SPENDING_H

#include <stdint.h>

#include "base/str.h"

struct spending_part {
	struct str key;				/* of the limit, within the scope */
	int64_t amount;				/* nano-dollars or tokens, of this transaction */
	int64_t seen;				/* what the store had told of the period before it */
	int64_t period_start, period_end;	/* Unix seconds; end 0: a total */
	int64_t span_s;				/* rolling: the period is a part of the window, its end when it no longer counts; 0: calendar */
};

struct spending {
	struct str scope;
	unsigned n;
	struct spending_part parts[];
};

#endif
