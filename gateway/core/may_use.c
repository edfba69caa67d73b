/*
 * may_use.c: a list without patterns allows all.
 */
#include "core/may_use.h"

#include "core/tags.h"
#include "core/target.h"
#include "core/txn.h"

static bool matches(const struct str *patterns, unsigned n, struct str model)
{
	for (unsigned i = 0; i < n; i++)
		if (str_glob(patterns[i], model))
			return true;
	return n == 0;
}

/* The list of a tag or an end user that refuses; NULL: none. */
static const struct model_list *refusing(const struct txn *t, struct str model)
{
	for (unsigned i = 0; i < t->key->n_lists; i++) {
		const struct model_list *l = t->key->lists[i];
		bool binds = l->per == LIMIT_TAG ? tags_match(t, l->match) : !str_empty(tags_user(t));
		if (binds && !matches(l->models, l->n, model))
			return l;
	}
	return NULL;
}

bool may_use(const struct txn *t, struct str model)
{
	const struct key *k = t->key;
	return !k || (matches(k->models, k->n_models, model) && matches(k->team_models, k->n_team_models, model) &&
		      !refusing(t, model));
}

struct str may_use_owner(struct txn *t, struct str model)
{
	const struct key *k = t->key;
	if (!k || !matches(k->models, k->n_models, model))
		return STR_NONE;
	if (!matches(k->team_models, k->n_team_models, model))
		return arena_printf(&t->arena, "team `%.*s`", STR_FMT(k->team));
	const struct model_list *l = refusing(t, model);
	return l ? l->owner : STR_NONE;
}
