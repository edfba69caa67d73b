/*
 * auth.c: who calls. The secret is hashed before anything else looks at it; only the
 * digest is searched for. With no keys configured any credential is accepted and ignored,
 * so an application changes nothing but its base URL.
 */
#include "access/auth.h"

#include "access/jwt_key.h"
#include "access/key_book.h"
#include "access/made_keys.h"
#include "base/clock.h"
#include "base/digest.h"
#include "core/dialect.h"
#include "core/endpoint.h"
#include "core/families.h"
#include "core/live.h"
#include "core/refused.h"
#include "core/snapshot.h"
#include "core/txn.h"
#include "wire/jwt_read.h"
#include "wire/url.h"

enum { SECRET_MAX = 4096 };	/* of a key; tokens may be longer */

/* The credential of `Authorization`, whose scheme must be Bearer. */
static bool bearer_secret(struct str header, struct str *secret)
{
	if (!str_istarts(header, STR("bearer ")))
		return false;
	*secret = str_trim(str_skip(header, 7));
	return !str_empty(*secret) && str_chr(*secret, ' ') < 0 && str_chr(*secret, ',') < 0;
}

/* In the query, where the caller's format has it there. */
static struct str query_secret(struct txn *t)
{
	struct str value = STR_NONE;
	const char *name = t->endpoint->dialect ? t->endpoint->dialect->key_query : NULL;
	if (!name || !url_query_find(t->req->query, str_c(name), &value) || !url_decode(&t->arena, value, true, &value))
		return STR_NONE;
	return value;
}

/* Collects the one secret this request carries. Two different ones, or none that can be read, fail. */
static bool find_secret(struct txn *t, struct str *secret, const char **why)
{
	const struct request *req = t->req;
	const struct str direct[] = { req->header[RH_API_KEY], req->header[RH_GOOG_API_KEY], query_secret(t) };
	*secret = STR_NONE;
	if (req->header[RH_AUTHORIZATION].p && !bearer_secret(req->header[RH_AUTHORIZATION], secret)) {
		*why = "The Authorization header must read `Bearer KEY`.";
		return false;
	}
	for (unsigned i = 0; i < array_len(direct); i++) {
		if (!direct[i].p)
			continue;
		struct str one = str_trim(direct[i]);
		if (secret->p && !str_eq(*secret, one)) {
			*why = "Two different keys were given; send one.";
			return false;
		}
		*secret = one;
	}
	if (str_empty(*secret) || secret->n > (jwt_looks(*secret) ? JWT_READ_MAX : SECRET_MAX)) {
		*why = "No key was given. Send `Authorization: Bearer KEY`.";
		return false;
	}
	return true;
}

/* No keys: anybody may call, once it is known that there are none. */
static enum stage_result open_to_all(struct txn *t)
{
	if (!key_book_unknown())
		return STAGE_NEXT;
	t->error.retry_after_s = 1;
	return txn_error(t, ERR_OVERLOADED, "Whether callers need keys is kept in the store, which has not answered yet.");
}

/* Would it be refused whatever it asks for? Each request counts as one; tokens are of those that are answered with text. */
static bool is_sure(const struct txn *t, const struct limit_rule *rule)
{
	if (rule->unit == LIMIT_REQUESTS)
		return t->endpoint->route != ROUTE_HERE;
	return rule->unit == LIMIT_TOKENS && t->endpoint->good == ANSWER_TEXT && !t->snapshot->plugins;
}

/* A limit of the key or its team was reached a moment ago, and only time helps. */
static enum stage_result not_denied(struct txn *t)
{
	struct refused r;
	if (likely(!refused_before(t, &r)) || !is_sure(t, r.rule))
		return STAGE_NEXT;
	families_refusal(t->live_key);
	return refuse(t, &r);
}

static enum stage_result enter(struct txn *t)
{
	const char *why = NULL;
	struct str secret;
	if (t->endpoint->open)
		return STAGE_NEXT;
	bool tokens = !str_empty(t->snapshot->settings.jwt.jwks);
	if (t->snapshot->n_keys == 0 && !key_book_used() && !tokens)
		return open_to_all(t);
	if (!find_secret(t, &secret, &why))
		return txn_error(t, ERR_NO_KEY, "%s", why);
	if (tokens && jwt_looks(secret))
		return jwt_authenticate(t, secret) == STAGE_NEXT ? not_denied(t) : STAGE_FAILED;
	uint8_t digest[DIGEST_SIZE];
	digest_sha256(secret, digest);
	t->key = snapshot_key(t->snapshot, digest);
	if (!t->key)
		t->key = made_key(t->snapshot, digest, &t->arena);
	if (!t->key)
		return txn_error(t, ERR_BAD_KEY, "Incorrect key. Ask whoever runs this gateway for one.");
	t->live_key = t->key->live;
	return not_denied(t);
}

const struct stage auth_stage = { .name = "auth", .enter = enter };
