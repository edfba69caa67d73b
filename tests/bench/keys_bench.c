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

#include "tests/many_keys.h"

enum { LOOKS = 2 * 1000 * 1000 };

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
		key_digest(i % n, digest);
	return (now() - from) / (LOOKS / 4);
}

static void measure(unsigned n)
{
	uint8_t (*digests)[DIGEST_SIZE] = malloc(n * sizeof(*digests));
	size_t before = mallinfo2().uordblks;
	double steps = 0;
	for (unsigned i = 0; i < n; i++)
		if (!key_put(i))
			abort();
	size_t bytes = mallinfo2().uordblks - before;
	for (unsigned i = 0; i < n; i++) {
		key_digest(i, digests[i]);
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
