/*
 * tags.h: what a request is for, as its caller says: its tags and its end user.
 */
#ifndef WEIR_CORE_TAGS_H
#define WEIR_CORE_TAGS_H

#include <stdbool.h>

#include "base/str.h"

struct txn;

/* `user` of its tags, or of its body where something of its key asks; empty: not said. */
struct str tags_user(const struct txn *t);

/* Is one of its tags like this: "feature=search", "feature=*"? "user=..." is also of a user that the body names. */
bool tags_match(const struct txn *t, struct str pattern);

#endif
