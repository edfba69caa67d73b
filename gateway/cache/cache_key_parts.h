/*
 * cache_key_parts.h: between cache_key.c and cache_key_model.c.
 */
#ifndef WEIR_CACHE_CACHE_KEY_PARTS_H
#define WEIR_CACHE_CACHE_KEY_PARTS_H

#include "base/buf.h"
#include "core/txn.h"

/* Of the model and of all that may answer for it whatever decides on the answer: not when, how often or for how long. */
void cache_key_model(struct txn *t, struct buf *b);

#endif
