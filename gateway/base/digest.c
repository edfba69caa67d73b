/*
 * digest.c: SHA-256, HMAC, random bytes, constant-time comparison.
 *
 * Fetching an algorithm takes locks in OpenSSL 3, so it is fetched once, and each thread
 * keeps one context.
 */
#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>

static EVP_MD *sha256;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local EVP_MD_CTX *context;

static void fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!sha256)
		abort();
}

void digest_sha256_parts(const struct iovec *parts, int n, uint8_t out[DIGEST_SIZE])
{
	pthread_once(&once, fetch);
	if (!context)
		context = EVP_MD_CTX_new();
	if (!context || !EVP_DigestInit_ex2(context, sha256, NULL))
		abort();
	for (int i = 0; i < n; i++)
		if (!EVP_DigestUpdate(context, parts[i].iov_base, parts[i].iov_len))
			abort();
	if (!EVP_DigestFinal_ex(context, out, NULL))
		abort();
}

/* The digest of `head` and `tail` in a row. */
static void hash(struct str head, struct str tail, uint8_t out[DIGEST_SIZE])
{
	const struct iovec parts[] = { { (void *)(uintptr_t)head.p, head.n }, { (void *)(uintptr_t)tail.p, tail.n } };
	digest_sha256_parts(parts, 2, out);
}

void digest_sha256(struct str bytes, uint8_t out[DIGEST_SIZE])
{
	hash(bytes, STR(""), out);
}

struct digest *digest_new(void)
{
	pthread_once(&once, fetch);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	if (!c || !EVP_DigestInit_ex2(c, sha256, NULL))
		abort();
	return (struct digest *)c;
}

void digest_add(struct digest *d, struct str bytes)
{
	if (!EVP_DigestUpdate((EVP_MD_CTX *)d, bytes.p, bytes.n))
		abort();
}

void digest_end(struct digest *d, uint8_t out[DIGEST_SIZE])
{
	if (!EVP_DigestFinal_ex((EVP_MD_CTX *)d, out, NULL))
		abort();
	EVP_MD_CTX_free((EVP_MD_CTX *)d);
}

/* On our own hash, since OpenSSL 3 fetches its HMAC under locks at each use. */
void digest_hmac_sha256(struct str key, struct str bytes, uint8_t out[DIGEST_SIZE])
{
	enum { BLOCK = 64, INNER = 0x36, OUTER = 0x5c };
	uint8_t pad[BLOCK] = { 0 }, inner[DIGEST_SIZE];
	struct str padded = str_of((const char *)pad, BLOCK);
	if (key.n > BLOCK)
		digest_sha256(key, pad);
	else if (key.n)
		memcpy(pad, key.p, key.n);
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] ^= INNER;
	hash(padded, bytes, inner);
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] ^= INNER ^ OUTER;
	hash(padded, str_of((const char *)inner, DIGEST_SIZE), out);
	secret_wipe(pad, sizeof(pad));
	secret_wipe(inner, sizeof(inner));
}

void digest_sha1(struct str bytes, uint8_t out[DIGEST_SHA1_SIZE])
{
	if (!EVP_Digest(bytes.p, bytes.n, out, NULL, EVP_sha1(), NULL))
		abort();
}

void digest_thread_end(void)
{
	EVP_MD_CTX_free(context);
	context = NULL;
}

bool digest_equal(const uint8_t a[DIGEST_SIZE], const uint8_t b[DIGEST_SIZE])
{
	return CRYPTO_memcmp(a, b, DIGEST_SIZE) == 0;
}

static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool digest_from_hex(struct str hex, uint8_t out[DIGEST_SIZE])
{
	if (hex.n != 2 * DIGEST_SIZE)
		return false;
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		int high = hex_value(hex.p[2 * i]), low = hex_value(hex.p[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void digest_to_hex(const uint8_t in[DIGEST_SIZE], char out[2 * DIGEST_SIZE + 1])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		out[2 * i] = digits[in[i] >> 4];
		out[2 * i + 1] = digits[in[i] & 15];
	}
	out[2 * DIGEST_SIZE] = '\0';
}

void random_bytes(void *to, size_t n)
{
	if (RAND_bytes(to, (int)n) != 1)
		abort();
}

/* xorshift64*: seeded once per thread. */
uint64_t random_u64(void)
{
	static _Thread_local uint64_t state;
	while (state == 0)
		random_bytes(&state, sizeof(state));
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545F4914F6CDD1Du;
}

void secret_wipe(void *p, size_t n)
{
	OPENSSL_cleanse(p, n);
}

size_t base64_encode(struct str bytes, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *u = (const unsigned char *)bytes.p;
	size_t n = 0;
	for (size_t i = 0; i < bytes.n; i += 3) {
		size_t left = bytes.n - i;
		uint32_t v = (uint32_t)u[i] << 16 | (left > 1 ? (uint32_t)u[i + 1] << 8 : 0) | (left > 2 ? u[i + 2] : 0u);
		out[n++] = digits[v >> 18];
		out[n++] = digits[v >> 12 & 63];
		out[n++] = left > 1 ? digits[v >> 6 & 63] : '=';
		out[n++] = left > 2 ? digits[v & 63] : '=';
	}
	return n;
}
