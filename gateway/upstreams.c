/*
 * upstreams.c: trying every credential of every provider from the command line.
 */
#include "upstreams.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "cli_http.h"

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

static bool try_one(const struct provider *p, const struct credential *c)
{
	struct arena a = ARENA_INIT;
	struct buf body = BUF_INIT(ANSWER_MAX);
	char error[256] = "";
	const char *header = NULL;
	if (c && p->scheme == CREDENTIAL_BEARER)
		header = arena_printf(&a, "Authorization: Bearer %.*s", STR_FMT(c->secret)).p;
	else if (c && p->scheme == CREDENTIAL_HEADER)
		header = arena_printf(&a, "%.*s: %.*s", STR_FMT(p->scheme_name), STR_FMT(c->secret)).p;
	long status = cli_get(model_list_url(&a, p).p, header, &body, error, sizeof(error));
	printf("%-24.*s %-6ld %s%s%s\n", STR_FMT(c ? c->label : p->name), status, verdict(status), *error ? ": " : "", error);
	buf_free(&body);
	arena_clear(&a);
	return (status >= 200 && status < 300) || status == 404;
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
