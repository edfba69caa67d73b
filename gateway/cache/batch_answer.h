/*
 * batch_answer.h: an answer of /v1/embeddings taken apart into its vectors, and put together from others.
 *
 * Whatever a provider says of a vector, and of the answer around them, stays as it was spelled: written are only the list,
 * the places in it and the usage.
 */
#ifndef WEIR_CACHE_BATCH_ANSWER_H
#define WEIR_CACHE_BATCH_ANSWER_H

#include "base/buf.h"
#include "core/usage.h"

/* Spans of the answer it was read from. */
struct batch_vector {
	struct str element;
	struct str index;	/* its number, in `element` */
	int64_t size;		/* differs between vectors of another length or encoding; 0: there is no vector */
};

/* What stands around them. */
struct batch_frame {
	struct str body, list;
	struct str usage;	/* STR_NONE: it tells none */
};

/* False: this is not `n` vectors, each with a place of its own. They come in the order of their places. */
bool batch_answer_read(struct str body, struct batch_frame *frame, struct batch_vector *vectors, unsigned n) must_check;

/*
 * Adds the answer `f` came from with these vectors, in this order. In its usage, where it has any, tokens are these; other
 * amounts, such as a price, are left out.
 */
void batch_answer_write(const struct batch_frame *f, const struct batch_vector *const *vectors, unsigned n, const struct usage *u, struct buf *out);

#endif
