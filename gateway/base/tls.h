/*
 * tls.h: TLS contexts and TLS connections over our own sockets; the one door to
 * OpenSSL's SSL_*. Contexts are counted and immutable; a reload makes new ones and
 * running connections keep theirs.
 *
 * TLS 1.2 and 1.3 only, AEAD suites with forward secrecy, no renegotiation, no early
 * data, ALPN http/1.1, records of at most 16 KiB, buffers released when idle.
 */
#ifndef WEIR_BASE_TLS_H
#define WEIR_BASE_TLS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/str.h"

struct tls_context;

struct tls_server_options {
	/* The first pair is the default; further ones are chosen by SNI from the certificate's names. */
	const char *const *certificates;	/* PEM files, chain included */
	const char *const *keys;
	unsigned pairs;
	const char *client_ca;			/* NULL: no client certificates asked */
	const char *client_crl;			/* NULL: none */
};

struct tls_client_options {
	const char *ca_file;			/* NULL: the system's */
	bool insecure_no_verify;		/* tests only; said loudly by `weir check` */
	const char *certificate, *key;		/* our client certificate; NULL: none */
};

/* NULL on failure with one line in `why` naming the file. */
struct tls_context *tls_server_context(const struct tls_server_options *o, struct buf *why);
struct tls_context *tls_client_context(const struct tls_client_options *o, struct buf *why);
struct tls_context *tls_ref(struct tls_context *c);	/* from any thread */
void tls_unref(struct tls_context *c);

/* Make `io` (holding a connected descriptor from io_plain) a TLS one; then io_handshake(). */
bool tls_accept(struct io *io, struct tls_context *c) must_check;
/* Verifies the chain and the host name. Sessions are kept and resumed per context and host. */
bool tls_connect(struct io *io, struct tls_context *c, struct str host) must_check;

/*
 * Gives the SSL_CTX of another library (libcurl's, in its SSL_CTX callback) this client
 * context's trust, client certificate and lowest version. Host names stay that library's to check.
 */
void tls_lend(struct tls_context *c, void *ssl_ctx);
/*
 * An SSL of this client context, host name to be verified, for another library (hiredis') to drive and to
 * free, without ALPN; tls_lend_back() when that library does not take it. NULL: no memory.
 * The context must live as long.
 */
void *tls_lend_connection(struct tls_context *c, struct str host);
void tls_lend_back(void *connection);
bool tls_verifies(const struct tls_context *c);	/* false: insecure_no_verify */

/* Seconds until the end of the certificate that ends first; negative when it is over. Of a server's context. */
int64_t tls_certificate_expires_in(const struct tls_context *c);

#endif
