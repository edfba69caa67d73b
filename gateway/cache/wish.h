/*
 * wish.h: what a caller wants of the cache, by `Cache-Control` and `x-weir-cache`.
 */
#ifndef WEIR_CACHE_WISH_H
#define WEIR_CACHE_WISH_H

#include "core/txn.h"

struct cache_wish {
	bool no_store;		/* neither looked up nor kept */
	bool no_cache;		/* asked anew, and kept */
	bool only;		/* a kept answer or none */
	int64_t max_age_us;	/* INT64_MAX: any */
	int64_t stale_us;	/* how far over its time when providers fail; INT64_MAX: as configured */
};

struct cache_wish cache_wish(const struct request *r);

#endif
