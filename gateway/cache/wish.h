/*
 * wish.h: what a caller wants of the cache, by `Cache-Control`, `x-weir-cache`, or LiteLLM's `cache` object in the body.
 */
#ifndef WEIR_CACHE_WISH_H
#define WEIR_CACHE_WISH_H

#include "core/txn.h"

struct cache_wish {
	bool no_store;		/* neither looked up nor kept */
	bool no_cache;		/* asked anew, and kept */
	bool only;		/* a kept answer or none */
	bool no_keep;		/* looked up, and not kept */
	bool use;		/* wanted for this request, where operators leave that to callers */
	int64_t max_age_us;	/* INT64_MAX: any */
	int64_t ttl_us;		/* kept no longer than this; INT64_MAX: as configured */
	int64_t stale_us;	/* how far over its time when providers fail; INT64_MAX: as configured */
	struct str ns;		/* answers of other namespaces are other answers; in the request's memory */
};

struct cache_wish cache_wish(const struct txn *t);

#endif
