/*
 * build_aws.c: who we are to AWS, looked for where its own tools look, in their order: keys, web identity, shared files,
 * the container's agent, the machine's metadata.
 */
#include <stdio.h>

#include "config/build_identity.h"
#include "providers/aws_files.h"
#include "wire/url.h"

enum { FILE_MOST = 256 * 1024 };

static bool given(struct build *b, const struct provider_draft *d, struct token_source *s)
{
	bool said = !str_empty(d->access_key_id);
	s->origin = TOKEN_GIVEN;
	s->field[TOKEN_ID] = identity_either(b, d->access_key_id, "AWS_ACCESS_KEY_ID");
	s->field[TOKEN_SECRET] = said ? d->secret_access_key : identity_variable(b, "AWS_SECRET_ACCESS_KEY");
	s->field[TOKEN_SESSION] = said ? d->session_token : identity_variable(b, "AWS_SESSION_TOKEN");
	return !str_empty(s->field[TOKEN_ID]) && !str_empty(s->field[TOKEN_SECRET]);
}

static void set_sts(struct build *b, const struct provider_draft *d, const struct provider *p, struct token_source *s)
{
	s->field[TOKEN_REGION] = p->region;
	s->field[TOKEN_SESSION] = identity_variable(b, "AWS_ROLE_SESSION_NAME");
	s->field[TOKEN_ENDPOINT] = identity_either(b, d->token_endpoint, "AWS_ENDPOINT_URL_STS");
}

static bool web_identity(struct build *b, const struct provider_draft *d, const struct provider *p, struct token_source *s)
{
	*s = (struct token_source){ .origin = TOKEN_AWS_WEB_IDENTITY };
	s->field[TOKEN_FILE] = identity_either(b, d->token_file, "AWS_WEB_IDENTITY_TOKEN_FILE");
	s->field[TOKEN_ROLE] = identity_either(b, d->role_arn, "AWS_ROLE_ARN");
	set_sts(b, d, p, s);
	return !str_empty(s->field[TOKEN_FILE]) && !str_empty(s->field[TOKEN_ROLE]);
}

/* --- shared files --- */

static struct str read_file(const struct build *b, struct arena *a, struct str path)
{
	FILE *f = identity_file(b, path) ? fopen(path.p, "re") : NULL;
	if (!f)
		return STR_NONE;
	char *to = arena_alloc(a, FILE_MOST);
	size_t n = fread(to, 1, FILE_MOST, f);
	fclose(f);
	return str_of(to, n);
}

static struct str setting(struct str keys, struct str config, struct str profile, const char *name)
{
	struct str value = aws_file_get(keys, AWS_CREDENTIALS, profile, str_c(name));
	return str_empty(value) ? aws_file_get(config, AWS_CONFIG, profile, str_c(name)) : value;
}

/* Is there something in the profile? Its region is taken, too; its keys are read when they are fetched. */
static bool look(struct build *b, struct provider *p, const struct token_source *s)
{
	struct arena a = ARENA_INIT;
	struct str profile = s->field[TOKEN_PROFILE];
	struct str keys = read_file(b, &a, s->field[TOKEN_FILE]), config = read_file(b, &a, s->field[TOKEN_CONFIG_FILE]);
	if (str_empty(p->region))
		p->region = arena_copy(b->arena, setting(keys, config, profile, "region"));
	bool has = !str_empty(setting(keys, config, profile, "aws_access_key_id")) ||
		   !str_empty(setting(keys, config, profile, "role_arn"));
	arena_wipe(&a);
	return has;
}

static bool files(struct build *b, const struct node *n, const struct provider_draft *d, struct provider *p, struct token_source *s)
{
	struct str profile = identity_either(b, d->profile, "AWS_PROFILE");
	*s = (struct token_source){ .origin = TOKEN_AWS_FILES };
	s->field[TOKEN_PROFILE] = str_empty(profile) ? STR("default") : profile;
	s->field[TOKEN_FILE] = identity_either(b, d->credentials_file, "AWS_SHARED_CREDENTIALS_FILE");
	s->field[TOKEN_CONFIG_FILE] = identity_variable(b, "AWS_CONFIG_FILE");
	if (str_empty(s->field[TOKEN_FILE]))
		s->field[TOKEN_FILE] = identity_home(b, ".aws/credentials");
	if (str_empty(s->field[TOKEN_CONFIG_FILE]))
		s->field[TOKEN_CONFIG_FILE] = identity_home(b, ".aws/config");
	bool has = look(b, p, s);
	set_sts(b, d, p, s);
	if (!has && !str_empty(d->profile) && b->environment)
		build_warn(b, n, "`%.*s`: profile %.*s has neither keys nor a role in %.*s and %.*s", STR_FMT(p->name),
			   STR_FMT(d->profile), STR_FMT(s->field[TOKEN_FILE]), STR_FMT(s->field[TOKEN_CONFIG_FILE]));
	return has || !str_empty(d->profile);
}

/* --- metadata --- */

/* As AWS's own tools have it: over http, agents of this machine and of ECS and EKS alone are told a token. */
static bool is_agent(struct str uri)
{
	static const struct str hosts[] = { STR_INIT("localhost"), STR_INIT("::1"), STR_INIT("169.254.170.2"),
					    STR_INIT("169.254.170.23"), STR_INIT("fd00:ec2::23") };
	struct url url;
	ptrdiff_t mark = str_chr(uri, '?');
	if (url_parse(mark < 0 ? uri : str_head(uri, (size_t)mark), &url))
		return false;
	for (size_t i = 0; i < array_len(hosts); i++)
		if (str_ieq(url.host, hosts[i]))
			return true;
	return url.tls || str_starts(url.host, STR("127."));
}

static bool container(struct build *b, const struct node *n, struct token_source *s)
{
	struct str relative = identity_variable(b, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	struct str full = identity_variable(b, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
	*s = (struct token_source){ .origin = TOKEN_AWS_CONTAINER };
	s->field[TOKEN_ENDPOINT] = str_empty(relative) ? full : arena_printf(b->arena, "http://169.254.170.2%.*s", STR_FMT(relative));
	s->field[TOKEN_FILE] = identity_variable(b, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	if (str_empty(s->field[TOKEN_FILE]))
		s->field[TOKEN_SECRET] = identity_variable(b, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
	if (str_empty(s->field[TOKEN_ENDPOINT]) || is_agent(s->field[TOKEN_ENDPOINT]))
		return !str_empty(s->field[TOKEN_ENDPOINT]);
	build_warn(b, n, "AWS_CONTAINER_CREDENTIALS_FULL_URI is no agent's address, and not used");
	return false;
}

static bool instance(struct build *b, const struct provider_draft *d, struct token_source *s)
{
	*s = (struct token_source){ .origin = TOKEN_AWS_INSTANCE };
	s->field[TOKEN_ENDPOINT] = identity_either(b, d->token_endpoint, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
	return !str_ieq(identity_variable(b, "AWS_EC2_METADATA_DISABLED"), STR("true"));
}

bool identity_aws(struct build *b, const struct node *n, const struct provider_draft *d, struct provider *p, bool far,
		  struct token_source *s, struct str *lacks)
{
	if (str_empty(p->region))
		p->region = identity_either(b, identity_variable(b, "AWS_REGION"), "AWS_DEFAULT_REGION");
	if (str_empty(p->aws_service))
		p->aws_service = STR("bedrock");
	*lacks = STR("access_key_id and secret_access_key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
	bool profile = !str_empty(d->profile) && str_empty(d->access_key_id);
	bool found = profile ? files(b, n, d, p, s) : given(b, d, s) || web_identity(b, d, p, s) || files(b, n, d, p, s) ||
		     container(b, n, s) || (far && instance(b, d, s));
	if (found && !str_empty(p->region))
		return true;
	if (found)
		*lacks = STR("region, or AWS_REGION: signatures name it");
	return false;
}
