/*
 * key_secret.c: secrets of virtual keys.
 */
#include "access/key_secret.h"

#include <pthread.h>

#include "base/digest.h"
#include "core/live.h"

enum { RANDOM_PART = 34, CHECK_PART = 6 };

static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static char default_secret[KEY_SECRET_SIZE];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Rejects bytes that would favour the first letters. */
static char random_letter(void)
{
	uint8_t b;
	do
		random_bytes(&b, 1);
	while (b >= 62 * 4);
	return letters[b % 62];
}

void key_secret_make(char to[KEY_SECRET_SIZE])
{
	static const char prefix[] = "sk-weir-";
	uint8_t digest[DIGEST_SIZE];
	size_t n = sizeof(prefix) - 1;
	memcpy(to, prefix, n);
	for (int i = 0; i < RANDOM_PART; i++)
		to[n++] = random_letter();
	digest_sha256(str_of(to, n), digest);
	for (int i = 0; i < CHECK_PART; i++)
		to[n++] = letters[digest[i] % 62];
	to[n] = '\0';
}

static void make_default(void)
{
	key_secret_make(default_secret);
}

struct str key_secret_default(void)
{
	pthread_once(&once, make_default);
	return str_c(default_secret);
}

void key_secret_add(struct snapshot *s, struct str name, struct str secret)
{
	struct key *k = arena_new(&s->arena, struct key);
	struct key **keys = arena_array(&s->arena, struct key *, s->n_keys + 1);
	k->name = name;
	digest_sha256(secret, k->digest);
	k->live = live_key(name);
	if (s->n_keys)
		memcpy(keys, s->keys, s->n_keys * sizeof(*keys));
	keys[s->n_keys++] = k;
	s->keys = keys;
	snapshot_index(s);
}
