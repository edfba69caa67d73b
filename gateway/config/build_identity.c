/*
 * build_identity.c: who we are to a cloud: found in the configuration, or where the vendor's own
 * tools look for it, in their order.
 */
#include <stdlib.h>

#include "config/build.h"
#include "core/live.h"
#include "core/token.h"

/* What a preset's vendor takes where no key is given. */
static const struct {
	struct str preset;
	enum credential_kind kind;
	struct str service;
} clouds[] = {
	{ STR_INIT("bedrock"), CREDENTIAL_AWS, STR_INIT("bedrock") },
	{ STR_INIT("bedrock-mantle"), CREDENTIAL_AWS, STR_INIT("bedrock-mantle") },
};

static struct str variable(const struct build *b, const char *name)
{
	return b->environment ? str_c(getenv(name)) : STR_NONE;
}

/* The option, or else the variable, for as long as the snapshot. */
static struct str either(struct build *b, struct str option, const char *name)
{
	return str_empty(option) ? arena_copy(b->arena, variable(b, name)) : option;
}

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

static void add(struct build *b, const struct node *n, struct provider *p, const struct token_source *s)
{
	struct credential *c = &p->credentials[p->n_credentials];
	for (int i = 0; i < TOKEN_FIELDS; i++)
		if (!is_visible(s->field[i]))
			build_error(b, n, "the credential of `%.*s` has blanks or bytes in it that no header may carry", STR_FMT(p->name));
	c->label = arena_printf(b->arena, "%.*s[%u]", STR_FMT(p->name), p->n_credentials);
	c->live = live_credential(c->label);
	c->token = live_token_of(s, c->label);
	arena_own(b->arena, c->token, release_token);
	p->n_credentials++;
}

/* --- AWS --- */

static bool aws_given(struct build *b, const struct provider_draft *d, struct token_source *s)
{
	bool said = !str_empty(d->access_key_id);
	s->origin = TOKEN_GIVEN;
	s->field[TOKEN_ID] = either(b, d->access_key_id, "AWS_ACCESS_KEY_ID");
	s->field[TOKEN_SECRET] = said ? d->secret_access_key : either(b, STR_NONE, "AWS_SECRET_ACCESS_KEY");
	s->field[TOKEN_SESSION] = said ? d->session_token : either(b, STR_NONE, "AWS_SESSION_TOKEN");
	return !str_empty(s->field[TOKEN_ID]) && !str_empty(s->field[TOKEN_SECRET]);
}

static bool aws(struct build *b, const struct node *n, const struct provider_draft *d, struct provider *p, struct str *lacks)
{
	struct token_source s = { 0 };
	if (str_empty(p->region))
		p->region = either(b, either(b, STR_NONE, "AWS_REGION"), "AWS_DEFAULT_REGION");
	*lacks = STR("access_key_id and secret_access_key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
	if (str_empty(p->aws_service))
		p->aws_service = STR("bedrock");
	if (!aws_given(b, d, &s))
		return false;
	*lacks = STR("region, or AWS_REGION: signatures name it");
	if (str_empty(p->region))
		return false;
	add(b, n, p, &s);
	return true;
}

bool build_identity(struct build *b, const struct node *n, const struct provider_draft *d, struct provider *p, struct str *lacks)
{
	enum credential_kind kind = (enum credential_kind)d->credential;
	p->aws_service = d->aws_service;
	for (size_t i = 0; i < array_len(clouds); i++) {
		if (!str_eq(clouds[i].preset, p->preset))
			continue;
		kind = kind == CREDENTIAL_OWN ? clouds[i].kind : kind;
		p->aws_service = str_empty(p->aws_service) ? clouds[i].service : p->aws_service;
	}
	return kind == CREDENTIAL_AWS && aws(b, n, d, p, lacks);
}
