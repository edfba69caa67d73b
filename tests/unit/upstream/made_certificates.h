/*
 * made_certificates.h: certificates made on the spot, so that none in the tree can expire:
 * an authority, and what it signs for a name and a span of days around now.
 */
#ifndef WEIR_TESTS_MADE_CERTIFICATES_H
#define WEIR_TESTS_MADE_CERTIFICATES_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

struct made_certificate {
	EVP_PKEY *key;
	X509 *x509;
	char file[128], key_file[128];
};

static inline void made_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	if (!e)
		abort();
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
}

static inline void made_write(struct made_certificate *c, const char *folder, const char *name)
{
	snprintf(c->file, sizeof(c->file), "%s/%s.pem", folder, name);
	snprintf(c->key_file, sizeof(c->key_file), "%s/%s.key", folder, name);
	FILE *f = fopen(c->file, "w"), *k = fopen(c->key_file, "w");
	if (!f || !k)
		abort();
	PEM_write_X509(f, c->x509);
	PEM_write_PrivateKey(k, c->key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	fclose(k);
}

/* Signed by `by`, or by itself when NULL. `names`: "DNS:localhost,IP:127.0.0.1"; NULL makes an authority. */
static inline struct made_certificate make_certificate(const char *folder, const char *name, const char *names,
						       const struct made_certificate *by, int from_day, int to_day)
{
	struct made_certificate c = { .key = EVP_EC_gen("P-256"), .x509 = X509_new() };
	X509_set_version(c.x509, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(c.x509), rand());
	X509_gmtime_adj(X509_getm_notBefore(c.x509), from_day * 86400L);
	X509_gmtime_adj(X509_getm_notAfter(c.x509), to_day * 86400L);
	X509_set_pubkey(c.x509, c.key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(c.x509), "CN", MBSTRING_ASC,
				   (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(c.x509, X509_get_subject_name(by ? by->x509 : c.x509));
	if (names)
		made_extension(c.x509, NID_subject_alt_name, names);
	else
		made_extension(c.x509, NID_basic_constraints, "critical,CA:TRUE");
	X509_sign(c.x509, by ? by->key : c.key, EVP_sha256());
	made_write(&c, folder, name);
	return c;
}

static inline void drop_certificate(struct made_certificate *c)
{
	unlink(c->file);
	unlink(c->key_file);
	X509_free(c->x509);
	EVP_PKEY_free(c->key);
}

#endif
