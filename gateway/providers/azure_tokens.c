/*
 * azure_tokens.c: Entra ID's client credentials and managed identities.
 *
 * Sources: Microsoft identity platform, "OAuth 2.0 client credentials flow"; "Use managed identities for Azure
 * resources to acquire an access token" (2018-02-01) and "Managed identities for App Service" (2019-08-01). Read 2026-11.
 */
#include "providers/token_reply.h"

enum { FORM_MAX = 64 * 1024 };

static const char usual_scope[] = "https://cognitiveservices.azure.com/.default";

static struct str without_slash(struct str s)
{
	while (str_ends(s, STR("/")))
		s.n--;
	return s;
}

struct token *entra_fetch(const struct token_source *s, struct token_io *io, int64_t *again_us, struct buf *why)
{
	struct str authority = without_slash(token_either(s->field[TOKEN_ENDPOINT], STR("https://login.microsoftonline.com")));
	struct token_question q = { .method = "POST", .proxy = s->field[TOKEN_PROXY] };
	struct token_answer a;
	struct buf form = BUF_INIT(FORM_MAX);
	struct str assertion = STR_NONE;
	(void)again_us;
	if (!str_empty(s->field[TOKEN_FILE]) && !token_file(io, s->field[TOKEN_FILE], &assertion, why))
		return NULL;
	token_hide(io, assertion);
	token_hide(io, s->field[TOKEN_SECRET]);
	token_form(&form, "client_id", s->field[TOKEN_ID]);
	token_form(&form, "scope", token_either(s->field[TOKEN_SCOPE], str_c(usual_scope)));
	token_form(&form, "grant_type", STR("client_credentials"));
	if (str_empty(assertion)) {
		token_form(&form, "client_secret", s->field[TOKEN_SECRET]);
	} else {
		token_form(&form, "client_assertion_type", STR("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
		token_form(&form, "client_assertion", assertion);
	}
	q.url = arena_printf(io->arena, "%.*s/%.*s/oauth2/v2.0/token", STR_FMT(authority), STR_FMT(s->field[TOKEN_TENANT]));
	q.body = token_form_end(io, &form);
	token_ask(io, &q, &a);
	return token_reply_oauth(io, &a, why);
}

/* Managed identities are asked for a resource: the scope without its last part. */
static struct str identity_query(const struct token_source *s, struct token_io *io, const char *version)
{
	struct buf query = BUF_INIT(FORM_MAX);
	struct str scope = token_either(s->field[TOKEN_SCOPE], str_c(usual_scope));
	if (str_ends(scope, STR("/.default")))
		scope.n -= strlen("/.default");
	token_form(&query, "api-version", str_c(version));
	token_form(&query, "resource", scope);
	if (!str_empty(s->field[TOKEN_ID]))
		token_form(&query, "client_id", s->field[TOKEN_ID]);
	return token_form_end(io, &query);
}

struct token *azure_instance_fetch(const struct token_source *s, struct token_io *io, int64_t *again_us, struct buf *why)
{
	struct str server = without_slash(token_either(s->field[TOKEN_ENDPOINT], STR("http://169.254.169.254")));
	struct token_question q = { .method = "GET", .near = true };
	struct token_answer a;
	(void)again_us;
	struct str query = identity_query(s, io, "2018-02-01");
	q.url = arena_printf(io->arena, "%.*s/metadata/identity/oauth2/token?%.*s", STR_FMT(server), STR_FMT(query));
	token_header(io, &q, "Metadata", STR("true"));
	token_ask(io, &q, &a);
	return token_reply_oauth(io, &a, why);
}

struct token *azure_app_fetch(const struct token_source *s, struct token_io *io, int64_t *again_us, struct buf *why)
{
	struct token_question q = { .method = "GET", .near = true };
	struct token_answer a;
	(void)again_us;
	struct str query = identity_query(s, io, "2019-08-01");
	q.url = arena_printf(io->arena, "%.*s?%.*s", STR_FMT(s->field[TOKEN_ENDPOINT]), STR_FMT(query));
	token_hide(io, s->field[TOKEN_SECRET]);
	token_header(io, &q, "X-IDENTITY-HEADER", s->field[TOKEN_SECRET]);
	token_ask(io, &q, &a);
	return token_reply_oauth(io, &a, why);
}
