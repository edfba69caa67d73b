/*
 * build_keys.c: who may call. Secrets become digests here and are wiped.
 */
#include <stdlib.h>

#include "base/digest.h"
#include "config/build.h"
#include "config/load.h"
#include "core/live.h"

enum { SECRET_LEAST = 8, SECRET_MOST = 4096, NAME_MOST = 128 };

struct keyed {
	const struct key *key;
	const struct node *node;
};

static bool is_printable(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return false;
	return true;
}

static bool set_digest(struct build *b, const struct node *n, struct str secret, struct key *k)
{
	const struct node *at = node_get(n, STR("secret"));
	if (str_starts(secret, STR("sha256:"))) {
		if (secret.n == 7 + 2 * DIGEST_SIZE && digest_from_hex(str_skip(secret, 7), k->digest))
			return true;
		build_error(b, at, "`secret`: sha256: is followed by 64 hexadecimal digits");
		return false;
	}
	bool good = secret.n >= SECRET_LEAST && secret.n <= SECRET_MOST && is_printable(secret);
	if (good)
		digest_sha256(secret, k->digest);
	else
		build_error(b, at, "`secret`: expected 8 to 4096 printable characters without blanks");
	secret_wipe((char *)(uintptr_t)secret.p, secret.n);
	return good;
}

static void add_key(struct build *b, struct key *k)
{
	const struct key **all = build_room(b->arena, b->s->keys, b->s->n_keys);
	all[b->s->n_keys++] = k;
	b->s->keys = (struct key *const *)(uintptr_t)all;
}

static bool check_name(struct build *b, const struct node *n, struct str name, const char *what)
{
	const struct node *at = node_get(n, STR("name"));
	if (str_empty(name))
		build_error(b, n, "%s needs a `name`", what);
	else if (name.n > NAME_MOST || !is_printable(name))
		build_error(b, at, "`name`: expected at most %d printable characters without blanks", NAME_MOST);
	else
		return true;
	return false;
}

/* It is a part of the store's keys, of reports and of the log. */
static void set_team(struct build *b, const struct node *n, struct str team, struct key *k)
{
	if (team.n > NAME_MOST || !is_printable(team))
		build_error(b, node_get(n, STR("team")), "`team`: expected at most %d printable characters without blanks", NAME_MOST);
	else
		k->team = team;
}

static void set_cache(struct key *k, const struct node *n, const struct key_draft *d)
{
	const struct node *said = n->kind == NODE_MAP ? node_get(n, STR("cache")) : NULL;
	k->cache = !said || node_is_null(said) ? 0 : d->cache ? 1 : -1;
	k->cache_namespace = d->cache_namespace;
}

static struct key *build_key(struct build *b, const struct node *n)
{
	struct key_draft d = { 0 };
	struct key *k = arena_new(b->arena, struct key);
	options_load(&key_table, n, &d, &b->context);
	if (n->kind != NODE_MAP || !check_name(b, n, d.name, "a key"))
		return NULL;
	const struct node *secret = node_get(n, STR("secret"));
	if (str_empty(d.secret)) {
		if (!secret || !secret->broken)
			build_error(b, secret ? secret : n, "key `%.*s` needs a `secret`", STR_FMT(d.name));
		return NULL;
	}
	if (!set_digest(b, n, d.secret, k))
		return NULL;
	k->name = d.name;
	set_team(b, n, d.team, k);
	k->models = d.models.items;
	k->n_models = d.models.n;
	set_cache(k, n, &d);
	k->live = live_key(k->name);
	atomic_store(&k->live->team, str_empty(k->team) ? NULL : live_team(k->team));
	build_limits(b, k, n, d.on_store_failure);
	add_key(b, k);
	return k;
}

static int by_name(const void *a, const void *b)
{
	const struct key *x = ((const struct keyed *)a)->key, *y = ((const struct keyed *)b)->key;
	int order = memcmp(x->name.p, y->name.p, x->name.n < y->name.n ? x->name.n : y->name.n);
	return order ? order : x->name.n < y->name.n ? -1 : x->name.n > y->name.n;
}

static int by_digest(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	return memcmp(x->key->digest, y->key->digest, DIGEST_SIZE);
}

static const struct node *later_of(const struct keyed *a, const struct keyed *b)
{
	if (a->node->line != b->node->line)
		return a->node->line > b->node->line ? a->node : b->node;
	return a->node->column > b->node->column ? a->node : b->node;
}

static void refuse_duplicates(struct build *b, struct keyed *all, unsigned n)
{
	if (n < 2)
		return;
	qsort(all, n, sizeof(*all), by_name);
	for (unsigned i = 1; i < n; i++)
		if (by_name(&all[i - 1], &all[i]) == 0)
			build_error(b, later_of(&all[i - 1], &all[i]), "two keys have the name `%.*s`", STR_FMT(all[i].key->name));
	qsort(all, n, sizeof(*all), by_digest);
	for (unsigned i = 1; i < n; i++)
		if (by_digest(&all[i - 1], &all[i]) == 0)
			build_error(b, later_of(&all[i - 1], &all[i]), "keys `%.*s` and `%.*s` have the same secret",
				    STR_FMT(all[i - 1].key->name), STR_FMT(all[i].key->name));
}

static bool has_team(const struct node *teams, struct str name)
{
	for (const struct node *n = teams ? teams->first : NULL; n; n = n->next) {
		const struct node *called = node_get(n, STR("name"));
		if (called && str_eq(called->value, name))
			return true;
	}
	return false;
}

static void check_teams(struct build *b)
{
	const struct node *list = b->draft.teams;
	if (list && !node_is_null(list) && list->kind != NODE_LIST) {
		build_error(b, list, "`teams`: expected a list of { name, budgets }, not %s", node_kind_name(list));
		return;
	}
	for (const struct node *n = list ? list->first : NULL; n; n = n->next) {
		struct team_draft d = { 0 };
		options_load(&team_table, n, &d, &b->context);
		if (n->kind == NODE_MAP && check_name(b, n, d.name, "a team"))
			build_check_limits(b, n);
	}
}

void build_keys(struct build *b)
{
	const struct node *list = b->draft.keys;
	if (list && !node_is_null(list) && list->kind != NODE_LIST) {
		build_error(b, list, "`keys`: expected a list of { name, secret }, not %s", node_kind_name(list));
		list = NULL;
	}
	unsigned n = 0;
	struct keyed *all = arena_array(b->arena, struct keyed, list ? list->n + 1 : 1);
	for (const struct node *at = list ? list->first : NULL; at; at = at->next) {
		const struct key *k = build_key(b, at);
		if (k)
			all[n++] = (struct keyed){ k, at };
		if (k && !str_empty(k->team) && b->draft.teams && !has_team(b->draft.teams, k->team))
			build_error(b, node_get(at, STR("team")), "there is no team `%.*s`", STR_FMT(k->team));
	}
	refuse_duplicates(b, all, n);
	check_teams(b);
	b->s->teams = b->draft.teams;
}

/* --- keys made while running --- */

static void read_made(struct build *b, struct str text, struct key *k)
{
	struct key_draft d = { 0 };
	const struct node *n = tree_read(text, false, b->arena, b->files, b->report);
	if (!n)
		return;
	options_load(&key_table, n, &d, &b->context);
	if (!str_empty(d.secret) || !str_empty(d.name))
		build_error(b, n, "`%s` cannot be set here", str_empty(d.secret) ? "name" : "secret");
	set_team(b, n, d.team, k);
	k->models = d.models.items;
	k->n_models = d.models.n;
	set_cache(k, n, &d);
	if (n->kind == NODE_MAP)
		build_limits(b, k, n, d.on_store_failure);
}

struct key *config_key(const struct snapshot *s, struct str name, struct str of, struct arena *a, struct buf *why)
{
	struct config_report r;
	struct tree_files files = { 0 };
	struct build *b = arena_new(a, struct build);
	struct key *k = arena_new(a, struct key);
	report_init(&r);
	*b = (struct build){ .report = &r, .arena = a, .files = &files };
	b->context = (struct option_context){ a, &r };
	b->draft.teams = s->teams;
	k->name = arena_copy(a, name);
	read_made(b, of, k);
	if (why && s->teams && !str_empty(k->team) && !has_team(s->teams, k->team))
		build_error(b, (const struct node *)NULL, "`team`: there is no team `%.*s` in the configuration", STR_FMT(k->team));
	bool good = r.n_errors == 0;
	for (unsigned i = 0; why && i < r.n_messages; i++)
		if (r.messages[i].error)
			buf_addf(why, "%s%.*s", why->n ? "; " : "", STR_FMT(r.messages[i].text));
	report_free(&r);
	if (!good)
		return NULL;
	k->live = live_key(k->name);
	atomic_store(&k->live->team, str_empty(k->team) ? NULL : live_team(k->team));
	return k;
}
