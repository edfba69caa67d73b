/*
 * batch.h: the inputs of a request for embeddings, each a question of its own.
 */
#ifndef WEIR_CACHE_BATCH_H
#define WEIR_CACHE_BATCH_H

#include "core/txn.h"

enum { BATCH_MOST = 256 };	/* items; of more the whole is one question */

struct batch {
	const struct json_member *member;	/* `input` */
	unsigned n;				/* 1: a text or tokens alone, in a list or not */
	struct str items[BATCH_MOST];		/* as they are spelled in the body */
};

/*
 * In the arena. NULL: one question, as it stands: another endpoint, too many items, some that are neither text nor tokens,
 * or fields by which one item may change another's vector.
 */
struct batch *batch_read(struct txn *t);

#endif
