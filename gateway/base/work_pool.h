/*
 * work_pool.h: a few threads for what would keep a loop too long.
 *
 * A job holds nothing that its loop may free. Its result comes back to the loop it came from by
 * loop_post; when nobody waits for it any more by then, the result is dropped.
 */
#ifndef WEIR_BASE_WORK_POOL_H
#define WEIR_BASE_WORK_POOL_H

#include <pthread.h>
#include <stdbool.h>

#include "base/list.h"

struct loop;

enum { WORK_QUEUE = 1024 };

/* One queue; threads start when first needed and stay. */
struct work_pool {
	unsigned threads_max;
	/* Around each job, on its thread; may be NULL. */
	void (*begin)(const void *whose);
	void (*end)(void);
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct list queue, running, back;
	unsigned n_queued, n_threads, n_idle;
};

#define WORK_POOL_INIT(name, threads, begin, end) \
	{ (threads), (begin), (end), PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, \
	  LIST_INIT((name).queue), LIST_INIT((name).running), LIST_INIT((name).back), 0, 0, 0 }

struct work_job {
	const void *whose;			/* for the pool's begin() */
	void *(*run)(void *input);		/* on a thread of the pool */
	void *input;
	void (*drop)(void *);			/* of an input that was not run, or of an output; may be NULL */
	/* On the loop's thread, unless cancelled. The output is the taker's. The work is freed after it. */
	void (*done)(void *owner, void *output);
	void *owner;
};

struct work;

/* NULL when too many wait, or no thread can be started: nothing was dropped. */
struct work *work_start(struct work_pool *p, struct loop *l, const struct work_job *job);

/* done() will not be called; the output is dropped when it comes. */
void work_cancel(struct work *w);

/* Ends a worker's share, before its loop is closed. Nobody is waited for. */
void work_close(struct work_pool *p, struct loop *l);

#endif
