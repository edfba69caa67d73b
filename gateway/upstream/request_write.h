/*
 * request_write.h: the bytes a provider gets for a call: a head of our own and the
 * caller's body, with the few edits that are needed spliced in.
 */
#ifndef WEIR_UPSTREAM_REQUEST_WRITE_H
#define WEIR_UPSTREAM_REQUEST_WRITE_H

#include "core/call.h"
#include "core/target.h"
#include "core/translation.h"
#include "core/txn.h"
#include "upstream/transport.h"

/*
 * Fills origin, method, parts and streamed; all memory from t->arena. `*asks_usage`: weir added include_usage.
 * `translation`: the target speaks another dialect than the caller; NULL: the same. False, with t->error.message set:
 * the target's format cannot carry the request.
 */
bool request_write(struct txn *t, const struct target *target, const struct credential *credential,
		   const struct translation *translation, struct transport_call *call, bool *asks_usage);

#endif
