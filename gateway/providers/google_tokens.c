/*
 * google_tokens.c: service accounts, authorised users, and the metadata server.
 *
 * Sources: Google's "Using OAuth 2.0 for Server to Server Applications" and the google-auth library
 * (oauth2/service_account.py, oauth2/_client.py, auth/compute_engine/_metadata.py), read 2026-11.
 */
#include "base/clock.h"
#include "providers/token_reply.h"
#include "wire/json_cursor.h"
#include "wire/jwt.h"

enum { FORM_MAX = 64 * 1024, ASSERTION_S = 3600 };

static const char usual_scope[] = "https://www.googleapis.com/auth/cloud-platform";
static const char usual_endpoint[] = "https://oauth2.googleapis.com/token";

static struct str member(struct token_io *io, struct str file, const char *name)
{
	return json_text(io->arena, json_get(file, str_c(name)));
}

static struct token *exchange(const struct token_source *s, struct token_io *io, struct str file, struct buf *form, struct buf *why)
{
	struct token_question q = { .method = "POST", .proxy = s->field[TOKEN_PROXY] };
	struct token_answer a;
	q.url = token_either(s->field[TOKEN_ENDPOINT], token_either(member(io, file, "token_uri"), str_c(usual_endpoint)));
	q.body = token_form_end(io, form);
	token_ask(io, &q, &a);
	return token_reply_oauth(io, &a, why);
}

static void add_claim(struct buf *b, const char *name, struct str value)
{
	buf_addf(b, "%s\"%s\":", b->n > 1 ? "," : "", name);
	buf_add_json(b, value);
}

static struct str assertion(const struct token_source *s, struct token_io *io, struct str file)
{
	struct buf claims = BUF_INIT(FORM_MAX);
	int64_t now_s = (io->wall_us + io->skew_us) / SECOND_US;
	buf_addc(&claims, '{');
	add_claim(&claims, "iss", member(io, file, "client_email"));
	add_claim(&claims, "aud", token_either(member(io, file, "token_uri"), str_c(usual_endpoint)));
	add_claim(&claims, "scope", token_either(s->field[TOKEN_SCOPE], str_c(usual_scope)));
	buf_addf(&claims, ",\"iat\":%lld,\"exp\":%lld}", (long long)now_s, (long long)now_s + ASSERTION_S);
	struct str token = jwt_sign(io->arena, member(io, file, "private_key_id"), buf_str(&claims), member(io, file, "private_key"));
	buf_free(&claims);
	return token;
}

static struct token *service_account(const struct token_source *s, struct token_io *io, struct str file, struct buf *why)
{
	struct buf form = BUF_INIT(FORM_MAX);
	struct str signed_claims = assertion(s, io, file);
	if (str_empty(signed_claims)) {
		buf_add(why, STR("its private_key is no RSA key in PEM"));
		return NULL;
	}
	token_form(&form, "grant_type", STR("urn:ietf:params:oauth:grant-type:jwt-bearer"));
	token_hide(io, signed_claims);
	token_form(&form, "assertion", signed_claims);
	return exchange(s, io, file, &form, why);
}

static struct token *authorised_user(const struct token_source *s, struct token_io *io, struct str file, struct buf *why)
{
	struct buf form = BUF_INIT(FORM_MAX);
	token_form(&form, "grant_type", STR("refresh_token"));
	token_form(&form, "client_id", member(io, file, "client_id"));
	struct str secret = member(io, file, "client_secret"), refresh = member(io, file, "refresh_token");
	token_hide(io, secret);
	token_hide(io, refresh);
	token_form(&form, "client_secret", secret);
	token_form(&form, "refresh_token", refresh);
	return exchange(s, io, file, &form, why);
}

struct token *google_file_fetch(const struct token_source *s, struct token_io *io, int64_t *again_us, struct buf *why)
{
	struct str file;
	(void)again_us;
	if (!token_file(io, s->field[TOKEN_FILE], &file, why))
		return NULL;
	struct str type = member(io, file, "type");
	if (str_eq(type, STR("service_account")))
		return service_account(s, io, file, why);
	if (str_eq(type, STR("authorized_user")))
		return authorised_user(s, io, file, why);
	buf_addf(why, "%.*s is neither a service account's nor an authorised user's", STR_FMT(s->field[TOKEN_FILE]));
	return NULL;
}

struct token *google_metadata_fetch(const struct token_source *s, struct token_io *io, int64_t *again_us, struct buf *why)
{
	struct str server = token_either(s->field[TOKEN_ENDPOINT], STR("http://metadata.google.internal"));
	struct buf scopes = BUF_INIT(FORM_MAX);
	struct token_question q = { .method = "GET", .near = true };
	struct token_answer a;
	(void)again_us;
	token_form(&scopes, "scopes", token_either(s->field[TOKEN_SCOPE], str_c(usual_scope)));
	struct str query = token_form_end(io, &scopes);
	q.url = arena_printf(io->arena, "%.*s/computeMetadata/v1/instance/service-accounts/default/token?%.*s", STR_FMT(server),
			     STR_FMT(query));
	token_header(io, &q, "Metadata-Flavor", STR("Google"));
	token_ask(io, &q, &a);
	if (a.status == 200 && !str_ieq(a.flavor, STR("Google"))) {
		buf_add(why, STR("what answers is no metadata server of Google"));
		return NULL;
	}
	return token_reply_oauth(io, &a, why);
}
