/*
 * jwt_key.c: read, verify, check, map; what was verified is remembered by its digest until it ends.
 *
 * The issuer's keys are a set that is replaced as a whole; a worker holds a reference to the one it saw last.
 */
#include "access/jwt_key.h"

#include <pthread.h>
#include <stdlib.h>

#include "access/key_book.h"
#include "access/made_keys.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "core/snapshot.h"
#include "wire/json_cursor.h"
#include "wire/jwt_read.h"

enum { PLACES = 256, LEEWAY_S = 60 };

struct key_set {
	_Atomic unsigned refs;
	unsigned n;
	struct arena arena;		/* of the ids */
	struct {
		struct str kid;
		struct public_key *key;
	} keys[JWK_MAX];
};

/* A token that was verified. */
struct known {
	uint8_t digest[DIGEST_SIZE];
	uint64_t generation, serial;	/* of the keys, and of the configuration */
	int64_t ends_s;
	char name[KEY_NAME_MAX + 1];	/* of its key */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct key_set *current;
static _Atomic uint64_t generation;
static void (*ask_unknown)(void);

static _Thread_local struct known places[PLACES];

/* --- the issuer's keys --- */

static void set_release(struct key_set *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	for (unsigned i = 0; i < s->n; i++)
		public_key_free(s->keys[i].key);
	arena_clear(&s->arena);
	free(s);
}

static void set_replace(struct key_set *fresh)
{
	pthread_mutex_lock(&lock);
	struct key_set *old = current;
	current = fresh;
	pthread_mutex_unlock(&lock);
	atomic_fetch_add(&generation, 1);
	set_release(old);
}

static struct key_set *set_get(void)
{
	pthread_mutex_lock(&lock);
	struct key_set *s = current;
	if (s)
		atomic_fetch_add(&s->refs, 1);
	pthread_mutex_unlock(&lock);
	return s;
}

static struct public_key *make_key(const struct jwk *k)
{
	switch (k->alg) {
	case SIGNATURE_RS256: return public_key_rsa(k->parts[0], k->parts[1]);
	case SIGNATURE_ES256: return public_key_p256(k->parts[0], k->parts[1]);
	default:              return public_key_ed25519(k->parts[0]);
	}
}

bool jwt_keys_publish(struct str text, struct buf *why)
{
	struct key_set *s = mem_alloc(sizeof(*s));
	struct jwk *all = arena_array(&s->arena, struct jwk, JWK_MAX);
	int n = jwks_parse(text, &s->arena, all);
	s->refs = 1;
	for (int i = 0; i < n; i++) {
		struct public_key *key = make_key(&all[i]);
		if (!key)
			continue;
		s->keys[s->n].kid = arena_copy(&s->arena, all[i].kid);	/* the set itself goes */
		s->keys[s->n++].key = key;
	}
	if (s->n) {
		set_replace(s);
		return true;
	}
	buf_addf(why, "%s", n < 0 ? "it is no JSON web key set" : "it holds no key for RS256, ES256 or EdDSA");
	set_release(s);
	return false;
}

void jwt_keys_drop(void)
{
	set_replace(NULL);
}

void jwt_keys_on_unknown(void (*ask)(void))
{
	ask_unknown = ask;
}

/* --- one token --- */

static bool verify(const struct key_set *s, const struct jwt *j, bool *known_id)
{
	*known_id = false;
	for (unsigned i = 0; i < s->n; i++) {
		if (!str_empty(j->kid) && !str_eq(j->kid, s->keys[i].kid))
			continue;
		*known_id = true;
		if (signature_verify(s->keys[i].key, j->alg, j->covered, j->signature))
			return true;
	}
	return false;
}

/* Seconds since 1970; a fraction is dropped. */
static bool moment(struct str value, int64_t *out)
{
	ptrdiff_t dot = str_chr(value, '.');
	return json_type(value) == JSON_NUMBER && json_int(dot > 0 ? str_head(value, (size_t)dot) : value, out);
}

static bool is_for_us(const struct jwt_settings *s, struct str aud)
{
	struct json_cursor c;
	for (unsigned i = 0; i < s->n_audiences; i++) {
		if (json_is(aud, s->audiences[i]))
			return true;
		if (json_type(aud) == JSON_ARRAY && json_cursor_open(&c, aud))
			while (json_cursor_next(&c))
				if (json_is(c.value, s->audiences[i]))
					return true;
	}
	return s->n_audiences == 0;
}

static const char *check_claims(const struct jwt_settings *s, struct str claims, int64_t *ends_s)
{
	int64_t now = clock_wall_us() / SECOND_US, begins_s;
	struct str nbf = json_get(claims, STR("nbf"));
	if (!moment(json_get(claims, STR("exp")), ends_s))
		return "it has no `exp`";
	if (*ends_s > INT64_MAX - LEEWAY_S || *ends_s + LEEWAY_S <= now)
		return "it has expired";
	if (nbf.p && (!moment(nbf, &begins_s) || begins_s - LEEWAY_S > now))
		return "it is not valid yet";
	if (!json_is(json_get(claims, STR("iss")), s->issuer))
		return "its issuer (`iss`) is another";
	if (!is_for_us(s, json_get(claims, STR("aud"))))
		return "it is for another audience (`aud`)";
	return NULL;
}

static const struct key *find_key(struct txn *t, struct str name)
{
	for (unsigned i = 0; i < t->snapshot->n_keys; i++)
		if (str_eq(t->snapshot->keys[i]->name, name))
			return t->snapshot->keys[i];
	struct key_record *r = key_book_named(name);
	const struct key *k = r ? made_key(t->snapshot, r->digest, &t->arena) : NULL;
	key_record_release(r);
	return k;
}

/*
 * The claim's text, or the first of a list that is one of our keys' names; where it says nothing, the key of all tokens. What
 * is neither text nor a list of any names no key.
 */
static struct str key_name(struct txn *t, struct str claims)
{
	static const struct str nobody = STR_INIT(" ");
	const struct jwt_settings *s = &t->snapshot->settings.jwt;
	struct str claim = str_empty(s->key_claim) ? STR_NONE : json_get(claims, s->key_claim);
	struct json_cursor c;
	bool any = false;
	if (str_empty(claim) || json_type(claim) == JSON_NULL || json_is(claim, STR("")))
		return s->key;
	if (json_type(claim) == JSON_STRING)
		return json_text(&t->arena, claim);
	if (json_type(claim) != JSON_ARRAY || !json_cursor_open(&c, claim))
		return nobody;
	for (; json_cursor_next(&c); any = true)
		if (json_type(c.value) == JSON_STRING && find_key(t, json_text(&t->arena, c.value)))
			return json_text(&t->arena, c.value);
	return any ? nobody : s->key;
}

static enum stage_result refuse(struct txn *t, const char *why)
{
	return txn_error(t, ERR_BAD_KEY, "The token is not accepted: %s.", why);
}

static enum stage_result not_yet(struct txn *t)
{
	t->error.retry_after_s = 1;
	return txn_error(t, ERR_OVERLOADED, "The keys of the tokens' issuer are not known yet.");
}

static enum stage_result use(struct txn *t, struct str name)
{
	t->key = find_key(t, name);
	if (!t->key)
		return refuse(t, "it names no key of this gateway");
	t->live_key = t->key->live;
	return STAGE_NEXT;
}

static void remember(struct known *k, const uint8_t digest[DIGEST_SIZE], uint64_t seen, const struct txn *t, int64_t ends_s,
		     struct str name)
{
	if (name.n > KEY_NAME_MAX)
		return;
	*k = (struct known){ .generation = seen, .serial = t->snapshot->serial, .ends_s = ends_s };
	memcpy(k->digest, digest, DIGEST_SIZE);
	if (name.n)
		memcpy(k->name, name.p, name.n);
}

static enum stage_result verify_token(struct txn *t, struct str token, const uint8_t digest[DIGEST_SIZE], struct known *place,
				      struct key_set *set)
{
	struct jwt j;
	int64_t ends_s;
	bool known_id;
	uint64_t seen = atomic_load(&generation);
	const char *why = jwt_read(token, &t->arena, &j);
	if (why)
		return refuse(t, why);
	if (!verify(set, &j, &known_id)) {
		if (!known_id && ask_unknown)
			ask_unknown();
		return refuse(t, known_id ? "its signature is wrong" : "it is signed by a key that its issuer does not show");
	}
	why = check_claims(&t->snapshot->settings.jwt, j.claims, &ends_s);
	if (why)
		return refuse(t, why);
	struct str name = key_name(t, j.claims);
	remember(place, digest, seen, t, ends_s, name);
	return use(t, name);
}

enum stage_result jwt_authenticate(struct txn *t, struct str token)
{
	uint8_t digest[DIGEST_SIZE];
	digest_sha256(token, digest);
	struct known *k = &places[digest[0] % PLACES];
	bool same = k->serial == t->snapshot->serial && k->generation == atomic_load(&generation) && digest_equal(k->digest, digest);
	if (same && clock_wall_us() / SECOND_US < k->ends_s + LEEWAY_S)
		return use(t, str_c(k->name));
	struct key_set *set = set_get();
	if (!set)
		return not_yet(t);
	enum stage_result r = verify_token(t, token, digest, k, set);
	set_release(set);
	return r;
}
