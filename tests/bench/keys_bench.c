/*
 * keys_bench.c: what keys made while running take in memory, and a look-up among few and among many: time on the core.
 *
 * One line of JSON a row: how many keys, bytes of each, nanoseconds of a look-up (the digest of the secret, and finding
 * it), those of the finding alone, and the mean of the records that are looked at for it.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "access/key_book.h"
#include "base/digest.h"

enum { LOOKS = 2 * 1000 * 1000, HEX = 2 * DIGEST_SIZE + 1 };

static void digest_of(unsigned i, uint8_t digest[DIGEST_SIZE])
{
	char secret[64];
	int n = snprintf(secret, sizeof(secret), "sk-weir-0123456789abcdefghijklmnopq%08u", i);
	digest_sha256(str_of(secret, (size_t)n), digest);
}

static void put(unsigned i)
{
	char text[512], hex[HEX];
	uint8_t digest[DIGEST_SIZE];
	digest_of(i, digest);
	digest_to_hex(digest, hex);
	int n = snprintf(text, sizeof(text), "{\"name\":\"customer-%u\",\"digest\":\"%.64s\",\"created\":1795000000,\"expires\":0,\"disabled\":false,"
			 "\"revoked\":false,\"of\":{\"team\":\"team-%u\",\"models\":[\"assistant\"],\"limits\":{\"requests_per_minute\":60}}}", i,
			 hex, i % 1000);
	if (!key_book_put(str_of(text, (size_t)n), i + 1))
		abort();
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double find_all(unsigned n, const uint8_t (*digests)[DIGEST_SIZE])
{
	double from = now();
	for (unsigned i = 0; i < LOOKS; i++) {
		struct key_record *r = key_book_find(digests[i * 7919u % n]);
		if (!r)
			abort();
		key_record_release(r);
	}
	return (now() - from) / LOOKS;
}

static double digest_all(unsigned n)
{
	uint8_t digest[DIGEST_SIZE];
	double from = now();
	for (unsigned i = 0; i < LOOKS / 4; i++)
		digest_of(i % n, digest);
	return (now() - from) / (LOOKS / 4);
}

static void measure(unsigned n)
{
	uint8_t (*digests)[DIGEST_SIZE] = malloc(n * sizeof(*digests));
	size_t before = mallinfo2().uordblks;
	double steps = 0;
	for (unsigned i = 0; i < n; i++)
		put(i);
	size_t bytes = mallinfo2().uordblks - before;
	for (unsigned i = 0; i < n; i++) {
		digest_of(i, digests[i]);
		steps += key_book_steps(digests[i]);
	}
	double find = find_all(n, (const uint8_t (*)[DIGEST_SIZE])digests);
	printf("{\"row\":\"%u keys\",\"mib\":%.1f,\"bytes\":%zu,\"ns\":%.0f,\"find_ns\":%.0f,\"steps\":%.2f}\n", n, (double)bytes / (1 << 20),
	       bytes / n, find + digest_all(n), find, steps / n);
	key_book_clear();
	free(digests);
}

int main(void)
{
	measure(1000);
	measure(100 * 1000);
	return 0;
}
