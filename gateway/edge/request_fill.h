/*
 * request_fill.h: from a parsed head to the request the pipeline sees.
 */
#ifndef WEIR_EDGE_REQUEST_FILL_H
#define WEIR_EDGE_REQUEST_FILL_H

#include "core/txn.h"
#include "wire/http_parser.h"

/* Copies the head once into t's arena and lets t->req point into the copy. `raw` is the head's bytes. */
void request_fill(struct txn *t, const struct http_head *head, struct str raw, struct str peer);

/* For a head that could not be read: everything empty. */
void request_fill_nothing(struct txn *t, struct str peer);

#endif
