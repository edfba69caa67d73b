/*
 * tls_context.h: between tls.c and tls_context.c only.
 */
#ifndef WEIR_BASE_TLS_CONTEXT_H
#define WEIR_BASE_TLS_CONTEXT_H

#include <openssl/ssl.h>

#include "base/tls.h"

SSL_CTX *tls_context_ssl(struct tls_context *c);

/* Offers a kept session of this host, and has new ones kept. */
void tls_context_resume(struct tls_context *c, SSL *ssl, struct str host);

#endif
