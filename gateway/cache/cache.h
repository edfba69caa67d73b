/*
 * cache.h: the stages that answer a question that was answered before, and record new answers.
 *
 * An answer is kept only when it is whole and good: status 200, complete, not filtered, without
 * tool calls unless they are wanted. It is kept as the bytes the caller got, and given again as these.
 * The store being away is a miss. Who asks what is being asked already follows that answer, see flight.h.
 */
#ifndef WEIR_CACHE_CACHE_H
#define WEIR_CACHE_CACHE_H

#include <stdbool.h>

#include "core/stage.h"

extern const struct stage cache_ask_stage;	/* before the limits: the store is asked */
extern const struct stage cache_stage;		/* behind them: what it said */

/* No target answered: gives what was found and is over its time, marked `stale`, and ends `t`. False: there is none. */
bool cache_stale(struct txn *t);

/* The caller's queue has room. False: it still gets what was recorded while it had none. */
bool cache_drained(struct txn *t);

/* An error is about to end the answer: what was recorded goes first. */
void cache_give_rest(struct txn *t);

/* Others wait for this answer: it goes on without its own caller. */
bool cache_is_followed(const struct txn *t);

#endif
