/*
 * signature.c: the other door to OpenSSL's EVP, for keys.
 */
#include "base/signature.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdlib.h>

/* Nobody is asked on a terminal. */
static int no_passphrase(char *to, int size, int writing, void *arg)
{
	(void)to, (void)size, (void)writing, (void)arg;
	return -1;
}

static EVP_PKEY *key_of(struct str pem)
{
	BIO *b = pem.n && pem.n <= INT32_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
	EVP_PKEY *key = b ? PEM_read_bio_PrivateKey(b, NULL, no_passphrase, NULL) : NULL;
	BIO_free(b);
	return key;
}

size_t signature_rs256(struct str pem, struct str bytes, uint8_t out[SIGNATURE_MAX])
{
	size_t n = SIGNATURE_MAX;
	EVP_PKEY *key = key_of(pem);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good = key && c && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_size(key) <= SIGNATURE_MAX &&
		    EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, key) == 1 &&
		    EVP_DigestSign(c, out, &n, (const unsigned char *)bytes.p, bytes.n) == 1;
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(key);
	return good ? n : 0;
}

/* --- signatures of others --- */

enum { RSA_BITS_LEAST = 2048, RSA_BITS_MOST = 8192, P256_HALF = 32, ED25519_SIZE = 32, DER_MAX = 80 };

struct public_key {
	enum signature_kind kind;
	EVP_PKEY *key;
};

static struct public_key *public_key_new(enum signature_kind kind, EVP_PKEY *key)
{
	struct public_key *k = key ? malloc(sizeof(*k)) : NULL;
	if (k)
		*k = (struct public_key){ kind, key };
	else
		EVP_PKEY_free(key);
	return k;
}

void public_key_free(struct public_key *k)
{
	if (k)
		EVP_PKEY_free(k->key);
	free(k);
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	if (!c || EVP_PKEY_fromdata_init(c) != 1 || EVP_PKEY_fromdata(c, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(c);
	return key;
}

struct public_key *public_key_rsa(struct str n, struct str e)
{
	if (n.n == 0 || n.n > RSA_BITS_MOST / 8 || e.n == 0 || e.n > 8)
		return NULL;
	EVP_PKEY *key = NULL;
	BIGNUM *modulus = BN_bin2bn((const unsigned char *)n.p, (int)n.n, NULL);
	BIGNUM *exponent = BN_bin2bn((const unsigned char *)e.p, (int)e.n, NULL);
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	if (b && modulus && exponent && BN_num_bits(modulus) >= RSA_BITS_LEAST && BN_is_odd(exponent) && !BN_is_one(exponent) &&
	    OSSL_PARAM_BLD_push_BN(b, "n", modulus) == 1 && OSSL_PARAM_BLD_push_BN(b, "e", exponent) == 1)
		params = OSSL_PARAM_BLD_to_param(b);
	if (params)
		key = from_params("RSA", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	BN_free(modulus);
	BN_free(exponent);
	return public_key_new(SIGNATURE_RS256, key);
}

struct public_key *public_key_p256(struct str x, struct str y)
{
	unsigned char point[1 + 2 * P256_HALF] = { 4 };
	char curve[] = "P-256";
	if (x.n != P256_HALF || y.n != P256_HALF)
		return NULL;
	memcpy(point + 1, x.p, x.n);
	memcpy(point + 1 + P256_HALF, y.p, y.n);
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("group", curve, 0),
				OSSL_PARAM_construct_octet_string("pub", point, sizeof(point)), OSSL_PARAM_construct_end() };
	return public_key_new(SIGNATURE_ES256, from_params("EC", params));
}

struct public_key *public_key_ed25519(struct str x)
{
	if (x.n != ED25519_SIZE)
		return NULL;
	return public_key_new(SIGNATURE_EDDSA, EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)x.p, x.n));
}

/* OpenSSL reads the two numbers in DER. */
static size_t es256_der(struct str signature, unsigned char out[DER_MAX])
{
	const unsigned char *p = (const unsigned char *)signature.p;
	if (signature.n != 2 * P256_HALF)
		return 0;
	ECDSA_SIG *s = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(p, P256_HALF, NULL), *v = BN_bin2bn(p + P256_HALF, P256_HALF, NULL);
	unsigned char *to = out;
	int n = 0;
	if (s && r && v && ECDSA_SIG_set0(s, r, v) == 1) {
		n = i2d_ECDSA_SIG(s, &to);
	} else {
		BN_free(r);
		BN_free(v);
	}
	ECDSA_SIG_free(s);
	return n > 0 ? (size_t)n : 0;
}

bool signature_verify(const struct public_key *k, enum signature_kind kind, struct str bytes, struct str signature)
{
	unsigned char der[DER_MAX];
	if (k->kind != kind)
		return false;
	if (kind == SIGNATURE_ES256) {
		signature.n = es256_der(signature, der);
		signature.p = (const char *)der;
		if (signature.n == 0)
			return false;
	}
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good = c && EVP_DigestVerifyInit(c, NULL, kind == SIGNATURE_EDDSA ? NULL : EVP_sha256(), NULL, k->key) == 1 &&
		    EVP_DigestVerify(c, (const unsigned char *)signature.p, signature.n, (const unsigned char *)bytes.p, bytes.n) == 1;
	EVP_MD_CTX_free(c);
	ERR_clear_error();
	return good;
}
