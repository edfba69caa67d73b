/*
 * redis_tls.c: TLS towards Redis by hiredis' own, where its library has it.
 *
 * Debian 12's hiredis (0.14) knows no TLS; the Makefile says where there is one.
 */
#include "store/redis_tls.h"

#ifdef WEIR_HIREDIS_SSL
#else

void *redis_tls_open(const char *ca_file, struct str host, struct buf *why)
{
	(void)ca_file;
	buf_addf(why, "store: rediss://%.*s needs a hiredis with TLS (1.0 or later), and this one has none: "
		 "use a TLS tunnel such as stunnel in front of Redis and redis:// to it, or redis+unix://",
		 STR_FMT(host));
	return NULL;
}

void redis_tls_close(void *tls)
{
	(void)tls;
}

bool redis_tls_begin(struct redisContext *c, void *tls)
{
	(void)c, (void)tls;
	return false;
}
#endif
