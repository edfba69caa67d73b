/*
 * work_pool.h: a few threads for plugins' blocking work, so that no loop waits for it.
 *
 * A job holds nothing of a transaction. Its result comes back to the loop it came from by
 * loop_post; when the transaction is gone by then, the result is dropped.
 */
#ifndef WEIR_PLUGIN_HOST_WORK_POOL_H
#define WEIR_PLUGIN_HOST_WORK_POOL_H

#include <stdbool.h>

#include "base/loop.h"

struct plugin_record;

enum { WORK_THREADS = 4, WORK_QUEUE = 1024 };

struct work {
	struct list link;
	struct loop *loop;
	const struct plugin_record *whose;
	void *(*run)(void *input);
	void *input, *output;
	void (*drop)(void *);			/* may be NULL */
	/* On the loop's thread, unless cancelled. The output is the taker's. The work is freed after it. */
	void (*done)(void *owner, void *output);
	void *owner;
	bool cancelled;				/* of the loop's thread alone */
};

/* NULL when too many wait, or no thread can be started. */
struct work *work_start(struct loop *l, const struct plugin_record *whose, void *(*run)(void *), void *input, void (*drop)(void *),
			void (*done)(void *owner, void *output), void *owner);

/* done() will not be called; the output is dropped when it comes. */
void work_cancel(struct work *w);

/* Ends a worker's share, before its loop is closed. Nobody is waited for. */
void work_close(struct loop *l);

#endif
