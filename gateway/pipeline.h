/*
 * pipeline.h: the way of a request.
 */
#ifndef WEIR_PIPELINE_H
#define WEIR_PIPELINE_H

#include "core/txn.h"

extern const struct txn_ops pipeline_ops;

/* Called for a transaction that is over, at the end of the loop's turn. */
void pipeline_set_recycler(void (*recycle)(struct txn *t));

#endif
