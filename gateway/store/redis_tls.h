/*
 * redis_tls.h: TLS towards Redis, where hiredis has it (1.0 and later, built with OpenSSL).
 */
#ifndef WEIR_STORE_REDIS_TLS_H
#define WEIR_STORE_REDIS_TLS_H

#include <stdbool.h>

#include "base/buf.h"

struct redisContext;

/* One a process. NULL with one line in `why`, also where hiredis has no TLS. `ca_file` NULL: system's trust. */
void *redis_tls_open(const char *ca_file, struct str host, struct buf *why);
void redis_tls_close(void *tls);
/* On a context that is not connected yet. */
bool redis_tls_begin(struct redisContext *c, void *tls) must_check;

#endif
