/*
 * token_http.h: questions to those who give tokens, by libcurl, blocking: for threads that serve no requests.
 *
 * Redirects are not followed: a secret goes nowhere but where it was configured to. Plain http is for this machine and
 * for metadata servers alone.
 */
#ifndef WEIR_UPSTREAM_TOKEN_HTTP_H
#define WEIR_UPSTREAM_TOKEN_HTTP_H

#include <stdatomic.h>

#include "providers/token_fetch.h"

/* An io of this world. `stop` (may be NULL) ends what runs when it becomes true. */
struct token_world {
	struct token_io io;
	const _Atomic bool *stop;
};

void token_world_open(struct token_world *w, struct arena *a, int64_t skew_us, const _Atomic bool *stop);

#endif
