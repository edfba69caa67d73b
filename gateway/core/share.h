/*
 * share.h: what part of a model's requests each of its providers got lately, and what second attempts add.
 */
#ifndef WEIR_CORE_SHARE_H
#define WEIR_CORE_SHARE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { SHARE_PROVIDERS = 16 };

struct share {
	struct {
		_Atomic uint64_t provider;	/* hash of its name; 0: free */
		_Atomic uint32_t n;
	} rows[SHARE_PROVIDERS];
	_Atomic uint32_t n;
	_Atomic int64_t cost, hedge_cost;	/* nano-dollars: of first attempts, of second ones */
};

/* A request went to `provider` first. */
void share_note(struct share *s, struct str provider);

/* Would one more request put it above `per_cent` of the latest thousand? */
bool share_exceeded(const struct share *s, struct str provider, int per_cent);

/* What a request cost, and what a second attempt will probably cost. */
void share_note_cost(struct share *s, int64_t nano);
void share_note_hedge(struct share *s, int64_t nano);
/* May a second attempt for `nano` be made, if those may add `per_cent` of cost? */
bool share_allows_hedge(const struct share *s, int64_t nano, int per_cent);

#endif
