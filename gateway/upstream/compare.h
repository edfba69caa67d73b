/*
 * compare.h: a second look: now and then a request that a cascade's smaller target answered well is asked of its
 * last target, too, off the caller's path.
 *
 * The second request goes through the whole pipeline as its own transaction, with the same key: limits, budgets
 * and ceilings hold for it, and log and ledger show it, tagged compare=large. Nobody waits for it.
 */
#ifndef WEIR_UPSTREAM_COMPARE_H
#define WEIR_UPSTREAM_COMPARE_H

#include "core/txn.h"
#include "upstream/attempt.h"

/* For the calling thread, a worker's: `begin` makes transactions. */
void compare_open(struct loop *l, void *owner, struct txn *(*begin)(void *owner, struct client *));
void compare_close(void);

/* A smaller target's whole answer passed. With the chance of `per_cent` the second look begins after this turn. */
void compare_maybe(struct txn *t, int per_cent, struct str text);

/* In the second look (t->comparison): the last target's answer, judged; and its end. */
void compare_judged(struct txn *t, const struct attempt_verdict *v);
void compare_completed(struct txn *t);

/* How much of their words two texts share, from 0 to 1; above 1: they are the same, but for case and punctuation. */
double compare_texts(struct str a, struct str b);

#endif
