/*
 * ledger_row.h: what the ledger keeps of one transaction that is over.
 */
#ifndef WEIR_METERING_LEDGER_ROW_H
#define WEIR_METERING_LEDGER_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct spending;
struct txn;

enum { LEDGER_TEXT = 128, LEDGER_RULE = 64 };

/* Texts are cut to fit. */
struct ledger_row {
	int64_t at_us;			/* wall clock, when it ended */
	char id[40];
	char key[LEDGER_TEXT], team[LEDGER_TEXT], tags[LEDGER_TEXT], model[LEDGER_TEXT], target[LEDGER_TEXT];
	char rule[LEDGER_RULE];		/* that answered it in place of a target */
	const char *endpoint, *error;	/* constant texts; error is NULL for none */
	const char *cache;		/* hit, miss, bypass ...; NULL: the cache had no part in it */
	int status, attempts;
	bool stream, estimated, incomplete;	/* of the cost: by estimate in part; without a part whose price is not known */
	int64_t input, output, cached, cache_write, reasoning;
	int64_t cost;			/* nano-dollars */
	int32_t price_date;		/* of the newest table, yyyymmdd */
	int64_t took_us, first_us;	/* first: 0 for none */
	struct spending *spending;	/* of its budgets; NULL: none. Freed by whoever takes the row */
};

/* Without spending. */
void ledger_row_copy(struct ledger_row *r, const struct txn *t);
/* With its spending, which is taken over. */
void ledger_row_fill(struct ledger_row *r, struct txn *t);

/* One JSON object and a newline. */
void ledger_row_json(const struct ledger_row *r, struct buf *out);

#endif
