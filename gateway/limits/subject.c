/*
 * subject.c: names that callers make up are cut to a length and bounded in number.
 */
#include "limits/subject.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/call.h"
#include "core/endpoint.h"
#include "core/tags.h"
#include "store/worker_store.h"

static const int64_t FORGET_US = 3600 * SECOND_US;

struct users {
	uint64_t seen[2 * USERS_MAX];
	unsigned n;
	int64_t since_us;
	bool warned;
};

static struct counter_family others_total = {
	.name = "weir_end_users_other_total", .help = "Requests whose end user was counted together with others, because there are too many.",
	.kind = COUNTER_SUM, .scale = 1,
};

/* Made when first wanted: every thread of the process would pay for a table in its own storage. */
static _Thread_local struct users *users;

void subject_close(void)
{
	free(users);
	users = NULL;
}

void subject_open(void)
{
	counter_add(counter_of(&others_total, NULL), 0);
}

/* Not for more names than the table has room for, nor for new ones while the store has little. */
static bool is_known(struct txn *t, struct str user, struct str scope)
{
	uint64_t name = (str_hash(scope) * UINT64_C(0x9e3779b97f4a7c15) ^ str_hash(user)) | 1;
	bool crowded = store_crowded(worker_store());
	if (!users)
		users = mem_alloc(sizeof(*users));
	if (loop_now(t->loop) - users->since_us > FORGET_US && !crowded) {
		memset(users->seen, 0, sizeof(users->seen));
		users->n = 0;
		users->warned = false;
		users->since_us = loop_now(t->loop);
	}
	uint64_t *at = &users->seen[name % array_len(users->seen)];
	while (*at && *at != name)
		at = at + 1 == users->seen + array_len(users->seen) ? users->seen : at + 1;
	if (*at)
		return true;
	if (users->n == USERS_MAX || crowded)
		return false;
	users->n++;
	*at = name;
	return true;
}

static void note_other(void)
{
	counter_add(counter_of(&others_total, NULL), 1);
	if (!users->warned)
		log_warn("limits: there are too many end users to count each apart: new ones are counted together, as `other`");
	users->warned = true;
}

struct str subject_user(struct txn *t, const struct limit_set *set)
{
	uint8_t digest[DIGEST_SIZE];
	char hex[2 * DIGEST_SIZE + 1];
	bool wanted = false;
	for (unsigned i = 0; i < set->n; i++)
		wanted |= set->rules[i].per == LIMIT_USER;
	struct str user = wanted ? tags_user(t) : STR_NONE;
	if (str_empty(user))
		return STR_NONE;
	if (!is_known(t, user, set->scope)) {
		note_other();
		return STR("other");
	}
	if (user.n <= USER_MAX)
		return user;
	digest_sha256(user, digest);
	digest_to_hex(digest, hex);
	return arena_copy(&t->arena, str_of(hex, USER_MAX));
}

bool subject_matches(struct txn *t, const struct limit_rule *rule, struct str user)
{
	bool shown = t->endpoint->route == ROUTE_HERE;	/* who asks what is left is told of all */
	switch (rule->per) {
	case LIMIT_MODEL: return shown || str_glob(rule->match, t->call->model);
	case LIMIT_USER:  return !str_empty(user);
	case LIMIT_TAG:   return shown || tags_match(t, rule->match);
	default:          return true;
	}
}
