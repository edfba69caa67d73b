/*
 * tls_context.c: what TLS connections have in common: versions, suites, certificates, trust.
 */
#include "base/tls_context.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"

enum { PAIRS_MAX = 64, SESSIONS_MAX = 64 };

static const char suites12[] =
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
	"ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

struct kept_session {
	uint64_t host;
	SSL_SESSION *session;
};

struct tls_context {
	_Atomic int refs;
	SSL_CTX *pairs[PAIRS_MAX];	/* the first is the default and owns the callbacks */
	unsigned n;
	pthread_mutex_t lock;		/* of the kept sessions, taken at handshakes only */
	struct kept_session kept[SESSIONS_MAX];
};

static int context_index = -1, host_index = -1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_indexes(void)
{
	context_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	host_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

static bool complain(struct buf *why, const char *what, const char *file)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	buf_addf(why, "%s%s%s: %s", what, file ? " " : "", file ? file : "", reason ? reason : "unusable");
	ERR_clear_error();
	return false;
}

static SSL_CTX *usual_context(const SSL_METHOD *method)
{
	SSL_CTX *c = SSL_CTX_new(method);
	if (!c)
		return NULL;
	SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(c, suites12);
	SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_max_early_data(c, 0);
	return c;
}

/* --- servers --- */

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *length, const unsigned char *in,
			   unsigned in_length, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	(void)ssl, (void)arg;
	if (SSL_select_next_proto((unsigned char **)(uintptr_t)out, length, ours, sizeof(ours) - 1, in, in_length) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	return SSL_TLSEXT_ERR_OK;
}

static bool certificate_names(SSL_CTX *c, const char *host)
{
	X509 *x = SSL_CTX_get0_certificate(c);
	return x && X509_check_host(x, host, 0, 0, NULL) == 1;
}

/* The first pair whose certificate bears the name; the default for unknown or missing names. */
static int choose_certificate(SSL *ssl, int *alert, void *arg)
{
	struct tls_context *c = arg;
	const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	(void)alert;
	for (unsigned i = 0; host && i < c->n; i++) {
		if (!certificate_names(c->pairs[i], host))
			continue;
		SSL_set_SSL_CTX(ssl, c->pairs[i]);
		break;
	}
	return SSL_TLSEXT_ERR_OK;
}

static bool load_pair(SSL_CTX *c, const char *certificate, const char *key, struct buf *why)
{
	if (SSL_CTX_use_certificate_chain_file(c, certificate) != 1)
		return complain(why, "certificate", certificate);
	if (SSL_CTX_use_PrivateKey_file(c, key, SSL_FILETYPE_PEM) != 1)
		return complain(why, "private key", key);
	if (SSL_CTX_check_private_key(c) != 1)
		return complain(why, "the private key does not belong to the certificate", certificate);
	return true;
}

static bool ask_client_certificate(SSL_CTX *c, const struct tls_server_options *o, struct buf *why)
{
	if (!o->client_ca)
		return true;
	if (SSL_CTX_load_verify_locations(c, o->client_ca, NULL) != 1)
		return complain(why, "client CA", o->client_ca);
	SSL_CTX_set_client_CA_list(c, SSL_load_client_CA_file(o->client_ca));
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	if (!o->client_crl)
		return true;
	X509_STORE *store = SSL_CTX_get_cert_store(c);
	X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
	if (!lookup || X509_load_crl_file(lookup, o->client_crl, X509_FILETYPE_PEM) < 1)
		return complain(why, "client CRL", o->client_crl);
	X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
	return true;
}

static bool add_pair(struct tls_context *c, const struct tls_server_options *o, unsigned i, struct buf *why)
{
	static const unsigned char id[] = "weir";
	SSL_CTX *ctx = usual_context(TLS_server_method());
	if (!ctx)
		return complain(why, "TLS", NULL);
	c->pairs[c->n++] = ctx;
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1);
	return load_pair(ctx, o->certificates[i], o->keys[i], why) && ask_client_certificate(ctx, o, why);
}

static struct tls_context *new_context(void)
{
	pthread_once(&once, make_indexes);
	struct tls_context *c = mem_alloc(sizeof(*c));
	atomic_store(&c->refs, 1);
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

struct tls_context *tls_server_context(const struct tls_server_options *o, struct buf *why)
{
	struct tls_context *c = new_context();
	for (unsigned i = 0; i < o->pairs && i < PAIRS_MAX; i++) {
		if (!add_pair(c, o, i, why)) {
			tls_unref(c);
			return NULL;
		}
	}
	SSL_CTX_set_tlsext_servername_callback(c->pairs[0], choose_certificate);
	SSL_CTX_set_tlsext_servername_arg(c->pairs[0], c);
	return c;
}

/* --- clients --- */

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls_context *c = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index);
	uint64_t host = (uint64_t)(uintptr_t)SSL_get_ex_data(ssl, host_index);
	struct kept_session *k = &c->kept[host % SESSIONS_MAX];
	pthread_mutex_lock(&c->lock);
	SSL_SESSION *old = k->session;
	*k = (struct kept_session){ host, session };
	pthread_mutex_unlock(&c->lock);
	SSL_SESSION_free(old);
	return 1;
}

void tls_context_resume(struct tls_context *c, SSL *ssl, struct str host)
{
	uint64_t hash = str_hash(host);
	struct kept_session *k = &c->kept[hash % SESSIONS_MAX];
	SSL_set_ex_data(ssl, host_index, (void *)(uintptr_t)hash);
	pthread_mutex_lock(&c->lock);
	if (k->session && k->host == hash)
		SSL_set_session(ssl, k->session);
	pthread_mutex_unlock(&c->lock);
}

static bool set_trust(SSL_CTX *ctx, const struct tls_client_options *o, struct buf *why)
{
	if (o->insecure_no_verify) {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
		return true;
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (o->ca_file)
		return SSL_CTX_load_verify_locations(ctx, o->ca_file, NULL) == 1 || complain(why, "CA file", o->ca_file);
	return SSL_CTX_set_default_verify_paths(ctx) == 1 || complain(why, "the system's certificates", NULL);
}

struct tls_context *tls_client_context(const struct tls_client_options *o, struct buf *why)
{
	static const unsigned char protocols[] = "\x08http/1.1";
	struct tls_context *c = new_context();
	SSL_CTX *ctx = usual_context(TLS_client_method());
	c->pairs[c->n++] = ctx;
	SSL_CTX_set_alpn_protos(ctx, protocols, sizeof(protocols) - 1);
	SSL_CTX_set_ex_data(ctx, context_index, c);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, keep_session);
	bool good = set_trust(ctx, o, why) && (!o->certificate || load_pair(ctx, o->certificate, o->key, why));
	if (good)
		return c;
	tls_unref(c);
	return NULL;
}

/* --- both --- */

SSL_CTX *tls_context_ssl(struct tls_context *c)
{
	return c->pairs[0];
}

void tls_lend(struct tls_context *c, void *ssl_ctx)
{
	SSL_CTX *from = c->pairs[0], *to = ssl_ctx;
	X509 *certificate = SSL_CTX_get0_certificate(from);
	STACK_OF(X509) *chain = NULL;
	SSL_CTX_set1_cert_store(to, SSL_CTX_get_cert_store(from));
	SSL_CTX_set_min_proto_version(to, TLS1_2_VERSION);
	if (!certificate)
		return;
	SSL_CTX_get0_chain_certs(from, &chain);
	SSL_CTX_use_cert_and_key(to, certificate, SSL_CTX_get0_privatekey(from), chain, 1);
}

bool tls_verifies(const struct tls_context *c)
{
	return SSL_CTX_get_verify_mode(c->pairs[0]) != SSL_VERIFY_NONE;
}

struct tls_context *tls_ref(struct tls_context *c)
{
	atomic_fetch_add(&c->refs, 1);
	return c;
}

void tls_unref(struct tls_context *c)
{
	if (!c || atomic_fetch_sub(&c->refs, 1) > 1)
		return;
	for (unsigned i = 0; i < SESSIONS_MAX; i++)
		SSL_SESSION_free(c->kept[i].session);
	for (unsigned i = 0; i < c->n; i++)
		SSL_CTX_free(c->pairs[i]);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

int64_t tls_certificate_expires_in(const struct tls_context *c)
{
	int64_t least = INT64_MAX;
	for (unsigned i = 0; i < c->n; i++) {
		int days, seconds;
		X509 *x = SSL_CTX_get0_certificate(c->pairs[i]);
		if (!x || !ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(x)))
			continue;
		int64_t left = (int64_t)days * 86400 + seconds;
		least = left < least ? left : least;
	}
	return least;
}
