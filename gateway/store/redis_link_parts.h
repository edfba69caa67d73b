/*
 * redis_link_parts.h: a link's inside, between redis_link.c and redis_open.c.
 */
#ifndef WEIR_STORE_REDIS_LINK_PARTS_H
#define WEIR_STORE_REDIS_LINK_PARTS_H

#include "store/redis_link.h"

enum { REDIS_STEPS_MAX = 4 };

#define NO_DEADLINE INT64_MAX

enum link_state {
	LINK_DOWN,	/* until `timer` fires */
	LINK_NAMING,	/* a name is being resolved */
	LINK_ASKING,	/* a sentinel is asked for the master */
	LINK_OPENING,	/* connecting, logging in, probing */
	LINK_UP,
};

struct redis_link {
	struct redis_place *place;
	struct loop *loop;
	enum link_state state;
	struct redis_socket *socket;
	struct resolved *name;		/* to connect to */
	struct resolved *waited_name;	/* whose resolver will call us */
	uint16_t port;			/* there */
	char master[256];		/* what a sentinel said, for the next connection; "" before */
	uint16_t master_port;
	bool asking;			/* the connection is, or will be, a sentinel's */
	struct list in_flight;		/* by deadline; what has expired is in it no more */
	struct timer timer, deadline;
	struct redis_command steps[REDIS_STEPS_MAX], probe;
	unsigned n_steps, steps_done, n_in_flight;
	unsigned attempts, failures;	/* since the last good answer */
	unsigned turn, sentinel_turn;	/* among the addresses of a name, and the sentinels */
	int64_t up_us;			/* since when */
	bool trusted;			/* commands may be sent while opening */
	bool waiting_for_name, closed;
	void (*changed)(void *arg, bool up);
	void *changed_arg;
};

/* redis_link.c */
void link_fail(struct redis_link *k, const char *why);
void link_retry(struct redis_link *k, int64_t after_us);
void link_lost(struct redis_link *k, const char *why);
bool link_put(struct redis_link *k, struct redis_command *c, struct str wire) must_check;

/* redis_open.c: begins a connection; ends in LINK_UP, or in link_fail(). */
void link_open(struct redis_link *k);

#endif
