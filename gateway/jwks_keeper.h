/*
 * jwks_keeper.h: a thread that keeps the keys of the tokens' issuer fresh, from a file or a URL; requests never wait for it.
 */
#ifndef WEIR_JWKS_KEEPER_H
#define WEIR_JWKS_KEEPER_H

#include "core/snapshot.h"

void jwks_keeper_follow(const struct snapshot *s);	/* for each new snapshot */
void jwks_keeper_close(void);

#endif
