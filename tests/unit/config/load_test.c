/*
 * load_test.c: from good configurations, or the environment alone, to snapshots.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/digest.h"
#include "config/load.h"
#include "core/dialect.h"
#include "core/live.h"

static struct config_report report;

static struct snapshot *load_text(const char *text)
{
	report_free(&report);
	report_init(&report);
	return config_load_text("f", str_c(text), true, &report);
}

static struct snapshot *load_good(const char *text)
{
	struct snapshot *s = load_text(text);
	if (!s)
		fail_msg("%.*s", STR_FMT(buf_str(&report.errors)));
	return s;
}

static bool warned(const char *text)
{
	return str_has(buf_str(&report.warnings), str_c(text));
}

static int before(void **state)
{
	(void)state;
	clearenv();
	return 0;
}

static void contract_loads_with_nothing_set(void **state)
{
	(void)state;
	report_init(&report);
	struct snapshot *s = config_load("tests/cases/config/contract.yaml", &report);
	if (!s)
		fail_msg("%.*s", STR_FMT(buf_str(&report.errors)));
	assert_int_equal(s->n_providers, 11);
	assert_int_equal(s->n_models, 4);
	assert_int_equal(s->n_keys, 2);
	assert_int_equal(s->settings.listen.max_body, 32 << 20);
	assert_int_equal(s->settings.breaker.open_us, 10000000);
	assert_true(str_eq(s->settings.listen.addresses[0], STR("127.0.0.1:8080")));
	assert_true(str_empty(s->settings.admin.token));
	assert_int_equal(s->n_watched_files, 2);	/* and the rules */
	assert_non_null(s->plugins);
	static const char *const told[] = { "set OPENAI_API_KEY", "set GROQ_KEY_A" };
	for (size_t i = 0; i < array_len(told); i++)
		assert_true(warned(told[i]));
	assert_false(snapshot_provider(s, STR("openai"))->usable);
	assert_true(snapshot_provider(s, STR("first"))->usable);
	assert_true(snapshot_provider(s, STR("laptop"))->origin.allow_private);
	assert_int_equal(snapshot_target(s, STR("first/mock-model"))->price->rates[RATE_CACHED_INPUT], 100000000);
	const struct model *canary = snapshot_model(s, STR("canary"));
	assert_int_equal(canary->targets[0]->weight, 95);
	assert_int_equal(canary->strategy, STRATEGY_WEIGHTED);
	assert_int_equal(snapshot_model(s, STR("mock-model"))->timeouts.first_token_us, 60000000);
	assert_null(snapshot_model(s, STR("fault-*")));
	uint8_t digest[DIGEST_SIZE];
	digest_sha256(STR("sk-weir-web-0123456789abcdef"), digest);
	const struct key *web = snapshot_key(s, digest);
	assert_true(web && str_eq(web->name, STR("web")) && web->n_models == 3);
	digest[31] ^= 1;
	assert_null(snapshot_key(s, digest));
	snapshot_unref(s);
}

static void defaults_are_the_hardened_ones(void **state)
{
	(void)state;
	struct snapshot *s = load_good("");
	const struct listen_settings *l = &s->settings.listen;
	assert_int_equal(l->max_headers, 100);
	assert_int_equal(l->max_head, 32768);
	assert_int_equal(l->max_header, 16384);
	assert_int_equal(l->max_line, 8192);
	assert_int_equal(l->max_connections, 10000);
	assert_int_equal(l->max_connections_per_address, 256);
	assert_int_equal(l->keep_alive_us, 75000000);
	assert_int_equal(l->header_us, 15000000);
	assert_int_equal(l->body_us, 60000000);
	assert_int_equal(l->drain_us, 30000000);
	assert_int_equal(l->keep_alive_comment_us, 10000000);
	assert_true(s->settings.workers >= 1);
	assert_true(s->settings.breaker.on);
	assert_int_equal(s->n_keys, 0);
	snapshot_unref(s);
}

static void json_is_read_too(void **state)
{
	(void)state;
	struct snapshot *s = load_good("{\n\t\"providers\": {\"a\":{\"dialect\":\"openai\",\"base_url\":\"https:\\/\\/a.example\\/v1\","
				       "\"api_keys\":[\"k1\",\"\",\"k2\"]}},\"models\":{\"m\":{\"targets\":[\"a\\/x\"]}},\"watch\":true}");
	const struct provider *p = s->providers[0];
	assert_int_equal(p->n_credentials, 2);
	assert_true(str_eq(p->credentials[1].secret, STR("k2")));
	assert_true(str_eq(p->credentials[1].label, STR("a[1]")));
	assert_true(str_eq(p->base_path, STR("/v1")));
	assert_true(p->origin.tls && p->origin.port == 443 && str_eq(p->origin.host, STR("a.example")));
	assert_true(s->settings.watch);
	assert_ptr_equal(s->models[0]->targets[0]->live, live_target(STR("a/x")));
	snapshot_unref(s);
}

static void scalars_come_from_the_environment_and_files(void **state)
{
	(void)state;
	char name[] = "/tmp/weir-secret-XXXXXX", text[256];
	int fd = mkstemp(name);
	assert_int_equal(write(fd, "from ${A} file\r\n", 16), 16);
	close(fd);
	setenv("A", "@file:/etc/passwd", 1);
	setenv("EMPTY", "", 1);
	snprintf(text, sizeof(text), "admin: { token: \"@file:%s\" }\nlog: { access: \"x${A}y${EMPTY:-z}$${A}\" }\nwatch: ${EMPTY}\n"
		 "files_provider: ${EMPTY:-}\nledger: \"${NO:-off}\"", name);
	struct snapshot *s = load_good(text);
	assert_true(str_eq(s->settings.admin.token, STR("from ${A} file")));
	assert_true(str_eq(s->settings.access_log, STR("x@file:/etc/passwdyz${A}")));
	assert_false(s->settings.watch);
	assert_int_equal(s->n_watched_files, 1);
	assert_true(str_eq(s->watched_files[0], str_c(name)));
	assert_false(warned("every user"));
	snapshot_unref(s);
	assert_int_equal(chmod(name, 0644), 0);
	snapshot_unref(load_good(text));
	assert_true(warned("can be read by every user"));
	unlink(name);
}

static void what_a_variable_holds_is_no_file(void **state)
{
	(void)state;
	setenv("A", "@file:/etc/passwd", 1);
	struct snapshot *s = load_good("admin: { token: \"${A}\" }");
	assert_true(str_eq(s->settings.admin.token, STR("@file:/etc/passwd")));
	snapshot_unref(s);
}

static void variables_lie_over_the_file(void **state)
{
	(void)state;
	setenv("WEIR_LISTEN_ADDRESS", "127.0.0.1:1, [::1]:2", 1);
	setenv("WEIR_WORKERS", "3", 1);
	setenv("WEIR_LOG_LEVEL", "debug", 1);
	setenv("WEIR_LISTEN_TIMEOUTS_DRAIN", "5s", 1);
	setenv("WEIR_WATCH", "", 1);
	struct snapshot *s = load_good("workers: 2\nwatch: true\nlisten: { address: \"127.0.0.1:9\" }");
	assert_int_equal(s->settings.workers, 3);
	assert_int_equal(s->settings.listen.n_addresses, 2);
	assert_true(str_eq(s->settings.listen.addresses[1], STR("[::1]:2")));
	assert_int_equal(s->settings.log_level, LOG_DEBUG);
	assert_int_equal(s->settings.listen.drain_us, 5000000);
	assert_true(s->settings.watch);
	snapshot_unref(s);
	setenv("WEIR_WORKERS", "0", 1);
	assert_null(load_text(""));
	assert_true(str_has(buf_str(&report.errors), STR("f: error: the variable WEIR_WORKERS: expected auto or a whole number")));
}

static struct snapshot *load_nothing(void)
{
	report_free(&report);
	report_init(&report);
	struct snapshot *s = config_load(NULL, &report);
	assert_non_null(s);
	return s;
}

static void the_demonstration_is_there_until_a_file_says_otherwise(void **state)
{
	(void)state;
	struct snapshot *s = load_good("");
	assert_int_equal(s->n_providers, 1);
	assert_true(s->providers[0]->demo && s->providers[0]->usable);
	assert_non_null(snapshot_target(s, STR("demo/echo")));
	snapshot_unref(s);
	setenv("GROQ_API_KEY", "k\n", 1);
	s = load_good("");	/* behind what the environment holds */
	assert_int_equal(s->n_providers, 2);
	assert_true(s->providers[1]->demo);
	assert_true(str_eq(s->providers[0]->name, STR("groq")));
	assert_true(str_eq(s->providers[0]->credentials[0].secret, STR("k")));
	snapshot_unref(s);
	s = load_good("providers: { openai: {} }");	/* not usable, and still no demonstration */
	assert_int_equal(s->n_providers, 1);
	assert_false(s->providers[0]->usable);
	snapshot_unref(s);
}

static void vendors_variables_make_providers(void **state)
{
	(void)state;
	setenv("OPENAI_API_KEY", "a", 1);
	setenv("OPENAI_BASE_URL", "http://10.0.0.1:9/x/v1", 1);
	setenv("GOOGLE_API_KEY", "b", 1);
	setenv("DASHSCOPE_API_KEY", "c", 1);
	setenv("AZURE_OPENAI_API_KEY", "d", 1);
	setenv("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com/", 1);
	setenv("AWS_BEARER_TOKEN_BEDROCK", "e", 1);
	setenv("CLOUDFLARE_API_TOKEN", "f", 1);	/* without the account: not taken */
	struct snapshot *s = load_nothing();
	assert_true(str_eq(s->source, STR("environment")));
	const struct provider *p = snapshot_provider(s, STR("openai"));
	assert_true(p && p->origin.port == 9 && p->origin.allow_private && str_eq(p->base_path, STR("/x/v1")));
	assert_non_null(snapshot_provider(s, STR("gemini")));
	assert_non_null(snapshot_provider(s, STR("alibaba")));
	assert_null(snapshot_provider(s, STR("alibaba-cn")));
	p = snapshot_provider(s, STR("azure"));
	assert_true(p && str_eq(p->origin.host, STR("r.openai.azure.com")) && (p->quirks & QUIRK_AZURE_DEPLOYMENTS));
	assert_null(snapshot_provider(s, STR("azure-v1")));
	assert_null(snapshot_provider(s, STR("bedrock")));
	assert_null(snapshot_provider(s, STR("cloudflare")));
	snapshot_unref(s);
	setenv("AWS_DEFAULT_REGION", "eu-west-1", 1);
	s = load_nothing();
	p = snapshot_provider(s, STR("bedrock"));
	assert_true(p && str_eq(p->origin.host, STR("bedrock-runtime.eu-west-1.amazonaws.com")));
	snapshot_unref(s);
}

static void the_gateway_is_not_its_own_provider(void **state)
{
	(void)state;
	setenv("OPENAI_API_KEY", "a", 1);
	setenv("OPENAI_BASE_URL", "http://localhost:8080/v1", 1);
	struct snapshot *s = load_nothing();
	assert_true(warned("OPENAI_BASE_URL names this gateway"));
	assert_true(str_eq(snapshot_provider(s, STR("openai"))->origin.host, STR("api.openai.com")));
	snapshot_unref(s);
}

static void azure_has_two_forms(void **state)
{
	(void)state;
	struct snapshot *s = load_good("providers:\n"
				       "  a: { preset: azure, api_key: k, base_url: \"https://r.openai.azure.com\" }\n"
				       "  b: { preset: azure, api_key: k, base_url: \"https://r.openai.azure.com/openai/v1/\" }\n"
				       "  c: { preset: azure-v1, api_key: k, resource: r }\n"
				       "  d: { preset: azure-v1, api_key: k, base_url: \"https://r.services.ai.azure.com\" }\n");
	assert_true(s->providers[0]->quirks & QUIRK_AZURE_DEPLOYMENTS);
	assert_true(str_eq(s->providers[0]->api_version, STR("2024-10-21")));
	for (unsigned i = 1; i < 4; i++) {
		assert_false(s->providers[i]->quirks & QUIRK_AZURE_DEPLOYMENTS);
		assert_true(str_empty(s->providers[i]->api_version));
		assert_true(str_eq(s->providers[i]->base_path, STR("/openai/v1")));
		assert_int_equal(s->providers[i]->scheme, CREDENTIAL_HEADER);
	}
	snapshot_unref(s);
}

static void formats_without_code_are_read_and_not_used(void **state)
{
	(void)state;
	struct snapshot *s = load_good("providers: { a: { dialect: ollama, base_url: \"https://a.example\", api_key: k } }");
	assert_false(s->providers[0]->usable);
	assert_true(warned("provider `a` is not used: its dialect is not part of this version"));
	snapshot_unref(s);
}

static void callers_may_bring_their_key(void **state)
{
	(void)state;
	struct snapshot *s = load_good("providers: { openai: { credential: caller, headers: { x-a: b } } }");
	assert_true(s->providers[0]->usable && s->providers[0]->caller_credential);
	assert_int_equal(s->providers[0]->n_headers, 1);
	snapshot_unref(s);
}

static void beyond_loopback_a_key_is_needed(void **state)
{
	(void)state;
	uint8_t digest[DIGEST_SIZE];
	struct snapshot *s = load_good("listen: { address: \"0.0.0.0:8080\" }");
	assert_int_equal(s->n_keys, 1);
	assert_true(s->made_key && str_starts(s->made_secret, STR("sk-weir-")));
	digest_sha256(s->made_secret, digest);
	assert_non_null(snapshot_key(s, digest));
	snapshot_unref(s);
	s = load_good("listen: { address: \":8080\" }");	/* a reload keeps the same one */
	assert_non_null(snapshot_key(s, digest));
	snapshot_unref(s);
	setenv("WEIR_KEY", "mine-mine", 1);
	s = load_good("listen: { address: [\"unix:/tmp/x\", \"[::]:8080\"] }");
	digest_sha256(STR("mine-mine"), digest);
	assert_true(snapshot_key(s, digest) && !s->made_key);
	snapshot_unref(s);
	static const char *const open[] = { "listen: { address: \"0.0.0.0:8080\", open: true }", "listen: { address: \"127.9.9.9:1\" }",
					    "listen: { address: \"[::1]:1\" }", "listen: { address: \"unix:/tmp/x\" }",
					    "listen: { address: \"localhost:1\" }" };
	for (size_t i = 0; i < array_len(open); i++) {
		s = load_good(open[i]);
		assert_int_equal(s->n_keys, 0);
		snapshot_unref(s);
	}
	s = load_good("listen: { address: \"127.evil.example:1\" }");
	assert_int_equal(s->n_keys, 1);
	snapshot_unref(s);
}

static void models_inherit_what_is_usual(void **state)
{
	(void)state;
	setenv("WEIR_TIMEOUTS_IDLE", "7s", 1);
	struct snapshot *s = load_good("timeouts: { total: 3m }\nretry: { uncertain: never, attempts: 4 }\n"
				       "models: { m: { targets: [demo/a], timeouts: { connect: 1s }, retry: { attempts: 2 } } }");
	const struct model *m = s->models[0];
	assert_int_equal(m->timeouts.connect_us, 1000000);
	assert_int_equal(m->timeouts.first_token_us, 120000000);
	assert_int_equal(m->timeouts.idle_us, 7000000);
	assert_int_equal(m->timeouts.total_us, 180000000);
	assert_int_equal(m->retry.attempts, 2);
	assert_int_equal(m->retry.uncertain, UNCERTAIN_NEVER);
	assert_int_equal(m->retry.backoff_us, 200000);
	assert_int_equal(s->settings.timeouts.connect_us, 5000000);
	assert_int_equal(s->settings.retry.uncertain, UNCERTAIN_NEVER);
	snapshot_unref(s);
}

/* What `second` says takes effect as far as it can while `first` is served. */
static struct snapshot *follow(const char *first, const char *second, const char *kept)
{
	struct buf b = BUF_INIT(1024);
	struct snapshot *running = load_good(first), *fresh = load_good(second);
	config_follow(running, fresh, &b);
	if (!str_eq(buf_str(&b), str_c(kept)))
		fail_msg("%s: %.*s", second, STR_FMT(buf_str(&b)));
	buf_free(&b);
	snapshot_unref(running);
	return fresh;
}

#define PUBLIC "listen: { address: \"0.0.0.0:80\" }\n"
#define ONE_KEY "keys: [{ name: a, secret: 0123456789 }]\n"

static void a_reload_opens_nothing(void **state)
{
	(void)state;
	uint8_t digest[DIGEST_SIZE];
	struct snapshot *s = follow(PUBLIC ONE_KEY, "", "listen.address");
	assert_true(str_eq(s->settings.listen.addresses[0], STR("0.0.0.0:80")));
	assert_true(s->n_keys == 1 && s->made_key);
	snapshot_unref(s);
	setenv("WEIR_KEY", "mine-mine", 1);
	s = follow(PUBLIC, "", "listen.address");	/* WEIR_KEY still is what is asked */
	digest_sha256(STR("mine-mine"), digest);
	assert_true(snapshot_key(s, digest) && s->default_key && !s->made_key);
	snapshot_unref(s);
	unsetenv("WEIR_KEY");
	s = follow("", PUBLIC, "listen.address");	/* and loopback stays as open as it was */
	assert_int_equal(s->n_keys, 0);
	snapshot_unref(s);
	s = follow("workers: 2", "workers: 3\nadmin: { address: \"127.0.0.1:1\" }\nlog: { level: debug }", "admin.address, workers");
	assert_true(s->settings.workers == 2 && s->settings.log_level == LOG_DEBUG);
	snapshot_unref(s);
	snapshot_unref(follow(PUBLIC ONE_KEY, PUBLIC ONE_KEY, ""));
}

static void targets_are_listed_once(void **state)
{
	(void)state;
	struct snapshot *s = load_good("providers: { a: { dialect: openai, base_url: \"https://a.example\", models: [x, z] } }\n"
				       "models: { m: { targets: [a/x, a/y] }, n: { targets: [{ target: a/y, weight: 7 }] }, "
				       "\"p-*\": { targets: [\"a/*\", a/x] } }");
	assert_int_equal(s->n_targets, 3);
	assert_int_equal(s->models[1]->targets[0]->weight, 7);
	assert_ptr_equal(s->models[1]->targets[0]->live, snapshot_target(s, STR("a/y"))->live);
	assert_null(s->models[2]->targets[0]->live);
	assert_null(snapshot_target(s, STR("a/none")));
	snapshot_unref(s);
}

static void many_keys_and_models_load(void **state)
{
	(void)state;
	struct buf text = BUF_INIT(8 << 20);
	buf_add(&text, STR("providers: { a: { dialect: openai, base_url: \"https://a.example\" } }\nkeys:\n"));
	for (int i = 0; i < 20000; i++)
		buf_addf(&text, "- { name: k%d, secret: secret-number-%d }\n", i, i);
	buf_add(&text, STR("models:\n"));
	for (int i = 0; i < 20000; i++)
		buf_addf(&text, "  m%d: { targets: [a/x%d] }\n", i, i % 100);
	buf_addc(&text, '\0');
	struct snapshot *s = load_good(text.p);
	assert_int_equal(s->n_keys, 20000);
	assert_int_equal(s->n_models, 20000);
	assert_int_equal(s->n_targets, 100);
	uint8_t digest[DIGEST_SIZE];
	digest_sha256(STR("secret-number-19999"), digest);
	assert_true(str_eq(snapshot_key(s, digest)->name, STR("k19999")));
	snapshot_unref(s);
	buf_free(&text);
}

static void files_are_looked_for_in_order(void **state)
{
	(void)state;
	char dir[] = "/tmp/weir-config-XXXXXX", was[4096];
	assert_non_null(mkdtemp(dir));
	assert_non_null(getcwd(was, sizeof(was)));
	assert_int_equal(chdir(dir), 0);
	assert_null(config_find(NULL));
	assert_int_equal(mkdir("weir.yaml", 0700), 0);	/* there, and not readable as a file: an error, not absent */
	assert_string_equal(config_find(NULL), "weir.yaml");
	report_free(&report);
	report_init(&report);
	assert_null(config_load("weir.yaml", &report));
	assert_true(str_eq(buf_str(&report.errors), STR("weir.yaml: error: cannot read it: Is a directory\n")));
	setenv("WEIR_CONFIG", "elsewhere.yaml", 1);
	assert_string_equal(config_find(NULL), "elsewhere.yaml");
	assert_string_equal(config_find("given.yaml"), "given.yaml");
	rmdir("weir.yaml");
	assert_int_equal(chdir(was), 0);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(contract_loads_with_nothing_set, before),
		cmocka_unit_test_setup(defaults_are_the_hardened_ones, before),
		cmocka_unit_test_setup(json_is_read_too, before),
		cmocka_unit_test_setup(scalars_come_from_the_environment_and_files, before),
		cmocka_unit_test_setup(what_a_variable_holds_is_no_file, before),
		cmocka_unit_test_setup(variables_lie_over_the_file, before),
		cmocka_unit_test_setup(the_demonstration_is_there_until_a_file_says_otherwise, before),
		cmocka_unit_test_setup(vendors_variables_make_providers, before),
		cmocka_unit_test_setup(the_gateway_is_not_its_own_provider, before),
		cmocka_unit_test_setup(azure_has_two_forms, before),
		cmocka_unit_test_setup(formats_without_code_are_read_and_not_used, before),
		cmocka_unit_test_setup(callers_may_bring_their_key, before),
		cmocka_unit_test_setup(beyond_loopback_a_key_is_needed, before),
		cmocka_unit_test_setup(models_inherit_what_is_usual, before),
		cmocka_unit_test_setup(a_reload_opens_nothing, before),
		cmocka_unit_test_setup(targets_are_listed_once, before),
		cmocka_unit_test_setup(many_keys_and_models_load, before),
		cmocka_unit_test_setup(files_are_looked_for_in_order, before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
