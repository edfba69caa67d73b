/*
 * redis_link.h: one worker's connection to Redis: kept up, watched, and given up on in time.
 *
 * Commands of one loop turn leave in one write. Each has its own deadline; after five that
 * failed in a row the breaker opens: the connection is dropped and nothing is sent until a probe was
 * answered in time.
 * Reconnecting backs off from 50 ms to a second, with jitter, for as long as it takes.
 */
#ifndef WEIR_STORE_REDIS_LINK_H
#define WEIR_STORE_REDIS_LINK_H

#include <stdatomic.h>

#include "base/loop.h"
#include "store/redis_socket.h"
#include "store/redis_url.h"

enum { REDIS_IN_FLIGHT_MAX = 4000 };

/* What the links of a process have in common. */
struct redis_place {
	struct redis_url url;
	char name[300];			/* for people: no credential in it */
	bool cluster;			/* MOVED and ASK are for who sent the command */
	int64_t command_us;		/* each command's deadline */
	_Atomic int64_t told_us;	/* when the log was last told of a failure */
	atomic_bool told_down;		/* and not yet of its end */
	struct redis_tls *tls;		/* NULL: none */
};

struct redis_link;

struct redis_link *redis_link_open(struct redis_place *p, struct loop *l);
/* Not from within a command's callback. Whatever is under way is answered REDIS_LOST. */
void redis_link_close(struct redis_link *k);
bool redis_link_up(const struct redis_link *k);

/* `wire`, a whole command, is copied. False: nothing is sent now, and nothing will be told. */
bool redis_link_send(struct redis_link *k, struct redis_command *c, struct str wire) must_check;

/* An answer was none that its command can have: the connection is made anew. */
void redis_link_distrust(struct redis_link *k, const char *why);

/* Called from the loop when the link comes up, and when it is no more. */
void redis_link_watch(struct redis_link *k, void (*changed)(void *arg, bool up), void *arg);

#endif
