/*
 * request_write.h: the bytes a provider gets for a call: a head of our own and the
 * caller's body, with the few edits that are needed spliced in.
 */
#ifndef WEIR_UPSTREAM_REQUEST_WRITE_H
#define WEIR_UPSTREAM_REQUEST_WRITE_H

#include "core/call.h"
#include "core/target.h"
#include "core/txn.h"
#include "upstream/transport.h"

/*
 * Fills origin, method, parts and streamed; all memory from t->arena. `*asks_usage`: weir added include_usage. No
 * credential is in it yet: see authorise.h.
 */
void request_write(struct txn *t, const struct target *target, struct transport_call *call, bool *asks_usage);

/* The same for a body in the target's own dialect; `path` is below the provider's base, and may have a query. */
void request_write_translated(struct txn *t, const struct target *target, struct str path, struct str body,
			      struct transport_call *call);

#endif
