/*
 * shared_usage.h: spending by key, team, tags and model a day, in the store that replicas share.
 *
 * Told when transactions that asked for a model are over, those of a turn together, in the same write as their settlements; so a replica that is gone for good has
 * left what it spent to the others.
 */
#ifndef WEIR_METERING_SHARED_USAGE_H
#define WEIR_METERING_SHARED_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct store;
struct txn;
struct usage_report;

/* Of the calling worker's store. */
bool shared_usage_kept(void);
void shared_usage_add(const struct txn *t);
void shared_usage_thread_end(void);	/* before its store is closed */

/*
 * Reads the days since then into a report. `done` is called on the store's loop, which may be at once and then with NULL
 * returned as of no more use; `why` is not empty when it failed.
 */
struct shared_usage_reader;
struct shared_usage_reader *shared_usage_read(struct store *s, int64_t since_us, struct usage_report *r, struct buf *why,
					      void (*done)(void *arg), void *arg);

#endif
