/*
 * ledger.h: the durable record of every transaction, written behind.
 *
 * A stage hands a row over when a transaction is over; a thread writes rows in batches, at most
 * LEDGER_BATCH_MS after they came. Never on the request path: while the file takes no rows
 * they wait in a bounded queue, and what does not fit is counted and told.
 */
#ifndef WEIR_METERING_LEDGER_H
#define WEIR_METERING_LEDGER_H

#include "base/buf.h"
#include "core/stage.h"

enum { LEDGER_BATCH_MS = 100, LEDGER_QUEUE = 4096 /* rows a worker */ };

extern const struct stage ledger_stage;

struct ledger_options {
	struct str file;	/* SQLite; or "off" */
	int64_t keep_us;	/* how long rows are kept; 0: for ever */
	struct str lines;	/* rows as JSON lines, too: "stdout" or a file; or "off" */
};

/* Opens the file and starts the thread. False with one line in `why`. */
bool ledger_open(const struct ledger_options *o, struct buf *why);

/* In each worker's thread, before its first request. */
void ledger_thread_begin(void);

/* Writes what waits. After all workers. */
void ledger_close(void);

#endif
