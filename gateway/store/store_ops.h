/*
 * store_ops.h: what a kind of store provides; between store.c and the kinds only.
 */
#ifndef WEIR_STORE_STORE_OPS_H
#define WEIR_STORE_STORE_OPS_H

#include <stdatomic.h>

#include "store/store.h"

struct store_ops {
	void (*reserve)(struct store *s, struct store_call *c, const struct store_reservation *r, bool peek);
	void (*settle)(struct store *s, struct store_call *c, const struct store_reservation *r, const int64_t *real,
		       bool unreserved);
	void (*renew)(struct store *s, struct store_call *c, const struct store_reservation *r);
	void (*seed)(struct store *s, struct store_call *c, struct str scope, const struct store_limit *budget,
		     int64_t spent);
	void (*restore)(struct store *s, struct str scope, const struct store_limit *window, int64_t spent, int64_t age_us);	/* NULL: not here */
	bool (*crowded)(const struct store *s);		/* NULL: never */
	void (*get)(struct store *s, struct store_call *c, struct str key);
	void (*put)(struct store *s, struct store_call *c, struct str key, struct str value, int64_t ttl_ms);
	void (*remove)(struct store *s, struct store_call *c, struct str key);
	void (*tally)(struct store *s, const struct store_tally *t);	/* NULL: none are kept */
	void (*tally_read)(struct store *s, struct store_call *c, int64_t day);
	void (*eval)(struct store *s, struct store_call *c, const struct store_script *e);
	void (*cancel)(struct store *s, struct store_call *c);
	bool (*is_up)(const struct store *s);
	void (*close)(struct store *s);
};

/* The first member of each kind's own. */
struct store {
	const struct store_ops *ops;
	struct loop *loop;
	int64_t ahead_us;	/* the store's wall clock less ours */
	int64_t ttl_us;		/* of reservations */
	bool steady;		/* windows slide by this machine's monotonic clock, not by wall clocks */
};

struct store_home {
	struct store *(*open)(struct store_home *h, struct loop *l);
	void (*close)(struct store_home *h);
	char name[320];
	_Atomic unsigned opened, up;	/* of its stores: how many there are, and how many reach it */
};

/* Ends a call; `c` may be NULL. */
static inline void store_done(struct store_call *c, enum store_result result)
{
	if (!c)
		return;
	c->inner = NULL;
	c->result = result;
	c->done(c);
}

/* An amount or a limit as both kinds count it. */
static inline int64_t store_amount(int64_t n)
{
	return n < 0 ? 0 : n > STORE_AMOUNT_MAX ? STORE_AMOUNT_MAX : n;
}

static inline int64_t store_span(const struct store_limit *l)
{
	int64_t most = 400 * 86400;
	return l->span_s < 1 ? 1 : l->span_s > most ? most : l->span_s;
}

struct store_home *memory_store_home(const struct store_options *o);
struct store_home *redis_store_home(const struct store_options *o, struct buf *why);

#endif
