/*
 * connection_pool.h: one worker's connections to providers, kept alive between exchanges.
 *
 * Connections are kept by place (scheme, host, port or Unix path, TLS context, and whether
 * it may be private), so a reload that makes a new TLS context never meets old ones. The
 * newest idle one is taken first, so a surplus ages out. An idle connection is watched:
 * its peer's close, or any byte, ends it. Read interest stays armed from birth to end.
 */
#ifndef WEIR_UPSTREAM_CONNECTION_POOL_H
#define WEIR_UPSTREAM_CONNECTION_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/io.h"
#include "base/list.h"
#include "base/loop.h"
#include "core/target.h"

struct pool_place;

struct connection {
	struct list place_link;		/* idle ones of its place, newest first */
	struct list age_link;		/* idle ones of the pool, oldest first */
	struct io io;
	struct watch watch;
	struct pool_place *place;
	void *user;			/* the exchange it serves; NULL when idle */
	int64_t opened_us, idle_since_us;
};

enum { POOL_BUCKETS = 64 };

struct connection_pool {
	struct loop *loop;
	struct list idle;		/* by age */
	struct list buckets[POOL_BUCKETS];
	struct timer sweep;
};

void pool_open(struct connection_pool *p, struct loop *l);
void pool_close(struct connection_pool *p);	/* closes the idle ones; no other may be left */

/* An idle connection to `o`, or NULL. The caller sets user and watch.ready. */
struct connection *pool_take(struct connection_pool *p, const struct origin *o);

/* Takes over a connected io; nothing of `o` is kept. */
struct connection *connection_open(struct connection_pool *p, const struct origin *o, struct io io);

/* Its exchange is over and nothing unread lies in it: keeps it, or closes it when there are enough or it is old. */
void connection_put(struct connection_pool *p, struct connection *c);
void connection_close(struct connection *c);

#endif
