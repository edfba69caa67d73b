/*
 * cli.c: the commands of `weir`, in one table.
 *
 * Results go to stdout, what is wrong to stderr. Commands that talk to a running gateway
 * use plain HTTP by libcurl's easy interface (cli_http.c).
 */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "cli_admin.h"
#include "cli_arguments.h"
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

enum { WRONG_WORDS = -1 };	/* what a command says of words it does not know */

struct command {
	const char *name;
	const char *usage;	/* what stands behind the name */
	const char *help;
	const char *options;	/* letters of cli_arguments.c */
	int words;		/* that are no options, at most */
	int (*run)(const struct arguments *a);
	const char *more;	/* further lines of its help */
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
	buf_free(&out);
	return known ? 0 : WRONG_WORDS;
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
	struct buf text = BUF_INIT(1024 * 1024);
	for (int i = 0; i < a->n_rest; i++)
		buf_addf(&text, "%s%s", i ? " " : "", a->rest[i]);
	int status = a->n_rest ? cli_chat(a->url, a->model, buf_str(&text)) : WRONG_WORDS;
	buf_free(&text);
	return status;
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
	return a->n_rest ? cli_why(a->rest[0], a->json) : WRONG_WORDS;
}

static int run_cascade(const struct arguments *a)
{
	return cli_cascade(a->json);
}

static int run_cache(const struct arguments *a)
{
	if (a->n_rest == 2 && strcmp(a->rest[0], "evict") == 0)
		return cli_cache_evict(a->rest[1]);
	return WRONG_WORDS;
}

static int run_prices(const struct arguments *a)
{
	if (a->n_rest >= 2 && strcmp(a->rest[0], "update") == 0)
		return cli_prices_update(a->config, a->rest[1], a->to);
	if (a->n_rest >= 1 && strcmp(a->rest[0], "list") == 0)
		return cli_prices_list(a->config, a->n_rest > 1 ? a->rest[1] : NULL);
	return WRONG_WORDS;
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
	if (a->n_rest > 2) {
		fprintf(stderr, "weir: keys: one name at a time, not `%s` too\n", a->rest[2]);
		return 2;
	}
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
	{ "serve", "[-c FILE]", "start the gateway", "c", 0, run_serve, NULL },
	{ "check", "[-c FILE] [--upstreams]", "find a configuration's mistakes; with --upstreams, try each credential", "cU", 0, run_check, NULL },
	{ "init", "", "print a configuration from what the environment holds", "", 0, run_init, NULL },
	{ "config", "full|schema|reference", "every option: as a file, as a JSON Schema, as a page", "", 1, run_config, NULL },
	{ "models", "[-u URL]", "models of a running gateway", "u", 0, run_models, NULL },
	{ "chat", "[-m MODEL] [-u URL] TEXT", "ask a running gateway", "mu", 1000, run_chat, NULL },
	{ "health", "[-u URL]", "0 when a running gateway is ready", "u", 0, run_health, NULL },
	{ "explain", "[-c FILE] [--json] < request.json", "which targets a request would go to, and why; with -c: cold", "cJ", 0, run_explain, NULL },
	{ "why", "[--json] REQUEST_ID", "why a recent request went where it went; its answer's x-request-id", "J", 1, run_why, NULL },
	{ "cascade", "[--json]", "how often each target of the cascades sufficed, and what was saved", "J", 0, run_cascade, NULL },
	{ "usage", "[-c FILE] [--by key,model] [--since 7d]", "what was spent, out of the ledger; --csv, --json", "cBSCJ", 0, run_usage, NULL },
	{ "keys", "create|list|show|update|...", "make and change callers' keys of a running gateway", "GMDEJ", 2, run_keys, cli_keys_lines },
	{ "cache", "evict ID|model=NAME|tag=K=V", "let go of a kept answer (its x-weir-cache-id), or of all of a model or tag", "", 2, run_cache, NULL },
	{ "prices", "list [PART] | update FILE|URL [--to FILE]", "the table of prices; check, compare and install a new one", "cT", 2, run_prices, NULL },
	{ "rules", "test FILE | train", "try the examples beside rules; make a classifier (of the plugin `rules`)", "", 0, NULL, NULL },
	{ "version", "", "version of weir and its libraries", "", 0, run_version, NULL },
	{ "help", "", "this text", "", 0, run_help, NULL },
};

static int run_help(const struct arguments *a)
{
	(void)a;
	printf("weir: one OpenAI-compatible endpoint in front of many models\n\n");
	for (size_t i = 0; i < array_len(commands); i++)
		printf("  weir %-7s %-41s %s\n", commands[i].name, commands[i].usage, commands[i].help);
	printf("\nWithout -c the configuration is WEIR_CONFIG, ./weir.yaml or /etc/weir/weir.yaml; with none of them weir\n"
	       "serves with what the environment holds (OPENAI_API_KEY and the like). URL: WEIR_URL, else of\n"
	       "WEIR_LISTEN_ADDRESS, else http://127.0.0.1:8080; key: WEIR_KEY. explain, why, cascade, keys and cache ask the admin listener:\n"
	       "WEIR_ADMIN_URL, else http://127.0.0.1:9090; token: WEIR_ADMIN_TOKEN.\n");
	return 0;
}

static const struct command *find(const char *name)
{
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	if (strcmp(name, "--version") == 0 || strcmp(name, "-v") == 0)
		name = "version";
	for (size_t i = 0; i < array_len(commands); i++)
		if (commands[i].run && strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void print_usage(const struct command *c, FILE *to)
{
	fprintf(to, "usage: weir %s%s%s\n", c->name, *c->usage ? " " : "", c->usage);
}

static int print_help(const struct command *c)
{
	print_usage(c, stdout);
	printf("%s\n\n%s", c->help, c->more ? c->more : "");
	arguments_print(c->options, stdout);
	return 0;
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

static int run(const struct command *c, int argc, char **argv)
{
	struct arguments a = { .url = default_url() };
	bool good = arguments_read(c->options, c->words, argc, argv, &a);
	if (good && a.help)
		return c->run == run_help ? run_help(&a) : print_help(c);
	int status = good ? c->run(&a) : WRONG_WORDS;
	if (status != WRONG_WORDS)
		return status;
	print_usage(c, stderr);
	return 2;
}

/* What could not be written was not said: a full disk behind `>` is a failure. */
static int said(int status)
{
	bool good = fflush(stdout) == 0 && !ferror(stdout);
	if (!good)
		fprintf(stderr, "weir: cannot write to stdout: %s\n", strerror(errno));
	return good || status ? status : 1;
}

int cli_main(int argc, char **argv)
{
	static char *help[] = { "help", NULL };
	argc = argc > 1 ? argc - 1 : 1;
	argv = argv[0] && argv[1] ? argv + 1 : help;
	const struct command *c = find(argv[0]);
	int status = 2;
	if (!c && argv[0][0] == '-')
		fprintf(stderr, "weir: options stand behind a command, as in weir serve -c FILE; see weir help\n");
	else
		status = said(c ? run(c, argc, argv) : plugin_command(argc, argv));
	arena_thread_end();
	return status;
}
