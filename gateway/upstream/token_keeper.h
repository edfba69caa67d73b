/*
 * token_keeper.h: the threads that fetch tokens ahead of their expiry, so that no request ever does.
 *
 * A few for the whole process, started when the first source is configured: a slow endpoint holds one of them for its
 * time-out, not the others. Each fetch that fails is a line in the log and counts in weir_credential_fetches_total.
 */
#ifndef WEIR_UPSTREAM_TOKEN_KEEPER_H
#define WEIR_UPSTREAM_TOKEN_KEEPER_H

#include "core/snapshot.h"

/* Starts them when this snapshot has a credential that is fetched and they do not run yet. From the main thread. */
void token_keeper_follow(const struct snapshot *s);

/* Ends what they do, and waits for them: a second at most. */
void token_keeper_close(void);

#endif
