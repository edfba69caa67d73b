/*
 * digest.h: SHA-256, HMAC, random bytes and comparison in constant time; the one door to
 * OpenSSL's EVP and RAND (keys that sign: base/signature.h).
 */
#ifndef WEIR_BASE_DIGEST_H
#define WEIR_BASE_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/uio.h>

#include "base/str.h"

enum { DIGEST_SIZE = 32 };

void digest_sha256(struct str bytes, uint8_t out[DIGEST_SIZE]);	/* reuses a context per thread */
void digest_sha256_parts(const struct iovec *parts, int n, uint8_t out[DIGEST_SIZE]);	/* of all of them in a row */
/* The same of bytes that come one after the other. */
struct digest;
struct digest *digest_new(void);
void digest_add(struct digest *d, struct str bytes);
void digest_end(struct digest *d, uint8_t out[DIGEST_SIZE]);	/* frees it */
void digest_hmac_sha256(struct str key, struct str bytes, uint8_t out[DIGEST_SIZE]);	/* RFC 2104 */
enum { DIGEST_SHA1_SIZE = 20 };
void digest_sha1(struct str bytes, uint8_t out[DIGEST_SHA1_SIZE]);	/* a name where a protocol asks for it, no protection */
void digest_thread_end(void);
bool digest_equal(const uint8_t a[DIGEST_SIZE], const uint8_t b[DIGEST_SIZE]);	/* constant time */
bool digest_from_hex(struct str hex, uint8_t out[DIGEST_SIZE]);
void digest_to_hex(const uint8_t in[DIGEST_SIZE], char out[2 * DIGEST_SIZE + 1]);

void random_bytes(void *to, size_t n);	/* aborts when the system has none */
uint64_t random_u64(void);		/* fast, per thread, not for secrets: jitter, ids' tails, hash seeds */
void secret_wipe(void *p, size_t n);

/* Base64 (RFC 4648, padded). `out` takes 4 * ((n + 2) / 3) bytes. Returns the length. */
size_t base64_encode(struct str bytes, char *out);

#endif
