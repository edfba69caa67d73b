/*
 * upload.h: a request body passed on as it arrives: large files, one attempt.
 */
#ifndef WEIR_UPSTREAM_UPLOAD_H
#define WEIR_UPSTREAM_UPLOAD_H

#include <stdbool.h>

#include "core/txn.h"
#include "upstream/attempt.h"

/* Begins reading the caller's body and sending it through the attempt's exchange. */
void upload_begin(struct txn *t, struct attempt *a);

/* Some of the body was read, so no other target can be asked. */
bool upload_sent(const struct txn *t);

#endif
