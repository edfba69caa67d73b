/*
 * many_keys.h: keys by their number, for a book of many.
 */
#ifndef WEIR_TESTS_MANY_KEYS_H
#define WEIR_TESTS_MANY_KEYS_H

#include <stdio.h>

#include "access/key_book.h"
#include "base/digest.h"

static inline void key_digest(unsigned i, uint8_t digest[DIGEST_SIZE])
{
	char secret[64];
	int n = snprintf(secret, sizeof(secret), "sk-weir-0123456789abcdefghijklmnopq%08u", i);
	digest_sha256(str_of(secret, (size_t)n), digest);
}

static inline bool key_put(unsigned i)
{
	char text[512], hex[2 * DIGEST_SIZE + 1];
	uint8_t digest[DIGEST_SIZE];
	key_digest(i, digest);
	digest_to_hex(digest, hex);
	int n = snprintf(text, sizeof(text), "{\"name\":\"customer-%u\",\"digest\":\"%.64s\",\"created\":1795000000,\"expires\":0,\"disabled\":false,"
			 "\"revoked\":false,\"of\":{\"team\":\"team-%u\",\"models\":[\"assistant\"],\"limits\":{\"requests_per_minute\":60}}}", i,
			 hex, i % 1000);
	return key_book_put(str_of(text, (size_t)n), i + 1);
}

#endif
