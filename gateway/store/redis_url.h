/*
 * redis_url.h: how a Redis is named in configuration.
 *
 *	redis://[user:password@]host[:port][/db]     rediss:// the same over TLS
 *	redis+unix://[user:password@]/path[?db=n]
 *	redis+sentinel://[user:password@]a[:26379][,b ...]/master[/db][?sentinel_password=...]
 *
 *	redis+cluster://[user:password@]a[:6379][,b ...]
 *
 * User and password (of the server, not of the sentinels) are percent-decoded; `:password@` alone is
 * the default user's.
 */
#ifndef WEIR_STORE_REDIS_URL_H
#define WEIR_STORE_REDIS_URL_H

#include "base/arena.h"
#include "base/str.h"

enum { REDIS_SENTINELS_MAX = 8 };

struct redis_host {
	struct str host;		/* without brackets */
	uint16_t port;
};

struct redis_url {
	bool tls;
	unsigned n_seeds;		/* nodes of a cluster; 0: no cluster */
	struct redis_host seeds[REDIS_SENTINELS_MAX];
	unsigned n_sentinels;		/* 0: not by Sentinel */
	struct redis_host sentinels[REDIS_SENTINELS_MAX];
	struct str master;		/* its name among the sentinels */
	struct str sentinel_password;
	struct str path;		/* a Unix socket, or none */
	struct str host;		/* without brackets */
	uint16_t port;
	struct str user, password;	/* empty where there are none */
	unsigned db;
};

/* NULL when good; otherwise a constant text that says what is wrong. Strings live in `a` or in `text`. */
const char *redis_url_parse(struct arena *a, struct str text, struct redis_url *out) must_check;

#endif
