/*
 * may_use.h: which models a request may ask for: all of the lists that bind it must have the name.
 */
#ifndef WEIR_CORE_MAY_USE_H
#define WEIR_CORE_MAY_USE_H

#include "core/limit.h"

struct txn;

/* Patterns for requests with a tag, or of an end user. */
struct model_list {
	struct str owner;		/* "key `web` tagged feature=search" */
	enum limit_per per;		/* LIMIT_TAG or LIMIT_USER */
	struct str match;		/* tags: a pattern */
	const struct str *models;
	unsigned n;
};

/* By its key, its key's team, its tags and its end user. Without a key: anything. */
bool may_use(const struct txn *t, struct str model);

/* Who does not allow what may_use() refuses: "team `shop`"; empty: the key itself. In t->arena. */
struct str may_use_owner(struct txn *t, struct str model);

#endif
