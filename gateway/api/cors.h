/*
 * cors.h: browsers of origins the configuration names.
 */
#ifndef WEIR_API_CORS_H
#define WEIR_API_CORS_H

#include "core/client.h"
#include "core/txn.h"

/* Headers for an answer to t's origin, at most `room`; 0 when the origin is not allowed. */
unsigned cors_headers(const struct txn *t, struct answer_header *to, unsigned room);

/* Answers OPTIONS. */
enum stage_result cors_preflight(struct txn *t);

#endif
