/*
 * jwt_key.h: callers who show a token of their issuer instead of a key: verified here, and mapped to a key by a claim.
 */
#ifndef WEIR_ACCESS_JWT_KEY_H
#define WEIR_ACCESS_JWT_KEY_H

#include "base/buf.h"
#include "core/txn.h"

/*
 * The issuer's public keys (a JSON web key set) take the place of those before. False with the reason in `why`: it holds
 * none that can be used, and those before stay. Any thread.
 */
bool jwt_keys_publish(struct str set, struct buf *why);
void jwt_keys_drop(void);	/* nobody's tokens are known any more */

/* Called from workers when a token names a key that is not known: it may be new. */
void jwt_keys_on_unknown(void (*ask)(void));

/* STAGE_NEXT with t->key set, or the error. */
enum stage_result jwt_authenticate(struct txn *t, struct str token);

#endif
