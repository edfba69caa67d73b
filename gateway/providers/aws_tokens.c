/*
 * aws_tokens.c: where AWS's own tools look: shared files, STS, container and instance metadata.
 *
 * Sources: AWS SDKs and Tools Reference Guide ("Standardized credential providers"), STS API Reference 2011-06-15, EC2
 * User Guide (IMDSv2), botocore 1.44 credentials.py and utils.py. Read 2026-11.
 */
#include "base/clock.h"
#include "base/digest.h"
#include "providers/aws_files.h"
#include "providers/token_reply.h"
#include "wire/aws_sigv4.h"

#include <time.h>

enum { FORM_MAX = 64 * 1024, ROLES_MAX = 5 };

static const int64_t FILES_AGAIN_US = 300 * SECOND_US;

/* --- STS --- */

static struct str session_name(const struct token_source *s)
{
	return token_either(s->field[TOKEN_SESSION], STR("weir"));
}

/* "sts.eu-west-1.amazonaws.com", and China's. */
static struct str sts_host(const struct token_source *s, struct token_io *io)
{
	struct str region = token_either(s->field[TOKEN_REGION], STR("us-east-1"));
	return arena_printf(io->arena, "sts.%.*s.amazonaws.com%s", STR_FMT(region), str_starts(region, STR("cn-")) ? ".cn" : "");
}

static struct str sts_url(const struct token_source *s, struct token_io *io)
{
	struct str said = s->field[TOKEN_ENDPOINT];
	while (str_ends(said, STR("/")))
		said.n--;
	if (!str_empty(said))
		return arena_printf(io->arena, "%.*s/", STR_FMT(said));
	struct str host = sts_host(s, io);
	return arena_printf(io->arena, "https://%.*s/", STR_FMT(host));
}

static struct token *by_web_identity(const struct token_source *s, struct token_io *io, struct str role, struct str token, struct buf *why)
{
	struct token_question q = { .method = "POST", .url = sts_url(s, io), .proxy = s->field[TOKEN_PROXY] };
	struct token_answer a;
	struct buf form = BUF_INIT(FORM_MAX);
	token_form(&form, "Action", STR("AssumeRoleWithWebIdentity"));
	token_form(&form, "Version", STR("2011-06-15"));
	token_form(&form, "RoleArn", role);
	token_form(&form, "RoleSessionName", session_name(s));
	token_hide(io, token);
	token_form(&form, "WebIdentityToken", token);
	q.body = token_form_end(io, &form);
	token_ask(io, &q, &a);
	return token_reply_sts(io, &a, why);
}

struct token *aws_web_identity_fetch(const struct token_source *s, struct token_io *io, int64_t *again_us, struct buf *why)
{
	struct str token;
	(void)again_us;
	if (!token_file(io, s->field[TOKEN_FILE], &token, why))
		return NULL;
	return by_web_identity(s, io, s->field[TOKEN_ROLE], token, why);
}

/* The host that goes into the signature is the one of the URL. */
static bool sign(const struct token_source *s, struct token_io *io, struct token_question *q, const struct sigv4_credentials *who)
{
	struct str host = str_skip(q->url, (size_t)str_find(q->url, STR("//")) + 2), type = STR("application/x-www-form-urlencoded");
	uint8_t raw[DIGEST_SIZE];
	char digest[2 * DIGEST_SIZE + 1], time[17];
	time_t now = (time_t)((io->wall_us + io->skew_us) / SECOND_US);
	struct tm tm;
	gmtime_r(&now, &tm);
	strftime(time, sizeof(time), "%Y%m%dT%H%M%SZ", &tm);
	host.n--;	/* the slash */
	digest_sha256(q->body, raw);
	digest_to_hex(raw, digest);
	const struct http_header headers[] = { { STR("host"), host }, { STR("content-type"), type } };
	const struct sigv4_request r = {
		.method = STR("POST"), .path = STR("/"), .headers = headers, .header_count = 2, .body_digest = str_c(digest),
		.region = token_either(s->field[TOKEN_REGION], STR("us-east-1")), .service = STR("sts"), .time = str_c(time),
	};
	struct sigv4_signature signature;
	if (!sigv4_sign(io->arena, &r, who, &signature))
		return false;
	for (size_t i = 0; i < signature.add_count; i++)
		token_header(io, q, arena_copy(io->arena, signature.add[i].name).p, signature.add[i].value);
	return true;
}

static struct token *by_role(const struct token_source *s, struct token_io *io, struct str role, const struct sigv4_credentials *who,
			     struct str external_id, struct buf *why)
{
	struct token_question q = { .method = "POST", .url = sts_url(s, io), .proxy = s->field[TOKEN_PROXY] };
	struct token_answer a;
	struct buf form = BUF_INIT(FORM_MAX);
	token_form(&form, "Action", STR("AssumeRole"));
	token_form(&form, "Version", STR("2011-06-15"));
	token_form(&form, "RoleArn", role);
	token_form(&form, "RoleSessionName", session_name(s));
	if (!str_empty(external_id))
		token_form(&form, "ExternalId", external_id);
	q.body = token_form_end(io, &form);
	if (!sign(s, io, &q, who)) {
		buf_add(why, STR("the question to STS cannot be signed"));
		return NULL;
	}
	token_ask(io, &q, &a);
	return token_reply_sts(io, &a, why);
}

/* --- shared files --- */

struct files {
	struct str credentials, config;
};

static struct str setting(const struct files *f, struct str profile, const char *key)
{
	struct str value = aws_file_get(f->credentials, AWS_CREDENTIALS, profile, str_c(key));
	return str_empty(value) ? aws_file_get(f->config, AWS_CONFIG, profile, str_c(key)) : value;
}

static bool keys_of(const struct files *f, struct str profile, struct sigv4_credentials *out)
{
	out->access_key_id = setting(f, profile, "aws_access_key_id");
	out->secret_access_key = setting(f, profile, "aws_secret_access_key");
	out->session_token = setting(f, profile, "aws_session_token");
	return !str_empty(out->access_key_id) && !str_empty(out->secret_access_key);
}

struct walk {
	const struct token_source *s;
	struct token_io *io;
	const struct files *f;
	struct buf *why;
	unsigned roles;		/* on the way here */
};

static struct token *of_keys(struct walk *w, struct str profile)
{
	struct sigv4_credentials who;
	if (keys_of(w->f, profile, &who))
		return token_make(TOKEN_AWS, who.access_key_id, who.secret_access_key, who.session_token, TOKEN_FOREVER);
	buf_addf(w->why, "profile %.*s has no keys in the shared files", STR_FMT(profile));
	return NULL;
}

/* A role may be assumed with another one's keys; a profile that names itself means its own. */
static struct token *of_profile(struct walk *w, struct str profile)
{
	struct str role = setting(w->f, profile, "role_arn"), file = setting(w->f, profile, "web_identity_token_file"), token;
	struct str from = setting(w->f, profile, "source_profile");
	if (str_empty(role))
		return of_keys(w, profile);
	if (!str_empty(file))
		return token_file(w->io, file, &token, w->why) ? by_web_identity(w->s, w->io, role, token, w->why) : NULL;
	if (str_empty(from) || w->roles++ == ROLES_MAX) {
		buf_addf(w->why, str_empty(from) ? "the role of profile %.*s needs a source_profile, or a web_identity_token_file" :
			 "the roles of profile %.*s go in a circle", STR_FMT(profile));
		return NULL;
	}
	struct token *source = str_eq(from, profile) ? of_keys(w, from) : of_profile(w, from);
	if (!source)
		return NULL;
	const struct sigv4_credentials who = { source->id, source->secret, source->session };
	struct token *t = by_role(w->s, w->io, role, &who, setting(w->f, profile, "external_id"), w->why);
	token_unref(source);
	return t;
}

struct token *aws_files_fetch(const struct token_source *s, struct token_io *io, int64_t *again_us, struct buf *why)
{
	struct files f = { STR_NONE, STR_NONE };
	struct walk w = { .s = s, .io = io, .f = &f, .why = why };
	io->read_file(io, s->field[TOKEN_FILE], &f.credentials);
	io->read_file(io, s->field[TOKEN_CONFIG_FILE], &f.config);
	*again_us = FILES_AGAIN_US;
	return of_profile(&w, s->field[TOKEN_PROFILE]);
}

/* --- metadata --- */

struct token *aws_container_fetch(const struct token_source *s, struct token_io *io, int64_t *again_us, struct buf *why)
{
	struct token_question q = { .method = "GET", .url = s->field[TOKEN_ENDPOINT], .near = true };
	struct token_answer a;
	struct str shown = s->field[TOKEN_SECRET];
	(void)again_us;
	if (!str_empty(s->field[TOKEN_FILE]) && !token_file(io, s->field[TOKEN_FILE], &shown, why))
		return NULL;
	if (!str_empty(shown))
		token_header(io, &q, "Authorization", shown);
	token_hide(io, shown);
	token_ask(io, &q, &a);
	return token_reply_aws(io, &a, why);
}

/* The first line of a good answer. */
static bool ask_line(struct token_io *io, struct token_question *q, struct str *out, struct buf *why)
{
	struct token_answer a;
	struct str rest;
	token_ask(io, q, &a);
	rest = a.body;
	if (a.status == 200 && str_split(&rest, '\n', out) && !str_empty(str_trim(*out))) {
		*out = str_trim(*out);
		return true;
	}
	token_reply_refused(io, &a, why);
	return false;
}

struct token *aws_instance_fetch(const struct token_source *s, struct token_io *io, int64_t *again_us, struct buf *why)
{
	struct str server = token_either(s->field[TOKEN_ENDPOINT], STR("http://169.254.169.254")), session, role;
	struct token_question first = { .method = "PUT", .near = true }, second = { .method = "GET", .near = true };
	struct token_answer a;
	(void)again_us;
	while (str_ends(server, STR("/")))
		server.n--;
	first.url = arena_printf(io->arena, "%.*s/latest/api/token", STR_FMT(server));
	token_header(io, &first, "x-aws-ec2-metadata-token-ttl-seconds", STR("21600"));
	if (!ask_line(io, &first, &session, why))
		return NULL;
	second.url = arena_printf(io->arena, "%.*s/latest/meta-data/iam/security-credentials/", STR_FMT(server));
	token_header(io, &second, "x-aws-ec2-metadata-token", session);
	if (!ask_line(io, &second, &role, why))
		return NULL;
	second.url = arena_printf(io->arena, "%.*s%.*s", STR_FMT(second.url), STR_FMT(role));
	token_ask(io, &second, &a);
	return token_reply_aws(io, &a, why);
}
