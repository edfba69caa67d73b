/*
 * mistakes_test.c: what is said about broken configurations, and where.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "config/load.h"

struct mistake {
	const char *text;
	unsigned line, column;	/* 0: no place */
	const char *says;
};

#define SERVER "providers: { a: { dialect: openai, base_url: \"https://a.example/v1\" } }\n"

static const struct mistake mistakes[] = {
	/* YAML */
	{ "listen: [", 2, 1, "did not find expected" },
	{ "listen:\n\taddress: x", 2, 1, "cannot start any token" },
	{ "admin: { token: @file:/x }", 1, 17, "quote a value that begins with @" },
	{ "listen: a: b", 1, 10, "mapping values are not allowed" },
	{ "x: &a 1\nlisten: *a", 2, 9, "aliases" },
	{ "listen: {}\n---\nadmin: {}", 2, 1, "second document" },
	{ "listen: {}\nlisten: {}", 2, 1, "given twice, first in line 1" },
	{ "listen: { open: true, max_body: 1MiB, open: false }", 1, 39, "`open` is given twice" },
	{ "[]", 1, 1, "expected a map, not a list" },
	{ "just text", 1, 1, "expected a map, not a single value" },
	{ "{ [a]: b }", 1, 3, "a key must be plain text" },
	{ "\xff", 1, 1, "not UTF-8" },
	{ "plugins: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", 1, 41, "nested too deeply" },
	/* keys */
	{ "lisen: {}", 1, 1, "unknown key `lisen`; did you mean `listen`?" },
	{ "listen:\n  adress: x", 2, 3, "unknown key `listen.adress`; did you mean `address`?" },
	{ "listen: { timeouts: { headers: 1s } }", 1, 23, "did you mean `header`?" },
	{ "zzzzzzzzzzzz: 1", 1, 1, "unknown key `zzzzzzzzzzzz`" },
	{ "listen: 8080", 1, 9, "expected a map, not a single value" },
	{ "log: []", 1, 6, "`log`: expected a map, not a list" },
	/* values */
	{ "listen: { max_body: 3XB }", 1, 21, "`listen.max_body`: expected a size such as 32MiB, from 1KiB to 4GiB, not `3XB`" },
	{ "listen: { max_body: 1 }", 1, 21, "from 1KiB to 4GiB" },
	{ "listen: { max_body: 99999999999999999999GiB }", 1, 21, "a size such as" },
	{ "listen: { max_body: [1] }", 1, 21, "expected a single value, not a list" },
	{ "listen: { max_headers: 0 }", 1, 24, "from 1 to 100" },
	{ "listen: { max_headers: -1 }", 1, 24, "a whole number" },
	{ "listen: { open: yes }", 1, 17, "expected true or false, not `yes`" },
	{ "listen: { timeouts: { header: 5 } }", 1, 31, "a duration such as" },
	{ "listen: { timeouts: { header: 0s } }", 1, 31, "from 1ms to 1d" },
	{ "workers: many", 1, 10, "`workers`: expected auto or a whole number, from 1 to 256, not `many`" },
	{ "workers: 257", 1, 10, "from 1 to 256" },
	{ "log: { level: loud }", 1, 15, "expected one of: debug info warn error, not `loud`" },
	{ "breaker: on", 1, 10, "expected off or a map" },
	{ "breaker: { failures: 0 }", 1, 22, "from 1 to 1000000" },
	{ "unpriced: never", 1, 11, "one of: refuse estimate allow" },
	/* addresses */
	{ "listen: { address: nowhere }", 1, 20, "`nowhere`: expected host:port" },
	{ "listen: { address: \"1.2.3.4:70000\" }", 1, 20, "not a number from 0 to 65535" },
	{ "listen: { address: \"[1.2.3.4]:80\" }", 1, 20, "no IPv6 address" },
	{ "listen: { address: \"::1:80\" }", 1, 20, "IPv6 goes in brackets" },
	{ "listen: { address: \"unix:\" }", 1, 20, "1 to 107 bytes" },
	{ "listen: { address: [] }", 1, 20, "at least one address" },
	{ "admin: { address: here }", 1, 19, "`admin.address`" },
	{ "listen: { tls: { certificate: a.pem } }", 1, 16, "needs both certificate and key" },
	/* the environment and files */
	{ "admin: { token: \"${NOT_SET_ANYWHERE}\" }", 1, 17, "variable NOT_SET_ANYWHERE is not set" },
	{ "admin: { token: \"${1X}\" }", 1, 17, "no variable's name" },
	{ "admin: { token: \"${OPEN\" }", 1, 17, "without its `}`" },
	{ "admin: { token: \"@file:/nowhere/at/all\" }", 1, 17, "cannot read /nowhere/at/all: No such file" },
	{ "admin: { token: \"@file:/dev/zero\" }", 1, 17, "cannot read" },
	{ "watch: ${MISTAKES_SECRET}", 1, 8, "`watch`: expected true or false" },
	/* providers */
	{ "providers: []", 1, 12, "`providers`: expected a map" },
	{ "providers: { a/b: {} }", 1, 14, "a provider's name" },
	{ "providers: { nobody: {} }", 1, 22, "`nobody` is no known provider: say preset" },
	{ "providers: { opnai: {} }", 1, 21, "did you mean `openai`?" },
	{ "providers: { a: { preset: gorq } }", 1, 27, "`gorq` is no preset; did you mean `groq`?" },
	{ "providers: { google: {} }", 1, 22, "did you mean `gemini`?" },
	{ "providers: { mine: { base_url: \"http://localhost:8000/v1\" } }", 1, 20, "needs a `dialect` beside its base_url" },
	{ "providers: { openai: { timeout: 30s } }", 1, 24, "here it is `timeouts" },
	{ "cache: true", 1, 8, "such as { enabled: true }" },
	{ "keys: { web: { secret: abc } }", 1, 7, "a list of { name, secret }" },
	{ "plugins: [{ name: rules }]", 1, 11, "rules needs `config: { file: ... }`" },
	{ "plugins: [{ name: rules, config: { file: absent.yaml } }]", 1, 11, "cannot read absent.yaml: No such file" },
	{ "providers: { a: { dialect: openai } }", 1, 17, "needs a `base_url`" },
	{ "providers: { a: { dialect: morse, base_url: \"https://a.example\" } }", 1, 28, "no dialect `morse`" },
	{ "providers: { a: { dialect: openai, base_url: \"http://a.example/v1\" } }", 1, 46, "allow_private_address" },
	{ "providers: { a: { dialect: openai, base_url: \"ftp://x\" } }", 1, 46, "must begin with http:// or https://" },
	{ "providers: { a: { dialect: openai, base_url: \"https://me@x/\" } }", 1, 46, "user part" },
	{ "providers: { a: { dialect: openai, base_url: \"https://x/?a=b\" } }", 1, 46, "has a query" },
	{ "providers: { a: { preset: openai, dialect: gemini, api_key: k } }", 1, 44, "no address of `openai` is known that speaks `gemini`: say `base_url`" },
	{ "providers: { a: { preset: groq, dialect: anthropic, api_key: k } }", 1, 42, "no address of `groq` is known that speaks `anthropic`" },
	{ "providers: { a: { preset: mistral, dialect: openai-responses, api_key: k } }", 1, 45, "no address of `mistral` is known that speaks" },
	{ "providers: { gemini: { preset: gemini, dialect: morse, api_key: k } }", 1, 49, "no dialect `morse`" },
	{ "providers: { vertex: { dialect: gemini, api_key: k, project: p } }", 1, 22, "needs `location`, or the variable GOOGLE_CLOUD_LOCATION" },
	{ "providers: { bedrock: {} }", 1, 23, "needs `region`, or the variable AWS_REGION" },
	{ "providers: { bedrock: { region: \"a/b\" } }", 1, 23, "`region`: expected letters" },
	{ "providers: { openai: { api_key: \"a\\nb\" } }", 1, 33, "no header may carry" },
	{ "providers: { openai: { credential: theirs } }", 1, 36, "one of: own caller" },
	{ "providers: { openai: { headers: { Host: x } } }", 1, 35, "`Host` cannot be set here" },
	{ "providers: { openai: { headers: { x-a: \"a\\r\\nb: c\" } } }", 1, 40, "no value of a header" },
	{ "providers: { openai: { api_key: k, health: up } }", 1, 44, "begins with /" },
	{ "providers: { openai: { proxy: nowhere } }", 1, 31, "`proxy` must begin with" },
	{ "providers: { openai: { max_concurent: 3 } }", 1, 24, "did you mean `max_concurrent`?" },
	/* models */
	{ SERVER "models: { m: {} }", 2, 14, "needs `targets" },
	{ SERVER "models: { m: { targets: [] } }", 2, 25, "needs `targets" },
	{ SERVER "models: { m: { targets: [x] } }", 2, 26, "reads provider/model" },
	{ SERVER "models: { m: { targets: [a/] } }", 2, 26, "reads provider/model" },
	{ SERVER "models: { m: { targets: [b/x] } }", 2, 26, "did you mean `a`?" },
	{ SERVER "models: { m: { targets: [{ target: b/x }] } }", 2, 36, "no provider `b`" },
	{ SERVER "models: { m: { targets: [{ weight: 2 }] } }", 2, 26, "has no `target" },
	{ SERVER "models: { m: { targets: [{ target: a/x, wieght: 2 }] } }", 2, 41, "did you mean `weight`?" },
	{ SERVER "models: { m: { targets: [\"a/*\"] } }", 2, 26, "needs `*` in the model's name" },
	{ SERVER "models: { m: { targets: [a/x], strategy: best } }", 2, 42, "one of: ordered" },
	{ SERVER "models: { m: { targets: [a/x], fallbacks: [m] } }", 2, 11, "lead back to it" },
	{ SERVER "models: { m: { targets: [a/x], fallbacks: [n] }, n: { targets: [a/x], fallbacks: [m] } }", 2, 50,
	  "the fallbacks of `n` lead back" },
	{ SERVER "models: { m: { targets: [a/x], fallbacks: [a/x, gone] } }", 2, 49, "`gone`, which does not exist" },
	{ SERVER "models: { \"m m\": { targets: [a/x] } }", 2, 11, "printable characters without blanks" },
	{ "files_provider: nobody", 1, 17, "no provider `nobody`" },
	/* keys, teams and what is only checked */
	{ "keys: {}", 1, 7, "`keys`: expected a list" },
	{ "keys: [a]", 1, 8, "expected a map" },
	{ "keys: [{ secret: 0123456789 }]", 1, 8, "a key needs a `name`" },
	{ "keys: [{ name: a }]", 1, 8, "key `a` needs a `secret`" },
	{ "keys: [{ name: a, secret: short }]", 1, 27, "8 to 4096 printable characters" },
	{ "keys: [{ name: a, secret: \"sha256:12\" }]", 1, 27, "64 hexadecimal" },
	{ "keys: [{ name: a, secret: 0123456789 }, { name: a, secret: 9876543210 }]", 1, 41, "two keys have the name `a`" },
	{ "keys: [{ name: a, secret: 0123456789 },\n { name: b, secret: 0123456789 }]", 2, 2, "the same secret" },
	{ "teams: [{ name: t }]\nkeys: [{ name: a, secret: 0123456789, team: s }]", 2, 45, "no team `s`" },
	{ "keys: [{ name: a, secret: 0123456789, budgets: [{ usd: lots }] }]", 1, 56, "dollars, at least 0" },
	{ "keys: [{ name: a, secret: 0123456789, budgets: [{ per: day }] }]", 1, 49, "needs `usd` or `tokens`" },
	{ "keys: [{ name: a, secret: 0123456789, limits: { request_per_minute: 1 } }]", 1, 49, "did you mean `requests_per_minute`?" },
	{ "keys: [{ name: a, secret: 0123456789, budgets: [{ usd: 1, tokens: 1 }] }]", 1, 49, "one of them" },
	{ "teams: [{ name: a, budgets: [{ usd: 1, time_zone: Mars }] }]", 1, 51, "there is no `Mars`" },
	{ "store: rediss:/nowhere", 1, 8, "`store`" },
	{ "teams: [{ budgets: [] }]", 1, 9, "a team needs a `name`" },
	{ "prices: { a/b: { inputs: 1 } }", 1, 18, "did you mean `input`?" },
	{ "plugins: [{ config: { anything: [1] } }]", 1, 11, "a plugin needs a `name`" },
	{ "cache: { scope: all }", 1, 17, "one of: key team global" },
};

static void one_mistake(const struct mistake *m)
{
	struct config_report r;
	char place[64];
	report_init(&r);
	struct snapshot *s = config_load_text("f", str_c(m->text), true, &r);
	snprintf(place, sizeof(place), m->line ? "f:%u:%u: error: " : "f: error: ", m->line, m->column);
	buf_addc(&r.errors, '\0');
	if (s || !strstr(r.errors.p, place) || !strstr(r.errors.p, m->says))
		fail_msg("%s\nexpected %s...%s\ngot %s", m->text, place, m->says, s ? "nothing" : r.errors.p);
	report_free(&r);
}

static void mistakes_are_named_where_they_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(mistakes); i++)
		one_mistake(&mistakes[i]);
}

/* Nothing that came from a variable or is a secret is repeated, wherever it was put. */
static void secrets_are_not_repeated(void **state)
{
	(void)state;
	static const char *const places[] = {
		"watch: ${MISTAKES_SECRET}", "workers: ${MISTAKES_SECRET}", "listen: { max_body: \"${MISTAKES_SECRET}\" }",
		"log: { level: \"x${MISTAKES_SECRET}\" }", "keys: [{ name: a, secret: \"${MISTAKES_SECRET} \" }]",
		"providers: { openai: { api_key: \"${MISTAKES_SECRET} x\" } }", "store: \"redis://u:${MISTAKES_SECRET}@h:port/\"",
	};
	for (size_t i = 0; i < array_len(places); i++) {
		struct config_report r;
		report_init(&r);
		snapshot_unref(config_load_text("f", str_c(places[i]), true, &r));
		assert_true(r.errors.n + r.warnings.n > 0);
		assert_false(str_has(buf_str(&r.errors), STR("hush")));
		assert_false(str_has(buf_str(&r.warnings), STR("hush")));
		report_free(&r);
	}
}

static void all_mistakes_are_told_in_order(void **state)
{
	(void)state;
	struct config_report r;
	report_init(&r);
	assert_null(config_load_text("f", STR("watch: 1\nlisten:\n  open: 2\nkeys: [{ name: a }]\nadmin: { token: \"${NO_SUCH_ONE}\" }\n"
					      "models: { m: { targets: [x] } }"), true, &r));
	assert_int_equal(r.n_errors, 5);
	struct str rest = buf_str(&r.errors), line;
	unsigned last = 0;
	while (str_split(&rest, '\n', &line)) {
		unsigned at = line.n > 2 ? (unsigned)(line.p[2] - '0') : last;
		assert_true(at >= last);
		last = at;
	}
	report_free(&r);
}

static void messages_are_bounded(void **state)
{
	(void)state;
	struct config_report r;
	struct buf text = BUF_INIT(1 << 20);
	for (int i = 0; i < 5000; i++)
		buf_addf(&text, "unknown%d: 1\n", i);
	report_init(&r);
	assert_null(config_load_text("f", buf_str(&text), true, &r));
	assert_int_equal(r.n_errors, 5000);
	assert_true(str_has(buf_str(&r.errors), STR("4800 more messages")));
	report_free(&r);
	buf_free(&text);
}

int main(void)
{
	setenv("MISTAKES_SECRET", "hush-hush-hush", 1);
	unsetenv("AWS_REGION");
	unsetenv("AWS_DEFAULT_REGION");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_named_where_they_are),
		cmocka_unit_test(secrets_are_not_repeated),
		cmocka_unit_test(all_mistakes_are_told_in_order),
		cmocka_unit_test(messages_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
