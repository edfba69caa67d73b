/*
 * failure.h: what follows from an attempt's outcome: breakers, counters, log lines, and
 * the words the caller reads in the end.
 */
#ifndef WEIR_UPSTREAM_FAILURE_H
#define WEIR_UPSTREAM_FAILURE_H

#include "core/breaker.h"
#include "core/txn.h"
#include "upstream/attempt.h"

/* `o` is NULL for a success. */
void failure_count(struct txn *t, const struct attempt *a, const struct outcome *o);

/*
 * Charges the failure to the target's or the credential's breakers; trials it used up are false
 * afterwards. `blame`: it says something about the target, not just about the request. True: a
 * local server is merely loading or full, or the token that was refused is renewed: it may be asked again by this
 * very request.
 */
bool failure_trip(struct attempt *a, const struct outcome *o, const struct breaker_settings *s, bool blame, bool *trials);

/*
 * Of a provider of which nobody knew whether it takes Responses: it has no such path. That is kept, and from now on it is asked
 * for chat instead; true: by this very request, too.
 */
bool failure_teaches(const struct attempt *a, const struct outcome *o);

void failure_walk_on(struct txn *t, const struct live_target *from, const struct live_target *to,
		     const struct outcome *o);

/* Fills t->error's status, message and hints from the last outcome; t->error.kind is set. */
void failure_describe(struct txn *t, const struct outcome *o);

/* What a transport's failure is to the caller. */
enum error_kind failure_kind(enum transport_failure f);

#endif
