/*
 * redis_home.c: what the workers' connections to one Redis have in common.
 */
#include "store/redis_home.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "store/redis_tls.h"

static void home_close(struct store_home *h)
{
	struct redis_home *r = container_of(h, struct redis_home, home);
	redis_tls_close(r->place.tls);
	arena_wipe(&r->arena);
	free(r);
}

static void home_name(struct redis_home *h)
{
	const struct redis_url *u = &h->place.url;
	bool v6 = str_chr(u->host, ':') >= 0;
	if (u->path.n)
		snprintf(h->place.name, sizeof(h->place.name), "redis at %.*s, database %u", STR_FMT(u->path), u->db);
	else if (u->n_seeds > 0)
		snprintf(h->place.name, sizeof(h->place.name), "redis cluster of %.*s:%u", STR_FMT(u->seeds[0].host),
			 u->seeds[0].port);
	else if (u->n_sentinels > 0)
		snprintf(h->place.name, sizeof(h->place.name), "redis master %.*s/%u of sentinel %.*s:%u", STR_FMT(u->master),
			 u->db, STR_FMT(u->sentinels[0].host), u->sentinels[0].port);
	else
		snprintf(h->place.name, sizeof(h->place.name), "redis at %s%.*s%s:%u/%u", v6 ? "[" : "",
			 STR_FMT(u->host), v6 ? "]" : "", u->port, u->db);
	snprintf(h->home.name, sizeof(h->home.name), "%s", h->place.name);
}

static void sha_of(char hex[SCRIPT_SHA_SIZE], const char *script)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t sha[DIGEST_SHA1_SIZE];
	digest_sha1(str_c(script), sha);
	for (unsigned i = 0; i < DIGEST_SHA1_SIZE; i++) {
		hex[2 * i] = digits[sha[i] >> 4];
		hex[2 * i + 1] = digits[sha[i] & 15];
	}
}

/* The URL's strings with a NUL behind, for those who need one. */
static void url_keep(struct arena *a, struct redis_url *u)
{
	u->path = str_empty(u->path) ? STR_NONE : arena_copy(a, u->path);
	u->host = arena_copy(a, u->host);
	u->user = arena_copy(a, u->user);
	u->password = arena_copy(a, u->password);
	u->master = arena_copy(a, u->master);
	u->sentinel_password = arena_copy(a, u->sentinel_password);
	for (unsigned i = 0; i < u->n_seeds; i++)
		u->seeds[i].host = arena_copy(a, u->seeds[i].host);
	for (unsigned i = 0; i < u->n_sentinels; i++)
		u->sentinels[i].host = arena_copy(a, u->sentinels[i].host);
}

/* NULL when all is well. */
static const char *home_read(struct redis_home *h, struct str url)
{
	const char *wrong = redis_url_parse(&h->arena, url, &h->place.url);
	if (wrong)
		return wrong;
	url_keep(&h->arena, &h->place.url);
	home_name(h);
	for (unsigned i = 0; i < REDIS_SCRIPTS; i++)
		sha_of(h->sha[i], redis_scripts[i]);
	return NULL;
}

struct redis_home *redis_home_open(const struct store_options *o, struct buf *why)
{
	struct redis_home *h = mem_alloc(sizeof(*h));
	arena_init(&h->arena);
	h->home.close = home_close;
	h->ttl_us = o->ttl_ms ? o->ttl_ms * MS_US : STORE_TTL_S * SECOND_US;
	h->place.command_us = (o->command_ms ? o->command_ms : STORE_COMMAND_MS) * MS_US;
	atomic_store(&h->place.told_us, INT64_MIN / 2);
	const char *wrong = home_read(h, o->url);
	if (wrong)
		buf_addf(why, "store: %s", wrong);
	if (!wrong && h->place.url.tls)
		h->place.tls = redis_tls_open(o->ca_file, h->place.url.host, why);
	if (!wrong && (!h->place.url.tls || h->place.tls))
		return h;
	home_close(&h->home);
	return NULL;
}
