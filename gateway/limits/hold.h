/*
 * hold.h: what one transaction has reserved; owns copies of all its names, because it outlives the snapshot.
 */
#ifndef WEIR_LIMITS_HOLD_H
#define WEIR_LIMITS_HOLD_H

#include "core/limit.h"
#include "core/txn.h"
#include "store/store.h"

struct hold {
	struct list link;		/* of the worker's holds that are renewed */
	struct txn *t;
	uint32_t generation;
	struct store_call call;
	struct store_answer answer;
	struct store_reservation r;
	struct store_limit *limits;	/* behind this struct, as are the strings */
	int64_t *known;			/* for each limit what was known to be spent when the store was asked */
	unsigned char *rules;		/* for each limit its rule's place in the set */
	unsigned char *counts;		/* and what it counts: enum hold_count */
	bool asking, parked;		/* an answer is awaited; and the transaction sleeps until then */
	bool granted;
	bool local;			/* reserved in this process alone: the shared store was away */
	bool told;			/* the store had forgotten, and was told again */
	int64_t renewed_us;
};

/* What a request will probably use. */
struct hold_need {
	int64_t input, output;		/* tokens */
	int64_t most_output;		/* as many as could come */
	int64_t cost, most_cost;	/* nano-dollars; 0: nothing that costs. The second as `cost` where nobody asks for it */
};

/* Amounts for these rules. `without_money`: rules in dollars are left out. */
struct hold *hold_new(struct txn *t, const struct limit_set *set, const struct hold_need *need, int64_t now_s, bool without_money);

/* A rule as the store knows it, nothing asked for, in the period that holds `now_s`. */
struct store_limit hold_limit(const struct limit_rule *rule, struct str key, int64_t now_s);

/* What was really used, in the order of the limits. */
void hold_real(const struct hold *h, const struct txn *t, int64_t real[STORE_LIMITS_MAX]);

/* What budgets spent by it, now, in one block of memory that is the caller's to free; NULL: no budgets. */
struct spending *hold_spending(const struct hold *h, const int64_t real[STORE_LIMITS_MAX], int64_t wall_us);

#endif
