/*
 * way.h: how a call reaches a provider: in the caller's own words, or translated.
 */
#ifndef WEIR_CORE_WAY_H
#define WEIR_CORE_WAY_H

#include "base/str.h"
#include "core/target.h"

enum way {
	WAY_NONE,		/* nobody can say it */
	WAY_RELAY,		/* the provider speaks the caller's dialect: the bytes go as they came */
	WAY_TRANSLATE		/* into what way_dialect() says */
};

/* `path` is the call's, below /v1. A caller without a dialect speaks the provider's. */
enum way way_to(const struct target *t, const struct dialect *callers, struct str path);
/* What it is asked in where the caller's own words are not understood. */
const struct dialect *way_dialect(const struct target *t);

#endif
