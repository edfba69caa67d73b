/*
 * cache_key_test.c: each option there is, changed, makes another question of a model's, or is listed here with the reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "api/endpoints.h"
#include "cache/cache_key.h"
#include "cache/wish.h"
#include "config/load.h"
#include "config/options.h"
#include "core/call.h"
#include "core/endpoint.h"
#include "core/plan.h"
#include "core/snapshot.h"
#include "wire/json_scan.h"

/* --- options that may change without another question --- */

struct apart { const struct option_table *table; const char *path, *because; };

static const struct apart all_apart[] = {
	{ &settings_table, "listen", "how callers reach weir" }, { &settings_table, "admin", "not of requests" },
	{ &settings_table, "workers", "how fast" }, { &settings_table, "watch", "when it is read" },
	{ &settings_table, "store", "where answers are kept" }, { &settings_table, "store_timeout", "how long" },
	{ &settings_table, "store_replicas", "how often" }, { &settings_table, "reservation_ttl", "of limits" },
	{ &settings_table, "ledger", "the record" }, { &settings_table, "ledger_lines", "the record" }, { &settings_table, "ledger_keep", "the record" },
	{ &settings_table, "keys_file", "who asks" }, { &settings_table, "learned_file", "when a target is asked" },
	{ &settings_table, "plugin_crashes", "a record" }, { &settings_table, "files_provider", "of files, which are not kept" },
	{ &settings_table, "log", "the record" }, { &settings_table, "unpriced", "which of a model's targets may be asked at the moment" },
	{ &settings_table, "breaker", "when a target is asked" }, { &settings_table, "timeouts", "how long" }, { &settings_table, "retry", "how often" },
	{ &settings_table, "providers", "the table of providers" }, { &settings_table, "models", "the table of models" },
	{ &settings_table, "keys", "the table of keys" }, { &settings_table, "teams", "what may be asked" }, { &settings_table, "jwt", "who asks" },
	{ &settings_table, "alerts", "not of requests" }, { &settings_table, "prices", "what it costs" }, { &settings_table, "prices_file", "what it costs" },
	{ &settings_table, "cache.enabled", "whether" }, { &settings_table, "cache.on_request", "whether" }, { &settings_table, "cache.pace", "how fast" },
	{ &settings_table, "cache.ttl", "how long" }, { &settings_table, "cache.max_entry", "how much" }, { &settings_table, "cache.max_memory", "how much" },
	{ &settings_table, "cache.compress_above", "how it is kept" }, { &settings_table, "cache.coalesce", "when a target is asked" },
	{ &settings_table, "cache.tools", "whether it is kept" }, { &settings_table, "cache.deterministic_only", "whether it is kept" },
	{ &settings_table, "cache.stale_on_error", "how long" }, { &settings_table, "capture", "the record" },
	{ &settings_table, "plugins", "they change the request, which is what the key is over, its plan likewise, or kept answers on their way out" },

	{ &provider_table, "api_key", "who pays" }, { &provider_table, "api_keys", "who pays" },
	{ &provider_table, "credential", "who pays; a caller's own is part of the key by itself" }, { &provider_table, "profile", "who pays" },
	{ &provider_table, "access_key_id", "who pays" }, { &provider_table, "secret_access_key", "who pays" }, { &provider_table, "session_token", "who pays" },
	{ &provider_table, "role_arn", "who pays" }, { &provider_table, "aws_service", "how it is proven" }, { &provider_table, "tenant_id", "who pays" },
	{ &provider_table, "client_id", "who pays" }, { &provider_table, "client_secret", "who pays" }, { &provider_table, "token_file", "who pays" },
	{ &provider_table, "scope", "how it is proven" }, { &provider_table, "token_endpoint", "how it is proven" },
	{ &provider_table, "credentials_file", "who pays" }, { &provider_table, "models", "what is listed" }, { &provider_table, "free", "what it costs" },
	{ &provider_table, "local", "the way there" }, { &provider_table, "max_concurrent", "how often" }, { &provider_table, "health", "when it is asked" },
	{ &provider_table, "allow_private_address", "the way there" }, { &provider_table, "allow_plaintext", "the way there" },
	{ &provider_table, "proxy", "the way there" }, { &provider_table, "tls", "the way there" },

	{ &model_table, "timeouts", "how long" }, { &model_table, "retry", "how often" }, { &model_table, "max_cost_usd", "which targets may be asked at the moment" },
	{ &model_table, "max_share", "how often" }, { &model_table, "affinity", "which target is asked first" }, { &model_table, "explore", "which target is asked first" },
	{ &model_table, "queue", "how long" }, { &model_table, "hedge", "how often" }, { &model_table, "cache", "whether" }, { &model_table, "cache_ttl", "how long" },
	{ &model_table, "fallbacks", "the targets of those models are" }, { &model_table, "ladder", "the same" },

	{ &target_table, "weight", "how often" }, { &target_table, "max_concurrent", "how often" }, { &target_table, "free", "what it costs" },

	{ &key_table, "secret", "who asks: its name is part of it" }, { &key_table, "team", "counts with cache.scope: team" },
	{ &key_table, "models", "what may be asked" }, { &key_table, "budgets", "what may be asked" }, { &key_table, "limits", "what may be asked" },
	{ &key_table, "per_model", "what may be asked" }, { &key_table, "per_user", "what may be asked" }, { &key_table, "per_tag", "what may be asked" },
	{ &key_table, "metadata", "read by nobody" },
	{ &key_table, "cache", "whether" }, { &key_table, "on_store_failure", "what may be asked" },
};

static bool is_apart(const struct option_table *t, struct str path)
{
	for (size_t i = 0; i < array_len(all_apart); i++) {
		struct str listed = str_c(all_apart[i].path);
		if (all_apart[i].table == t && str_starts(path, listed) && (path.n == listed.n || path.p[listed.n] == '.'))
			return true;
	}
	return false;
}

/* --- a configuration in which one thing is said otherwise --- */

struct said { const struct option_table *table; const char *path, *value; };

static char rules_file[64], list_file[64];

/* Where any other value will not do. */
static const struct said special[] = {
	{ &settings_table, "cache.scope", "global" }, { &provider_table, "credential", "static" },
	{ &provider_table, "preset", "vllm" }, { &provider_table, "dialect", "anthropic" }, { &provider_table, "base_url", "'https://b.example/v1'" },
	{ &provider_table, "headers", "{ x-a: b }" }, { &provider_table, "fetch_urls", "1MiB" }, { &model_table, "targets", "[second/b]" },
	{ &model_table, "fallbacks", "[other]" }, { &model_table, "ladder", "[targets, error]" }, { &model_table, "strategy", "cheapest" },
	{ &model_table, "cascade.checks.schema", "'{\"type\":\"object\"}'" }, { &model_table, "cascade.checks.rules", rules_file },
	{ &target_table, "target", "first/z" }, { &target_table, "features", "[tools]" },
};

static const struct said base[] = {
	{ &provider_table, "dialect", "openai" }, { &provider_table, "base_url", "'https://a.example/v1'" }, { &provider_table, "api_key", "k" },
	{ &model_table, "strategy", "weighted" }, { &target_table, "target", "first/a" }, { &key_table, "name", "k" }, { &key_table, "secret", "sk-0123456789abcdef" },
};

/* What is written of one record; `more` is said besides, or instead. */
static struct str record(struct arena *a, const struct option_table *t, const struct said *more)
{
	struct buf b = BUF_INIT(1 << 16);
	for (size_t i = 0; i < array_len(base); i++)
		if (base[i].table == t && !(more->table == t && strcmp(more->path, base[i].path) == 0))
			buf_addf(&b, "%s: %s, ", base[i].path, base[i].value);
	struct str path = more->table == t ? str_c(more->path) : STR_NONE, word;
	unsigned depth = 0;
	while (str_split(&path, '.', &word))
		buf_addf(&b, "%s%.*s: ", depth++ ? "{ " : "", STR_FMT(word));
	if (depth)
		buf_addf(&b, "%s", more->value);
	for (; depth > 1; depth--)
		buf_addf(&b, " }");
	buf_addf(&b, depth ? ", " : "");
	struct str s = arena_copy(a, buf_str(&b));
	buf_free(&b);
	return s;
}

static struct snapshot *load(struct arena *a, const struct said *more)
{
	struct config_report r;
	struct str model = record(a, &model_table, more);
	bool targets = more->table == &model_table && strcmp(more->path, "targets") == 0;
	struct str text = arena_printf(a, "{ providers: { first: { %.*s }, second: { dialect: openai, base_url: 'https://c.example/v1', api_key: k } },\n"
				       "models: { other: { targets: [second/c] }, m: { %.*s%s%.*s%s } },\n"
				       "keys: [ { %.*s } ],\n%.*s }\n", STR_FMT(record(a, &provider_table, more)), STR_FMT(model),
				       targets ? "" : "targets: [ { ", STR_FMT(targets ? STR("") : record(a, &target_table, more)),
				       targets ? "" : " }, second/b ]", STR_FMT(record(a, &key_table, more)), STR_FMT(record(a, &settings_table, more)));
	report_init(&r);
	struct snapshot *s = config_load_text("f", text, true, &r);
	if (!s && !is_apart(more->table, str_c(more->path)))
		fail_msg("%.*s\n%.*s", STR_FMT(text), STR_FMT(buf_str(&r.errors)));
	report_free(&r);
	return s;
}

/* --- its key --- */

/* The plan as it would be, of the model's own targets. */
static struct plan *plan(struct arena *a, const struct model *m)
{
	struct plan *p = arena_new(a, struct plan);
	p->model = m;
	p->entries = arena_array(a, struct plan_entry, m->n_targets);
	for (; p->n < m->n_targets; p->n++)
		p->entries[p->n] = (struct plan_entry){ .target = m->targets[p->n], .model = m };
	return p;
}

/* In how many steps. */
static unsigned key_of_body(struct snapshot *s, struct str body, struct arena *a, uint8_t digest[DIGEST_SIZE])
{
	static const struct cache_wish wish = { .ns = { NULL, 0 } };
	struct str below, id;
	unsigned steps = 1;
	struct request req = { .path = STR("/v1/chat/completions") };
	struct json_scan scan;
	struct call call = { .model = STR("m"), .body = body, .path = STR("/chat/completions"), .json = &scan };
	struct txn t = { .snapshot = s, .req = &req, .call = &call, .key = s->keys[0], .plan = plan(a, snapshot_model(s, STR("m"))) };
	assert_int_equal(endpoint_find(HTTP_POST, req.path, &t.endpoint, &below, &id), ENDPOINT_FOUND);
	json_scan_init(&scan, a);
	assert_int_equal(json_scan_feed(&scan, body.p, body.n, true), JSON_DONE);
	struct cache_keying *k = cache_keying_begin(&t, &wish);
	while (!cache_keying_on(k))
		steps++;
	assert_true(cache_keying_end(k, digest));
	arena_clear(&t.arena);
	return steps;
}

static void key_of(struct snapshot *s, struct arena *a, uint8_t digest[DIGEST_SIZE])
{
	assert_int_equal(key_of_body(s, STR("{\"model\":\"m\",\"messages\":[]}"), a, digest), 1);
}

/* False: such a configuration is not loaded here. */
static bool key_when(const struct said *more, uint8_t digest[DIGEST_SIZE])
{
	struct arena a = ARENA_INIT;
	struct snapshot *s = load(&a, more);
	if (s) {
		key_of(s, &a, digest);
		snapshot_unref(s);
	}
	arena_clear(&a);
	return s;
}

/* --- the tables --- */

static const char *another_value(const struct option *o)
{
	switch (o->type) {
	case OPTION_BOOL:
		return o->fallback && strcmp(o->fallback, "true") == 0 ? "false" : "true";
	case OPTION_WORD: {
		static char word[64];
		struct str rest = str_c(o->words), one;
		while (str_split(&rest, ' ', &one) && str_eq(one, str_c(o->fallback)))
			;
		snprintf(word, sizeof(word), "%.*s", STR_FMT(one));
		return word;
	}
	case OPTION_DURATION:
		return "7s";
	case OPTION_SIZE:
		return "7KiB";
	case OPTION_STRINGS:
	case OPTION_SECRETS:
		return "[xyz]";
	case OPTION_STRING:
	case OPTION_SECRET:
		return "xyz";
	default:
		return "7";
	}
}

static struct said otherwise(const struct option_table *t, const struct option *o)
{
	for (size_t i = 0; i < array_len(special); i++)
		if (special[i].table == t && strcmp(special[i].path, o->path) == 0)
			return special[i];
	return (struct said){ t, o->path, another_value(o) };
}

/* Of a cascade all else is said beside its strategy: it has a table, so to speak, within the table. */
static struct said of_cascade(const struct said *one)
{
	static char value[512];
	struct str rest = str_c(one->path), word;
	unsigned depth = 0;
	size_t n = (size_t)snprintf(value, sizeof(value), "cascade, ");
	while (str_split(&rest, '.', &word))
		n += (size_t)snprintf(value + n, sizeof(value) - n, "%s%.*s: ", depth++ ? "{ " : "", STR_FMT(word));
	n += (size_t)snprintf(value + n, sizeof(value) - n, "%s", one->value);
	while (depth-- > 1)
		n += (size_t)snprintf(value + n, sizeof(value) - n, " }");
	return (struct said){ &model_table, "strategy", value };
}

static void check(const struct option_table *t, const struct option *o)
{
	struct said usual = { &model_table, "strategy", "weighted" }, other = otherwise(t, o);
	uint8_t before[DIGEST_SIZE], after[DIGEST_SIZE];
	if (t == &model_table && str_starts(str_c(o->path), STR("cascade."))) {
		usual.value = "cascade";
		other = of_cascade(&other);
	}
	assert_true(key_when(&usual, before));
	if (!key_when(&other, after))
		return;		/* it is listed as apart */
	bool same = memcmp(before, after, DIGEST_SIZE) == 0;
	if (same != is_apart(t, str_c(o->path)))
		fail_msg("`%s` of %s as %s: %s", o->path, t->name, other.value,
			 same ? "an answer of before is given; if that is right, say here why" : "listed, but another question");
}

static void each_option(void **state)
{
	static const struct option_table *const tables[] = { &settings_table, &provider_table, &model_table, &target_table, &key_table };
	(void)state;
	for (size_t i = 0; i < array_len(tables); i++)
		for (size_t o = 0; o < tables[i]->n; o++)
			check(tables[i], &tables[i]->rows[o]);
}

static void what_is_listed_exists(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(all_apart); i++) {
		const struct option_table *t = all_apart[i].table;
		bool found = false;
		for (size_t o = 0; o < t->n && !found; o++)
			found = is_apart(t, str_c(t->rows[o].path)) && str_starts(str_c(t->rows[o].path), str_c(all_apart[i].path));
		if (!found)
			fail_msg("there is no option `%s`: %s", all_apart[i].path, all_apart[i].because);
	}
}

/* --- large bodies --- */

enum { LARGE = 3 * CACHE_KEY_TURN };

/* Quotes, escapes and blanks wherever a step may end; `last` is the last text. */
static struct str large(struct arena *a, char last)
{
	struct buf b = BUF_INIT(2 * LARGE);
	buf_addf(&b, "{\"model\":\"m\", \"messages\":[");
	while (b.n < LARGE)
		buf_addf(&b, "\" a \\\" \\\\\",\"\\\\\\\"\", ");
	buf_addf(&b, "\"%c\"]}", last);
	struct str s = arena_copy(a, buf_str(&b));
	buf_free(&b);
	return s;
}

static void large_bodies_in_steps(void **state)
{
	struct arena a = ARENA_INIT;
	struct said usual = { &model_table, "strategy", "weighted" };
	struct snapshot *s = load(&a, &usual);
	uint8_t first[DIGEST_SIZE], again[DIGEST_SIZE];
	(void)state;
	struct str body = large(&a, 'x');
	assert_in_range(key_of_body(s, body, &a, first), LARGE / CACHE_KEY_TURN, LARGE / CACHE_KEY_TURN + 1);
	for (size_t white = 1; white < 40; white += 3) {	/* steps end elsewhere */
		struct str moved = arena_printf(&a, "{%*s%.*s", (int)white, "", STR_FMT(str_skip(body, 1)));
		ptrdiff_t list = str_find(moved, STR("["));
		moved = arena_printf(&a, "%.*s%*s%.*s", (int)list + 1, moved.p, (int)white, "", STR_FMT(str_skip(moved, (size_t)list + 1)));
		key_of_body(s, moved, &a, again);
		assert_memory_equal(first, again, DIGEST_SIZE);
	}
	key_of_body(s, large(&a, 'y'), &a, again);
	assert_memory_not_equal(first, again, DIGEST_SIZE);
	snapshot_unref(s);
	arena_clear(&a);
}

/* --- what files say --- */

static void write_file(const char *name, const char *format, ...) printf_like(2, 3);
static void write_file(const char *name, const char *format, ...)
{
	va_list ap;
	FILE *f = fopen(name, "w");
	assert_non_null(f);
	va_start(ap, format);
	vfprintf(f, format, ap);
	va_end(ap);
	fclose(f);
}

static void write_rules(const char *word, const char *listed)
{
	write_file(rules_file, "rules: [ { name: one, when: { words: [%s] }, reject: no }, "
		   "{ name: two, when: { phrases: { file: %s } }, reject: no } ]\n", word, list_file);
	write_file(list_file, "%s\n", listed);
}

static void rules_by_their_contents(void **state)
{
	static const char *const texts[][2] = { { "a", "b" }, { "c", "b" }, { "a", "d" } };
	uint8_t digests[array_len(texts)][DIGEST_SIZE];
	struct said rules = { &model_table, "cascade.checks.rules", rules_file }, said = of_cascade(&rules);
	(void)state;
	for (size_t i = 0; i < array_len(texts); i++) {
		write_rules(texts[i][0], texts[i][1]);
		assert_true(key_when(&said, digests[i]));
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(digests[i], digests[j], DIGEST_SIZE);
	}
}

static int before(void **state)
{
	(void)state;
	clearenv();
	snprintf(rules_file, sizeof(rules_file), "/tmp/weir-key-%d.yaml", (int)getpid());
	snprintf(list_file, sizeof(list_file), "/tmp/weir-key-%d.txt", (int)getpid());
	write_rules("a", "b");
	return 0;
}

static int after(void **state)
{
	(void)state;
	unlink(rules_file);
	unlink(list_file);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_option), cmocka_unit_test(what_is_listed_exists), cmocka_unit_test(rules_by_their_contents),
		cmocka_unit_test(large_bodies_in_steps),
	};
	return cmocka_run_group_tests(tests, before, after);
}
