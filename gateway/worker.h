/*
 * worker.h: one thread: an event loop, its listeners, its upstream client, its transactions.
 */
#ifndef WEIR_WORKER_H
#define WEIR_WORKER_H

#include <stdbool.h>

#include "core/snapshot.h"
#include "edge/listener.h"

struct worker;

struct worker_options {
	unsigned index;
	struct snapshot *snapshot;	/* the worker takes a reference */
	struct edge_socket *sockets;	/* listening; each worker has its own but for Unix sockets */
	unsigned n_sockets;
};

/* Starts the thread; returns once it accepts. NULL with errno set. */
struct worker *worker_start(const struct worker_options *o);

/* Thread-safe: the worker changes over to a new snapshot; running transactions keep theirs. */
void worker_reload(struct worker *w, struct snapshot *s);

/* Thread-safe: accept no more, end when the last transaction has. `worker_wait` returns then. */
void worker_drain(struct worker *w);

/* Thread-safe: break off what still runs; callers get their dialect's error. */
void worker_abort(struct worker *w);

/* Joins the thread and frees the worker. */
void worker_wait(struct worker *w);

/* True once it has ended; thread-safe. */
bool worker_ended(const struct worker *w);

#endif
