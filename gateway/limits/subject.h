/*
 * subject.h: which of a key's rules a request is subject to: by its model, its end user, its tags.
 */
#ifndef WEIR_LIMITS_SUBJECT_H
#define WEIR_LIMITS_SUBJECT_H

#include "core/limit.h"
#include "core/txn.h"

/* End users that one worker tells apart within an hour; further ones share the name "other", and are counted. */
enum { USER_MAX = 64, USERS_MAX = 16384 };

/* The request's end user: `user` of its tags or of its body, in the arena; empty: not said, or no rule asks. */
struct str subject_user(struct txn *t, const struct limit_set *set);

/* With the worker. */
void subject_open(void);
void subject_close(void);

bool subject_matches(struct txn *t, const struct limit_rule *rule, struct str user);

#endif
