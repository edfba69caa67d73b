/*
 * subject.c: names that callers make up are cut to a length and bounded in number.
 */
#include "limits/subject.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "core/call.h"
#include "wire/json_cursor.h"

static const int64_t FORGET_US = 3600 * SECOND_US;

struct users {
	uint64_t seen[2 * USERS_MAX];
	unsigned n;
	int64_t since_us;
};

/* Made when first wanted: every thread of the process would pay for a table in its own storage. */
static _Thread_local struct users *users;

void subject_close(void)
{
	free(users);
	users = NULL;
}

static bool is_known(struct txn *t, struct str user, struct str scope)
{
	uint64_t name = (str_hash(scope) * UINT64_C(0x9e3779b97f4a7c15) ^ str_hash(user)) | 1;
	if (!users)
		users = mem_alloc(sizeof(*users));
	if (loop_now(t->loop) - users->since_us > FORGET_US) {
		memset(users->seen, 0, sizeof(users->seen));
		users->n = 0;
		users->since_us = loop_now(t->loop);
	}
	uint64_t *at = &users->seen[name % array_len(users->seen)];
	while (*at && *at != name)
		at = at + 1 == users->seen + array_len(users->seen) ? users->seen : at + 1;
	if (*at)
		return true;
	if (users->n == USERS_MAX)
		return false;
	users->n++;
	*at = name;
	return true;
}

/* The value of a tag, or STR_NONE: "feature=search,user=42". */
static struct str tag_value(struct txn *t, struct str name)
{
	struct str rest = t->req ? t->req->header[RH_WEIR_TAGS] : STR_NONE, one, key;
	while (str_split(&rest, ',', &one))
		if (str_split(&one, '=', &key) && str_eq(str_trim(key), name))
			return str_trim(one);
	return STR_NONE;
}

static struct str body_user(const struct call *c)
{
	struct str root = c && c->json ? c->body : STR_NONE;
	struct str user = str_empty(root) ? STR_NONE : json_raw(json_get(root, STR("user")));
	return str_empty(user) && !str_empty(root) ? json_raw(json_get(json_get(root, STR("metadata")), STR("user_id"))) : user;
}

struct str subject_user(struct txn *t, const struct limit_set *set)
{
	uint8_t digest[DIGEST_SIZE];
	char hex[2 * DIGEST_SIZE + 1];
	bool wanted = false;
	for (unsigned i = 0; i < set->n; i++)
		wanted |= set->rules[i].per == LIMIT_USER;
	struct str user = wanted ? tag_value(t, STR("user")) : STR_NONE;
	if (wanted && str_empty(user))
		user = body_user(t->call);
	if (str_empty(user))
		return STR_NONE;
	if (!is_known(t, user, set->scope))
		return STR("other");
	if (user.n <= USER_MAX)
		return user;
	digest_sha256(user, digest);
	digest_to_hex(digest, hex);
	return arena_copy(&t->arena, str_of(hex, USER_MAX));
}

static bool has_tag(struct txn *t, struct str pattern)
{
	struct str rest = t->req ? t->req->header[RH_WEIR_TAGS] : STR_NONE, one;
	while (str_split(&rest, ',', &one))
		if (str_glob(pattern, str_trim(one)))
			return true;
	return false;
}

bool subject_matches(struct txn *t, const struct limit_rule *rule, struct str user)
{
	switch (rule->per) {
	case LIMIT_MODEL: return !t->call || str_glob(rule->match, t->call->model);	/* without a call all are shown */
	case LIMIT_USER:  return !str_empty(user);
	case LIMIT_TAG:   return !t->call || has_tag(t, rule->match);
	default:          return true;
	}
}
