/*
 * redis_tls.c: TLS towards Redis: hiredis drives the connection, base/tls says whom to trust.
 *
 * hiredis verifies no host name by itself, so it is given a connection of ours. Debian 12's hiredis
 * (0.14) knows no TLS; the Makefile finds out where there is one.
 */
#include "store/redis_tls.h"

#ifdef WEIR_HIREDIS_SSL

#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>

#include "base/mem.h"
#include "base/tls.h"

const char *const redis_tls_missing = NULL;

struct redis_tls {
	struct tls_context *context;
	char *host;
	size_t host_n;
};

struct redis_tls *redis_tls_open(const char *ca_file, struct str host, struct buf *why)
{
	struct tls_context *context = tls_client_context(&(struct tls_client_options){ .ca_file = ca_file }, why);
	if (!context)
		return NULL;
	struct redis_tls *t = mem_alloc(sizeof(*t));
	*t = (struct redis_tls){ .context = context, .host = mem_copy(host), .host_n = host.n };
	return t;
}

void redis_tls_close(struct redis_tls *t)
{
	if (!t)
		return;
	tls_unref(t->context);
	free(t->host);
	free(t);
}

bool redis_tls_begin(struct redis_tls *t, struct redisContext *c)
{
	void *connection = tls_lend_connection(t->context, str_of(t->host, t->host_n));
	if (connection && redisInitiateSSL(c, connection) == REDIS_OK)
		return true;
	tls_lend_back(connection);
	return false;
}

#else

const char *const redis_tls_missing =
	"rediss:// needs a hiredis with TLS (1.0 or later), and this one has none: put a TLS tunnel such as stunnel in "
	"front of Redis and name it by redis:// or redis+unix://";

struct redis_tls *redis_tls_open(const char *ca_file, struct str host, struct buf *why)
{
	(void)ca_file, (void)host;
	buf_addf(why, "store: %s", redis_tls_missing);
	return NULL;
}

void redis_tls_close(struct redis_tls *t)
{
	(void)t;
}

bool redis_tls_begin(struct redis_tls *t, struct redisContext *c)
{
	(void)t, (void)c;
	return false;
}
#endif
