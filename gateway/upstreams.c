/*
 * upstreams.c: trying every credential of every provider from the command line.
 */
#include "upstreams.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "cli_http.h"
#include "core/token.h"
#include "upstream/token_http.h"

enum { ANSWER_MAX = 16 * 1024 * 1024 };

static struct str model_list_url(struct arena *a, const struct provider *p)
{
	bool azure = p->quirks & QUIRK_AZURE_DEPLOYMENTS;
	return arena_printf(a, "%s://%.*s%.*s/models%s%.*s", p->origin.tls ? "https" : "http", STR_FMT(p->origin.host_header),
			    STR_FMT(azure ? STR("/openai") : p->base_path), str_empty(p->api_version) ? "" : "?api-version=",
			    STR_FMT(p->api_version));
}

static const char *verdict(long status)
{
	if (status >= 200 && status < 300)
		return "good";
	if (status == 401 || status == 403)
		return "the credential is refused";
	if (status == 404)
		return "reached, but it lists no models";
	return status ? "answers with an error" : "not reached";
}

static void print_row(struct str name, long status, const char *text, struct str more)
{
	char number[24] = "-";
	if (status)
		snprintf(number, sizeof(number), "%ld", status);
	printf("%-24.*s %-6s %s%s%.*s\n", STR_FMT(name), number, text, str_empty(more) ? "" : ": ", STR_FMT(more));
}

static bool ask(struct arena *a, const struct provider *p, struct str label, const char *header)
{
	struct buf body = BUF_INIT(ANSWER_MAX);
	char error[256] = "";
	long status = cli_get(model_list_url(a, p).p, header, &body, error, sizeof(error));
	print_row(label, status, verdict(status), str_c(error));
	buf_free(&body);
	return (status >= 200 && status < 300) || status == 404;
}

/* One that is fetched, is; a list of models is then asked for with a bearer token. */
static bool try_fetched(struct arena *a, const struct provider *p, const struct credential *c)
{
	struct buf why = BUF_INIT(1024);
	struct token_world w;
	int64_t again_us;
	token_world_open(&w, a, 0, NULL);
	struct token *t = token_fetch(live_token_source(c->token), &w.io, &again_us, &why);
	bool good = t;
	if (!t)
		print_row(c->label, 0, "its token cannot be fetched", buf_str(&why));
	else if (t->kind == TOKEN_AWS)
		print_row(c->label, 0, "its keys are there; nothing was asked with them", STR_NONE);
	else
		good = ask(a, p, c->label, arena_printf(a, "Authorization: Bearer %.*s", STR_FMT(t->secret)).p);
	token_unref(t);
	buf_free(&why);
	return good;
}

static bool try_one(const struct provider *p, const struct credential *c)
{
	struct arena a = ARENA_INIT;
	const char *header = NULL;
	if (c && !c->token && p->scheme == CREDENTIAL_BEARER)
		header = arena_printf(&a, "Authorization: Bearer %.*s", STR_FMT(c->secret)).p;
	else if (c && !c->token && p->scheme == CREDENTIAL_HEADER)
		header = arena_printf(&a, "%.*s: %.*s", STR_FMT(p->scheme_name), STR_FMT(c->secret)).p;
	bool good = c && c->token ? try_fetched(&a, p, c) : ask(&a, p, c ? c->label : p->name, header);
	arena_wipe(&a);
	return good;
}

int upstreams_check(const struct snapshot *s)
{
	bool good = true;
	printf("\n%-24s %-6s\n", "provider", "status");
	for (unsigned i = 0; i < s->n_providers; i++) {
		const struct provider *p = s->providers[i];
		if (p->demo)
			continue;
		if (!p->usable)
			printf("%-24.*s %-6s no credential: set %.*s\n", STR_FMT(p->name), "-", STR_FMT(p->credential_variable));
		else if (p->n_credentials == 0)
			good &= try_one(p, NULL);
		for (unsigned c = 0; c < p->n_credentials; c++)
			good &= try_one(p, &p->credentials[c]);
	}
	return good ? 0 : 1;
}
