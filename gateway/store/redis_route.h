/*
 * redis_route.h: which connection a command takes: the only one, or that to the cluster's node of its slot.
 *
 * A cluster's map is learned from its answers (MOVED, ASK): a slot whose node is not known is asked of
 * any node that is up. While a slot moves, Redis runs no scripts on keys that do not exist: its scopes
 * are down until it has moved. Nodes that answers name are connected to when they are first named.
 */
#ifndef WEIR_STORE_REDIS_ROUTE_H
#define WEIR_STORE_REDIS_ROUTE_H

#include "store/redis_link.h"

enum { REDIS_HOPS_MAX = 5 };

struct redis_route;

/* `changed` is called for each connection that comes up or goes. */
struct redis_route *redis_route_open(struct redis_place *p, struct loop *l, void (*changed)(void *arg, bool up),
				     void *arg);
void redis_route_close(struct redis_route *r);	/* as redis_link_close() */
bool redis_route_up(const struct redis_route *r);	/* some connection is up */

/* The slot of a key, of which "weir:{scope}" is enough; 0 where there is no cluster. */
unsigned redis_route_slot(const struct redis_route *r, struct str key);

/* One command's way: zeroed before it is first sent. */
struct redis_hop {
	struct redis_link *to;		/* where an ASK sends it, once */
	unsigned hops;
};

/* As redis_link_send(). */
bool redis_route_send(struct redis_route *r, struct redis_command *c, struct str wire, unsigned slot,
		      struct redis_hop *hop) must_check;

/* True: the answer names another node, and the command may be sent once more. */
bool redis_route_follow(struct redis_route *r, const struct redis_command *c, const struct redis_answer *a,
			struct redis_hop *hop) must_check;

#endif
