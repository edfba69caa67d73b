/*
 * build_identity.c: who we are to a cloud: found in the configuration, or where the vendor's own
 * tools look for it, in their order.
 */
#include <stdlib.h>
#include <unistd.h>

#include "config/build.h"
#include "config/build_identity.h"
#include "core/live.h"
#include "core/token.h"
#include "wire/url.h"

/* What a preset's vendor takes where no key is given. */
static const struct {
	struct str preset;
	enum credential_kind kind;
	struct str service;
} clouds[] = {
	{ STR_INIT("bedrock"), CREDENTIAL_AWS, STR_INIT("bedrock") },
	{ STR_INIT("bedrock-mantle"), CREDENTIAL_AWS, STR_INIT("bedrock-mantle") },
	{ STR_INIT("vertex"), CREDENTIAL_GOOGLE, STR_INIT("") },
	{ STR_INIT("azure"), CREDENTIAL_ENTRA, STR_INIT("") },
	{ STR_INIT("azure-v1"), CREDENTIAL_ENTRA, STR_INIT("") },
};

struct str identity_variable(const struct build *b, const char *name)
{
	return b->environment ? arena_copy(b->arena, str_c(getenv(name))) : STR_NONE;
}

struct str identity_either(struct build *b, struct str option, const char *name)
{
	return str_empty(option) ? identity_variable(b, name) : option;
}

struct str identity_home(struct build *b, const char *path)
{
	struct str home = identity_variable(b, "HOME");
	return str_empty(home) ? STR_NONE : arena_printf(b->arena, "%.*s/%s", STR_FMT(home), path);
}

bool identity_file(const struct build *b, struct str path)
{
	return b->environment && !str_empty(path) && access(arena_copy(b->arena, path).p, R_OK) == 0;
}

/* --- the row --- */

static bool is_visible(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return false;
	return true;
}

static void release_token(void *row)
{
	live_token_unref(row);
}

static void check(struct build *b, const struct node *n, const struct provider *p, const struct token_source *s)
{
	static const enum token_field visible[] = { TOKEN_ID, TOKEN_SECRET, TOKEN_SESSION, TOKEN_TENANT, TOKEN_ROLE, TOKEN_REGION,
						    TOKEN_SCOPE, TOKEN_ENDPOINT, TOKEN_PROXY };
	struct url url;
	for (size_t i = 0; i < array_len(visible); i++)
		if (!is_visible(s->field[visible[i]]))
			build_error(b, n, "the credential of `%.*s` has blanks or bytes in it that no header may carry", STR_FMT(p->name));
	struct str end = s->field[TOKEN_ENDPOINT];
	ptrdiff_t mark = str_chr(end, '?');
	const char *wrong = str_empty(end) ? NULL : url_parse(mark < 0 ? end : str_head(end, (size_t)mark), &url);
	if (wrong)
		build_error(b, n, "`%.*s`: who gives its token, %.*s: %s", STR_FMT(p->name), STR_FMT(end), wrong);
	if (b->environment && !str_empty(s->field[TOKEN_FILE]) && s->origin != TOKEN_AWS_FILES && !identity_file(b, s->field[TOKEN_FILE]))
		build_warn(b, n, "the credential of `%.*s` is in %.*s, which cannot be read", STR_FMT(p->name),
			   STR_FMT(s->field[TOKEN_FILE]));
}

static void add(struct build *b, const struct node *n, struct provider *p, const struct token_source *s)
{
	struct credential *c = &p->credentials[p->n_credentials];
	check(b, n, p, s);
	c->label = arena_printf(b->arena, "%.*s[%u]", STR_FMT(p->name), p->n_credentials);
	c->live = live_credential(c->label);
	c->token = live_token_of(s, c->label);
	arena_own(b->arena, c->token, release_token);
	p->n_credentials++;
}

/* --- Google --- */

/* As google-auth's default() looks: a file that is named, the well-known one, the metadata server. */
static bool google(struct build *b, const struct provider_draft *d, bool far, struct token_source *s, struct str *lacks)
{
	struct str home = identity_variable(b, "CLOUDSDK_CONFIG"), host = identity_variable(b, "GCE_METADATA_HOST");
	struct str known = str_empty(home) ? identity_home(b, ".config/gcloud/application_default_credentials.json") :
			   arena_printf(b->arena, "%.*s/application_default_credentials.json", STR_FMT(home));
	*lacks = STR("credentials_file or GOOGLE_APPLICATION_CREDENTIALS, or api_key to an access token");
	s->field[TOKEN_SCOPE] = d->scope;
	s->field[TOKEN_ENDPOINT] = d->token_endpoint;
	s->field[TOKEN_FILE] = identity_either(b, d->credentials_file, "GOOGLE_APPLICATION_CREDENTIALS");
	if (str_empty(s->field[TOKEN_FILE]) && identity_file(b, known))
		s->field[TOKEN_FILE] = known;
	s->origin = str_empty(s->field[TOKEN_FILE]) ? TOKEN_GOOGLE_METADATA : TOKEN_GOOGLE_FILE;
	if (s->origin == TOKEN_GOOGLE_METADATA && str_empty(d->token_endpoint) && !str_empty(host))
		s->field[TOKEN_ENDPOINT] = arena_printf(b->arena, "http://%.*s", STR_FMT(host));
	return s->origin == TOKEN_GOOGLE_FILE || far;
}

/* --- Azure --- */

static bool entra(struct build *b, const struct provider_draft *d, struct token_source *s)
{
	s->origin = TOKEN_ENTRA;
	s->field[TOKEN_TENANT] = identity_either(b, d->tenant_id, "AZURE_TENANT_ID");
	s->field[TOKEN_SECRET] = identity_either(b, d->client_secret, "AZURE_CLIENT_SECRET");
	if (str_empty(s->field[TOKEN_SECRET]))
		s->field[TOKEN_FILE] = identity_either(b, d->token_file, "AZURE_FEDERATED_TOKEN_FILE");
	s->field[TOKEN_ENDPOINT] = identity_either(b, d->token_endpoint, "AZURE_AUTHORITY_HOST");
	if (!str_empty(s->field[TOKEN_ENDPOINT]) && str_find(s->field[TOKEN_ENDPOINT], STR("://")) < 0)
		s->field[TOKEN_ENDPOINT] = arena_printf(b->arena, "https://%.*s", STR_FMT(s->field[TOKEN_ENDPOINT]));
	bool proof = !str_empty(s->field[TOKEN_SECRET]) || !str_empty(s->field[TOKEN_FILE]);
	return proof && !str_empty(s->field[TOKEN_TENANT]) && !str_empty(s->field[TOKEN_ID]);
}

static void managed(struct build *b, const struct provider_draft *d, struct token_source *s)
{
	struct str endpoint = identity_variable(b, "IDENTITY_ENDPOINT"), header = identity_variable(b, "IDENTITY_HEADER");
	struct str id = s->field[TOKEN_ID], scope = s->field[TOKEN_SCOPE];
	bool app = str_empty(d->token_endpoint) && !str_empty(endpoint) && !str_empty(header);
	*s = (struct token_source){ .origin = app ? TOKEN_AZURE_APP : TOKEN_AZURE_INSTANCE };
	s->field[TOKEN_ID] = id;
	s->field[TOKEN_SCOPE] = scope;
	s->field[TOKEN_ENDPOINT] = app ? endpoint : identity_either(b, d->token_endpoint, "AZURE_POD_IDENTITY_AUTHORITY_HOST");
	s->field[TOKEN_SECRET] = app ? header : STR_NONE;
}

/* As azure-identity's DefaultAzureCredential looks: a client's secret, a federated token, a managed identity. */
static bool azure(struct build *b, const struct provider_draft *d, enum credential_kind kind, bool said, bool far,
		  struct token_source *s, struct str *lacks)
{
	*lacks = STR("api_key, or tenant_id, client_id and client_secret");
	s->field[TOKEN_ID] = identity_either(b, d->client_id, "AZURE_CLIENT_ID");
	s->field[TOKEN_SCOPE] = d->scope;
	if (kind != CREDENTIAL_MANAGED && entra(b, d, s))
		return true;
	if (kind == CREDENTIAL_ENTRA && said)
		return false;
	managed(b, d, s);
	return far || s->origin == TOKEN_AZURE_APP;
}

/* --- all --- */

/* A key was meant to be there: no servers are asked for one in its place. */
static bool may_ask_far(const struct node *n, bool said)
{
	return said || (n && !node_get(n, STR("api_key")) && !node_get(n, STR("api_keys")));
}

bool build_identity(struct build *b, const struct node *n, const struct provider_draft *d, struct provider *p, struct str *lacks)
{
	enum credential_kind kind = (enum credential_kind)d->credential;
	bool said = kind > CREDENTIAL_STATIC, far = may_ask_far(n, said), found = false;
	struct token_source s = { 0 };
	p->aws_service = d->aws_service;
	for (size_t i = 0; i < array_len(clouds); i++) {
		if (!str_eq(clouds[i].preset, p->preset))
			continue;
		kind = kind == CREDENTIAL_OWN ? clouds[i].kind : kind;
		p->aws_service = str_empty(p->aws_service) ? clouds[i].service : p->aws_service;
	}
	if (kind == CREDENTIAL_AWS)
		found = identity_aws(b, n, d, p, far, &s, lacks);
	else if (kind == CREDENTIAL_GOOGLE)
		found = google(b, d, far, &s, lacks);
	else if (kind == CREDENTIAL_ENTRA || kind == CREDENTIAL_MANAGED)
		found = azure(b, d, kind, said, far, &s, lacks);
	if (!found)
		return false;
	if (s.origin != TOKEN_GIVEN)
		s.field[TOKEN_PROXY] = d->proxy;
	add(b, n, p, &s);
	return true;
}
