/*
 * signature.c: the other door to OpenSSL's EVP, for keys.
 */
#include "base/signature.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

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
