/*
 * redis_tls.h: TLS towards Redis, where hiredis has it (1.0 and later, built with OpenSSL).
 */
#ifndef WEIR_STORE_REDIS_TLS_H
#define WEIR_STORE_REDIS_TLS_H

#include <stdbool.h>

#include "base/buf.h"

struct redisContext;
struct redis_tls;

/* NULL where hiredis has TLS; otherwise what to say of rediss://. */
extern const char *const redis_tls_missing;

/* One a process. NULL with one line in `why`, also where hiredis has no TLS. `ca_file` NULL: system's trust. */
struct redis_tls *redis_tls_open(const char *ca_file, struct str host, struct buf *why);
void redis_tls_close(struct redis_tls *t);	/* NULL is fine */
/* On a context that is being connected. The server's certificate must be the host's. */
bool redis_tls_begin(struct redis_tls *t, struct redisContext *c) must_check;

#endif
