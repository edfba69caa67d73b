/*
 * redis_home.h: one Redis as the whole process knows it: its URL, its name, the scripts' digests.
 */
#ifndef WEIR_STORE_REDIS_HOME_H
#define WEIR_STORE_REDIS_HOME_H

#include "base/arena.h"
#include "store/redis_command.h"
#include "store/redis_link.h"

struct redis_home {
	struct store_home home;
	struct redis_place place;
	struct arena arena;
	int64_t ttl_us;
	char sha[REDIS_SCRIPTS][SCRIPT_SHA_SIZE];
};

/* Without home.open, which is the caller's to fill. NULL with one line in `why`. */
struct redis_home *redis_home_open(const struct store_options *o, struct buf *why);

#endif
