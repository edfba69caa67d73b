/*
 * build_keys.c: who may call. Secrets become digests here and are wiped.
 */
#include "base/digest.h"
#include "config/build.h"
#include "core/live.h"

static bool set_digest(struct build *b, const struct node *n, struct str secret, struct key *k)
{
	if (str_starts(secret, STR("sha256:"))) {
		if (digest_from_hex(str_skip(secret, 7), k->digest))
			return true;
		report_error(b->report, n->line, n->column, "`secret`: sha256: is followed by 64 hexadecimal digits");
		return false;
	}
	if (secret.n < 8) {
		report_error(b->report, n->line, n->column, "`secret`: expected at least 8 characters");
		return false;
	}
	digest_sha256(secret, k->digest);
	secret_wipe((char *)(uintptr_t)secret.p, secret.n);
	return true;
}

static bool is_taken(const struct build *b, const struct key *k)
{
	for (unsigned i = 0; i < b->s->n_keys; i++)
		if (str_eq(b->s->keys[i]->name, k->name) || digest_equal(b->s->keys[i]->digest, k->digest))
			return true;
	return false;
}

static void build_key(struct build *b, const struct node *n)
{
	struct key_draft d = { 0 };
	struct key *k = arena_new(b->arena, struct key);
	options_load(&key_table, n, &d, &b->context);
	if (str_empty(d.name) || str_empty(d.secret)) {
		report_error(b->report, n->line, n->column, "a key needs `name` and `secret`");
		return;
	}
	if (!set_digest(b, n, d.secret, k))
		return;
	k->name = d.name;
	k->team = d.team;
	k->models = d.models.items;
	k->n_models = d.models.n;
	k->live = live_key(k->name);
	b->budgets |= d.budgets && d.budgets->first;
	if (is_taken(b, k)) {
		report_error(b->report, n->line, n->column, "key `%.*s`: its name or its secret is another key's, too", STR_FMT(k->name));
		return;
	}
	struct key **all = arena_array(b->arena, struct key *, b->s->n_keys + 1);
	if (b->s->n_keys)
		memcpy(all, b->s->keys, b->s->n_keys * sizeof(*all));
	all[b->s->n_keys++] = k;
	b->s->keys = all;
}

static void check_teams(struct build *b)
{
	const struct node *list = b->draft.teams;
	for (const struct node *n = list && list->kind == NODE_LIST ? list->first : NULL; n; n = n->next) {
		const struct node *name = node_get(n, STR("name")), *budgets = node_get(n, STR("budgets"));
		if (!name || name->kind != NODE_SCALAR)
			report_error(b->report, n->line, n->column, "a team needs a `name`");
		if (budgets && budgets->first) {
			b->budgets = true;
			if (!str_has(buf_str(&b->later), STR("budgets")))
				buf_addf(&b->later, "%sbudgets", b->later.n ? ", " : "");
		}
	}
}

void build_keys(struct build *b)
{
	const struct node *list = b->draft.keys;
	if (list && !node_is_null(list) && list->kind != NODE_LIST)
		report_error(b->report, list->line, list->column, "`keys`: expected a list, not %s", node_kind_name(list));
	for (const struct node *n = list && list->kind == NODE_LIST ? list->first : NULL; n; n = n->next)
		build_key(b, n);
	check_teams(b);
	snapshot_index(b->s);
}
