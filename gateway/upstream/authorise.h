/*
 * authorise.h: what a finished request shows so that the provider lets it in.
 *
 * Whoever writes a request owns its path, headers and body; this adds the authorisation last, and
 * nobody else does: a bearer token, a header, a query parameter, or a signature over all of it.
 */
#ifndef WEIR_UPSTREAM_AUTHORISE_H
#define WEIR_UPSTREAM_AUTHORISE_H

#include "core/target.h"
#include "core/token.h"
#include "core/txn.h"
#include "upstream/transport.h"

/*
 * `call`: parts[0] is the whole head, its empty line included, the rest the body; parts[0] is written anew in
 * t->arena. `c` may be NULL; `token` is of the moment, and of a credential that is fetched only. NULL when done, or
 * why the request cannot be sent so.
 */
const char *authorise(struct txn *t, const struct provider *p, const struct credential *c, const struct token *token,
		      struct transport_call *call) must_check;

#endif
