/*
 * build_providers.c: accounts and servers requests can be sent to.
 */
#include <stdlib.h>
#include <string.h>

#include "base/tls.h"
#include "config/build.h"
#include "core/dialect.h"
#include "core/live.h"
#include "providers/presets.h"
#include "wire/url.h"

#define wrong(b, n, ...) report_error((b)->report, (n) ? (n)->line : 0, (n) ? (n)->column : 0, __VA_ARGS__)

void build_add_provider(struct build *b, struct provider *p)
{
	struct provider **all = arena_array(b->arena, struct provider *, b->s->n_providers + 1);
	if (b->s->n_providers)
		memcpy(all, b->s->providers, b->s->n_providers * sizeof(*all));
	all[b->s->n_providers++] = p;
	b->s->providers = all;
}

/* --- where --- */

static struct str placeholder(const struct provider_draft *d, struct str name)
{
	const struct { struct str name, value; } known[] = {
		{ STR("region"), d->region }, { STR("project"), d->project }, { STR("location"), d->location },
		{ STR("account"), d->account }, { STR("workspace"), d->workspace },
	};
	for (size_t i = 0; i < array_len(known); i++)
		if (str_eq(known[i].name, name))
			return known[i].value;
	return STR_NONE;
}

/* The preset's base URL with its {names} filled in; reports what is missing. */
static struct str fill_url(struct build *b, const struct node *n, const struct provider_draft *d, const char *pattern)
{
	struct buf out = BUF_INIT(2048);
	struct str rest = str_c(pattern);
	while (rest.n) {
		ptrdiff_t open = str_chr(rest, '{'), close = str_chr(rest, '}');
		if (open < 0 || close < open)
			break;
		struct str name = str_of(rest.p + open + 1, (size_t)(close - open) - 1);
		struct str value = placeholder(d, name);
		if (str_empty(value))
			wrong(b, n, "this provider needs `%.*s`", STR_FMT(name));
		buf_add(&out, str_head(rest, (size_t)open));
		buf_add(&out, value);
		rest = str_skip(rest, (size_t)close + 1);
	}
	buf_add(&out, rest);
	struct str url = arena_copy(b->arena, buf_str(&out));
	buf_free(&out);
	return url;
}

static void release_tls(void *context)
{
	tls_unref(context);
}

static void set_client_tls(struct build *b, const struct node *n, const struct provider_draft *d, struct origin *o)
{
	struct buf why = BUF_INIT(1024);
	struct tls_client_options options = {
		.ca_file = str_empty(d->ca_file) ? NULL : d->ca_file.p, .insecure_no_verify = d->insecure_no_verify,
		.certificate = str_empty(d->certificate) ? NULL : d->certificate.p, .key = str_empty(d->key) ? NULL : d->key.p,
	};
	o->tls_context = tls_client_context(&options, &why);
	if (o->tls_context)
		arena_own(b->arena, o->tls_context, release_tls);
	else
		wrong(b, n, "`tls`: %.*s", STR_FMT(buf_str(&why)));
	if (d->insecure_no_verify)
		report_warning(b->report, n ? n->line : 0, n ? n->column : 0, "certificates of this provider are not verified");
	buf_free(&why);
}

/* http:// leaves keys and prompts readable on the way: only to private places, or when it is said. */
static bool plaintext_allowed(const struct provider_draft *d, const struct preset *preset)
{
	return d->allow_plaintext || d->allow_private_address || (preset && preset->local);
}

static void set_origin(struct build *b, const struct node *n, const struct provider_draft *d, const struct preset *preset,
		       struct provider *p, struct str base)
{
	struct url url;
	struct origin *o = &p->origin;
	o->allow_private = d->allow_private_address || (preset && preset->local);
	o->proxy = d->proxy;
	if (str_starts(base, STR("unix:"))) {
		o->unix_path = str_skip(base, 5);
		o->host = o->host_header = STR("localhost");
		p->base_path = STR("/v1");
		return;
	}
	const char *why = url_parse(base, &url);
	if (why) {
		wrong(b, n, "`base_url` of this provider cannot be used: %s", why);
		return;
	}
	o->tls = url.tls;
	o->host = url.host;
	o->port = url.port;
	o->host_header = url.authority;
	p->base_path = url.path;
	if (url.tls)
		set_client_tls(b, n, d, o);
	else if (!plaintext_allowed(d, preset))
		wrong(b, n, "`base_url` is http://, which shows keys and prompts to the network; use https://, or say "
		      "allow_private_address (a local server) or allow_plaintext");
}

/* --- with what --- */

static void add_credential(struct build *b, struct provider *p, struct str secret)
{
	if (str_empty(secret) || p->n_credentials == CREDENTIALS_MAX)
		return;
	struct credential *c = &p->credentials[p->n_credentials];
	c->secret = secret;
	c->label = arena_printf(b->arena, "%.*s[%u]", STR_FMT(p->name), p->n_credentials);
	c->live = live_credential(c->label);
	p->n_credentials++;
}

static void set_credentials(struct build *b, const struct node *n, const struct provider_draft *d,
			    const struct preset *preset, struct provider *p)
{
	const char *variable = preset && *preset->variable ? preset->variable : NULL;
	const char *usual = variable && b->environment ? getenv(variable) : NULL;
	bool given = d->api_key.p || d->api_keys.n;
	p->scheme = preset ? preset->scheme : CREDENTIAL_BEARER;
	p->scheme_name = str_c(preset ? preset->scheme_name : "");
	p->credential_variable = str_c(variable ? variable : "");
	add_credential(b, p, d->api_key);
	for (unsigned i = 0; i < d->api_keys.n; i++)
		add_credential(b, p, d->api_keys.items[i]);
	if (!given && usual)
		add_credential(b, p, arena_copy(b->arena, str_c(usual)));
	if (p->n_credentials && p->scheme == CREDENTIAL_NONE)
		p->scheme = CREDENTIAL_BEARER;
	p->caller_credential = str_eq(d->credential, STR("caller"));
	if (!str_empty(d->credential) && !p->caller_credential)
		wrong(b, n, "`credential`: expected caller, not `%.*s`", STR_FMT(d->credential));
	bool needs_none = p->local || p->scheme == CREDENTIAL_NONE || (!preset && !given);
	p->usable = p->n_credentials || p->caller_credential || needs_none;
	if (!p->usable)
		report_warning(b->report, n ? n->key_line : 0, n ? n->key_column : 0,
			       "provider `%.*s` has no credential and is not used; set %s", STR_FMT(p->name),
			       variable ? variable : "api_key");
}

static void set_headers(struct build *b, const struct node *map, struct provider *p)
{
	unsigned n = 0;
	if (!map)
		return;
	if (map->kind != NODE_MAP) {
		report_error(b->report, map->line, map->column, "`headers`: expected a map of names and values");
		return;
	}
	for (const struct node *h = map->first; h; h = h->next)
		n++;
	struct provider_header *headers = arena_array(b->arena, struct provider_header, n + 1);
	n = 0;
	for (const struct node *h = map->first; h; h = h->next) {
		if (h->kind != NODE_SCALAR || str_chr(h->value, '\n') >= 0 || str_chr(h->value, '\r') >= 0 || str_chr(h->key, ':') >= 0)
			report_error(b->report, h->line, h->column, "`headers`: this is no header");
		headers[n++] = (struct provider_header){ h->key, h->value };
	}
	p->headers = headers;
	p->n_headers = n;
}

static void list_models(struct build *b, const struct provider_draft *d, struct provider *p)
{
	for (unsigned i = 0; i < d->models.n; i++)
		build_target(b, NULL, arena_printf(b->arena, "%.*s/%.*s", STR_FMT(p->name), STR_FMT(d->models.items[i])));
}

/* --- one provider --- */

static const struct preset *preset_of(struct build *b, const struct node *n, struct str name, const struct provider_draft *d)
{
	if (!str_empty(d->preset)) {
		const struct preset *preset = preset_find(d->preset);
		if (!preset)
			wrong(b, n, "there is no preset `%.*s`", STR_FMT(d->preset));
		return preset;
	}
	return str_empty(d->dialect) ? preset_find(name) : NULL;
}

static void build_provider(struct build *b, const struct node *n, struct str name)
{
	struct provider_draft *d = arena_new(b->arena, struct provider_draft);
	options_load(&provider_table, n, d, &b->context);
	const struct preset *preset = preset_of(b, n, name, d);
	if (!preset && str_empty(d->dialect) && str_empty(d->preset)) {
		wrong(b, n, "`%.*s` is no known provider: say preset, or dialect and base_url", STR_FMT(name));
		return;
	}
	struct provider *p = arena_new(b->arena, struct provider);
	p->name = name;
	p->preset = str_c(preset ? preset->name : "");
	p->dialect = dialect_find(str_empty(d->dialect) ? STR("openai") : d->dialect);
	if (!p->dialect)
		wrong(b, n, "there is no dialect `%.*s`; there is: openai", STR_FMT(d->dialect));
	p->quirks = preset ? preset->quirks : 0;
	p->local = preset && preset->local;
	p->free = d->free;
	p->region = d->region;
	p->max_concurrent = d->max_concurrent;
	p->health_path = d->health.p ? d->health : str_c(preset ? preset->health : "");
	p->api_version = d->api_version.p ? d->api_version : str_c(preset ? preset->api_version : "");
	struct str base = d->base_url;
	if (str_empty(base) && preset)
		base = fill_url(b, n, d, preset->base_url);
	if (str_empty(base))
		wrong(b, n, "provider `%.*s` needs a base_url", STR_FMT(name));
	else if (b->report->n_errors == 0 || p->dialect)
		set_origin(b, n, d, preset, p, base);
	if ((p->quirks & QUIRK_AZURE_DEPLOYMENTS) == 0 && preset && str_eq(p->preset, STR("azure-v1")) &&
	    !str_ends(p->base_path, STR("/openai/v1")))
		p->base_path = arena_printf(b->arena, "%.*s/openai/v1", STR_FMT(p->base_path));
	set_credentials(b, n, d, preset, p);
	set_headers(b, d->headers, p);
	build_add_provider(b, p);
	list_models(b, d, p);
}

void build_preset_provider(struct build *b, struct str name)
{
	const char *base = getenv("OPENAI_BASE_URL");
	build_provider(b, NULL, name);
	if (!str_eq(name, STR("openai")) || !base || !*base || b->s->n_providers == 0)
		return;
	struct provider *p = b->s->providers[b->s->n_providers - 1];
	struct provider_draft d = { .allow_private_address = true };
	set_origin(b, NULL, &d, NULL, p, arena_copy(b->arena, str_c(base)));
}

void build_demo_provider(struct build *b)
{
	struct provider *p = arena_new(b->arena, struct provider);
	p->name = STR("demo");
	p->dialect = dialect_find(STR("openai"));
	p->demo = p->usable = p->free = true;
	p->origin.host = p->origin.host_header = STR("demo");
	build_add_provider(b, p);
	build_target(b, NULL, STR("demo/echo"));
}

void build_providers(struct build *b)
{
	const struct node *map = b->draft.providers;
	if (!map || node_is_null(map))
		return;
	if (map->kind != NODE_MAP) {
		report_error(b->report, map->line, map->column, "`providers`: expected a map, not %s", node_kind_name(map));
		return;
	}
	for (const struct node *n = map->first; n; n = n->next) {
		if (str_chr(n->key, '/') >= 0 || str_chr(n->key, '*') >= 0)
			report_error(b->report, n->key_line, n->key_column, "a provider's name holds neither `/` nor `*`");
		else
			build_provider(b, n, n->key);
	}
}
