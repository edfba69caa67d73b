/*
 * cli.c: the commands of `weir`, in one table.
 *
 * Results go to stdout, what is wrong to stderr. Commands that talk to a running gateway
 * use plain HTTP by libcurl's easy interface (cli_http.c).
 */
#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "cli_admin.h"
#include "cli_http.h"
#include "cli_keys.h"
#include "cli_prices.h"
#include "cli_usage.h"
#include "config/load.h"
#include "config/plugin_command.h"
#include "config/print.h"
#include "upstreams.h"
#include "server.h"
#include "version.h"

struct arguments {
	const char *config;
	const char *model;
	const char *url;
	const char *to, *by, *since;
	const char *team, *models, *usd, *expires;
	bool upstreams, json, csv;
	char **rest;
	int n_rest;
};

struct command {
	const char *name;
	const char *usage;
	const char *help;
	int (*run)(const struct arguments *a);
};

static int run_serve(const struct arguments *a)
{
	return server_run(a->config);
}

static struct snapshot *load(const struct arguments *a, struct config_report *r)
{
	report_init(r);
	struct snapshot *s = config_load(config_find(a->config), r);
	fprintf(stderr, "%.*s%.*s", STR_FMT(buf_str(&r->warnings)), STR_FMT(buf_str(&r->errors)));
	return s;
}

static int run_check(const struct arguments *a)
{
	struct config_report r;
	struct snapshot *s = load(a, &r);
	int status = s ? 0 : 2;
	if (s) {
		printf("%.*s: good (%u providers, %u models, %u keys; %u warnings)\n", STR_FMT(s->source), s->n_providers,
		       s->n_models, s->n_keys, r.n_warnings);
		if (a->upstreams)
			status = upstreams_check(s);
	}
	report_free(&r);
	snapshot_unref(s);
	return status;
}

static int run_config(const struct arguments *a)
{
	struct buf out = BUF_INIT(4 * 1024 * 1024);
	const char *what = a->n_rest ? a->rest[0] : "";
	bool known = true;
	if (strcmp(what, "full") == 0)
		print_full(&out);
	else if (strcmp(what, "schema") == 0)
		print_schema(&out);
	else if (strcmp(what, "reference") == 0)
		print_reference(&out);
	else
		known = false;
	if (known)
		printf("%.*s", STR_FMT(buf_str(&out)));
	else
		fprintf(stderr, "usage: weir config full|schema|reference\n");
	buf_free(&out);
	return known ? 0 : 2;
}

static int run_init(const struct arguments *a)
{
	struct buf out = BUF_INIT(1024 * 1024);
	(void)a;
	print_init(&out);
	printf("%.*s", STR_FMT(buf_str(&out)));
	buf_free(&out);
	return 0;
}

static int run_models(const struct arguments *a)
{
	return cli_models(a->url);
}

static int run_chat(const struct arguments *a)
{
	if (!a->n_rest) {
		fprintf(stderr, "usage: weir chat [-m MODEL] \"text\"\n");
		return 2;
	}
	return cli_chat(a->url, a->model ? a->model : "demo/echo", a->rest[0]);
}

static int run_health(const struct arguments *a)
{
	return cli_health(a->url);
}

static int run_explain(const struct arguments *a)
{
	return cli_explain(a->config, a->json);
}

static int run_why(const struct arguments *a)
{
	if (!a->n_rest) {
		fprintf(stderr, "usage: weir why [--json] REQUEST_ID (the x-request-id of an answer)\n");
		return 2;
	}
	return cli_why(a->rest[0], a->json);
}

static int run_cascade(const struct arguments *a)
{
	return cli_cascade(a->json);
}

static int run_cache(const struct arguments *a)
{
	if (a->n_rest == 2 && strcmp(a->rest[0], "evict") == 0)
		return cli_cache_evict(a->rest[1]);
	fprintf(stderr, "usage: weir cache evict ID | model=NAME | tag=K=V (ID: the x-weir-cache-id of an answer)\n");
	return 2;
}

static int run_prices(const struct arguments *a)
{
	if (a->n_rest >= 2 && strcmp(a->rest[0], "update") == 0)
		return cli_prices_update(a->config, a->rest[1], a->to);
	if (a->n_rest >= 1 && strcmp(a->rest[0], "list") == 0)
		return cli_prices_list(a->config, a->n_rest > 1 ? a->rest[1] : NULL);
	fprintf(stderr, "usage: weir prices list [PART] | weir prices update FILE|URL [--to FILE]\n");
	return 2;
}

static int run_usage(const struct arguments *a)
{
	return cli_usage(a->config, a->by, a->since, a->csv, a->json);
}

static int run_keys(const struct arguments *a)
{
	const struct keys_arguments k = {
		.action = a->n_rest ? a->rest[0] : NULL, .name = a->n_rest > 1 ? a->rest[1] : NULL, .team = a->team, .models = a->models,
		.usd = a->usd, .expires = a->expires, .json = a->json,
	};
	return cli_keys(&k);
}

static int run_version(const struct arguments *a)
{
	(void)a;
	version_print();
	return 0;
}

static int run_help(const struct arguments *a);

static const struct command commands[] = {
	{ "serve", "[-c FILE]", "start the gateway", run_serve },
	{ "check", "[-c FILE] [--upstreams]", "find a configuration's mistakes; with --upstreams, try each credential", run_check },
	{ "explain", "[-c FILE] [--json] < request.json", "which targets a request would go to, and why; with -c: cold", run_explain },
	{ "why", "[--json] REQUEST_ID", "why a recent request went where it went", run_why },
	{ "cascade", "[--json]", "how often each target of the cascades sufficed, and what was saved", run_cascade },
	{ "prices", "list [PART] | update FILE|URL", "the table of prices; check, compare and install a new one", run_prices },
	{ "usage", "[--by key,model] [--since 7d]", "what was spent, out of the ledger; --csv, --json", run_usage },
	{ "keys", "create|list|show|update|rotate|revoke", "callers' keys of a running gateway; see weir keys", run_keys },
	{ "cache", "evict WHAT", "let go of a kept answer by its x-weir-cache-id, or of all of model=NAME or tag=K=V", run_cache },
	{ "init", "", "print a configuration from what the environment holds", run_init },
	{ "config", "full|schema|reference", "every option: as a file, as a JSON Schema, as a page", run_config },
	{ "models", "[-u URL]", "models of a running gateway", run_models },
	{ "chat", "[-m MODEL] [-u URL] \"text\"", "ask a running gateway", run_chat },
	{ "health", "[-u URL]", "0 when a running gateway is ready", run_health },
	{ "version", "", "version of weir and its libraries", run_version },
	{ "help", "", "this text", run_help },
};

static int run_help(const struct arguments *a)
{
	(void)a;
	printf("weir: one OpenAI-compatible endpoint in front of many models\n\n");
	for (size_t i = 0; i < array_len(commands); i++)
		printf("  weir %-8s %-34s %s\n", commands[i].name, commands[i].usage, commands[i].help);
	printf("  weir %-8s %-34s %s\n", "rules", "test FILE | train", "try the examples beside rules; make a classifier (of the plugin `rules`)");
	printf("\nWithout -c the configuration is WEIR_CONFIG, ./weir.yaml or /etc/weir/weir.yaml; with none of them weir\n"
	       "serves with what the environment holds (OPENAI_API_KEY and the like). URL: WEIR_URL, else of\n"
	       "WEIR_LISTEN_ADDRESS, else http://127.0.0.1:8080; key: WEIR_KEY. explain, why, cascade, keys and cache ask the admin listener:\n"
	       "WEIR_ADMIN_URL, else http://127.0.0.1:9090; token: WEIR_ADMIN_TOKEN.\n");
	return 0;
}

static bool parse(int argc, char **argv, struct arguments *a)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' }, { "model", required_argument, NULL, 'm' },
		{ "url", required_argument, NULL, 'u' }, { "upstreams", no_argument, NULL, 'U' },
		{ "json", no_argument, NULL, 'j' }, { "to", required_argument, NULL, 't' },
		{ "by", required_argument, NULL, 'b' }, { "since", required_argument, NULL, 's' }, { "csv", no_argument, NULL, 'C' },
		{ "team", required_argument, NULL, 'T' }, { "models", required_argument, NULL, 'M' },
		{ "usd", required_argument, NULL, 'D' }, { "expires", required_argument, NULL, 'E' }, { NULL, 0, NULL, 0 },
	};
	int c;
	while ((c = getopt_long(argc, argv, "c:m:u:", longs, NULL)) >= 0) {
		switch (c) {
		case 'c': a->config = optarg; break;
		case 'm': a->model = optarg; break;
		case 'u': a->url = optarg; break;
		case 'U': a->upstreams = true; break;
		case 'j': a->json = true; break;
		case 't': a->to = optarg; break;
		case 'b': a->by = optarg; break;
		case 's': a->since = optarg; break;
		case 'C': a->csv = true; break;
		case 'T': a->team = optarg; break;
		case 'M': a->models = optarg; break;
		case 'D': a->usd = optarg; break;
		case 'E': a->expires = optarg; break;
		default: return false;
		}
	}
	a->rest = argv + optind;
	a->n_rest = argc - optind;
	return true;
}

static const struct command *find(const char *name)
{
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	if (strcmp(name, "--version") == 0 || strcmp(name, "-v") == 0)
		name = "version";
	for (size_t i = 0; i < array_len(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

// The gateway beside us: where WEIR_URL says, else where this environment lets it listen. In a
// container both share one environment, so `weir health` follows the port without being told.
static const char *default_url(void)
{
	static char url[256];
	const char *said = getenv("WEIR_URL"), *listen = getenv("WEIR_LISTEN_ADDRESS");
	if (said && *said)
		return said;
	const char *port = listen ? strrchr(listen, ':') : NULL;
	if (!port || strncmp(listen, "unix:", 5) == 0)
		return "http://127.0.0.1:8080";
	struct str host = str_of(listen, (size_t)(port - listen));
	if (host.n == 0 || str_eq(host, STR("0.0.0.0")) || str_eq(host, STR("*")) || str_eq(host, STR("[::]")))
		host = STR("127.0.0.1");
	snprintf(url, sizeof(url), "http://%.*s%s", STR_FMT(host), port);
	return url;
}

int cli_main(int argc, char **argv)
{
	struct arguments a = { .url = default_url() };
	const struct command *c = argc > 1 ? find(argv[1]) : find("help");
	if (c && argc > 1 && !parse(argc - 1, argv + 1, &a))
		return 2;
	int status = c ? c->run(&a) : plugin_command(argc - 1, argv + 1);
	arena_thread_end();
	return status;
}
