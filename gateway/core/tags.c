/*
 * tags.c: x-weir-tags: feature=search,user=42
 */
#include "core/tags.h"

#include "core/call.h"
#include "core/txn.h"

static struct str header(const struct txn *t)
{
	return t->req ? t->req->header[RH_WEIR_TAGS] : STR_NONE;
}

struct str tags_user(const struct txn *t)
{
	struct str rest = header(t), one, key;
	while (str_split(&rest, ',', &one))
		if (str_split(&one, '=', &key) && str_eq(str_trim(key), STR("user")) && !str_empty(str_trim(one)))
			return str_trim(one);
	return t->call ? t->call->user : STR_NONE;
}

bool tags_match(const struct txn *t, struct str pattern)
{
	struct str rest = header(t), one;
	while (str_split(&rest, ',', &one))
		if (str_glob(pattern, str_trim(one)))
			return true;
	struct str user = str_starts(pattern, STR("user=")) ? tags_user(t) : STR_NONE;
	return !str_empty(user) && str_glob(str_skip(pattern, 5), user);
}
