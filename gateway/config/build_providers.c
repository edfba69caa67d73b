/*
 * build_providers.c: accounts and servers requests can be sent to: which, and where.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/tls.h"
#include "config/build.h"
#include "config/elsewhere.h"
#include "core/dialect.h"
#include "core/live.h"
#include "providers/presets.h"
#include "wire/url.h"

enum { NAME_MOST = 64, URL_MOST = 2048 };

/* --- where --- */

struct blank {
	struct str name, value;
	const char *variables[2];
};

static const char *variable_value(const char *name)
{
	const char *value = name && *name ? getenv(name) : NULL;
	return value && *value ? value : NULL;
}

/* What goes between braces in a preset's base URL: said in the configuration, or in the vendor's usual variable. */
static struct str blank_value(struct build *b, const struct provider_draft *d, struct str name, const char **variable)
{
	const struct blank known[] = {
		{ STR("region"), d->region, { "AWS_REGION", "AWS_DEFAULT_REGION" } },
		{ STR("project"), d->project, { "GOOGLE_CLOUD_PROJECT", NULL } },
		{ STR("location"), d->location, { "GOOGLE_CLOUD_LOCATION", NULL } },
		{ STR("account"), d->account, { "CLOUDFLARE_ACCOUNT_ID", NULL } },
		{ STR("workspace"), d->workspace, { "DATABRICKS_HOST", NULL } },
		{ STR("resource"), d->resource, { "AZURE_RESOURCE_NAME", NULL } },
	};
	struct str value = STR_NONE;
	*variable = NULL;
	for (size_t i = 0; i < array_len(known); i++) {
		if (!str_eq(known[i].name, name))
			continue;
		*variable = known[i].variables[0];
		value = known[i].value;
		for (size_t v = 0; v < 2 && str_empty(value) && (!b || b->environment); v++)
			value = str_c(variable_value(known[i].variables[v]));
	}
	if (str_istarts(value, STR("https://")))
		value = str_skip(value, 8);
	while (str_ends(value, STR("/")))
		value.n--;
	return value;
}

/* A value between braces must not change the URL around it. */
static bool is_label(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'))
			return false;
	}
	return s.n > 0;
}

/* The preset's base URL with its {names} filled in; reports what is missing. */
static struct str fill_url(struct build *b, const struct node *n, const struct provider_draft *d, const char *pattern)
{
	struct buf out = BUF_INIT(URL_MOST);
	struct str rest = str_c(pattern);
	bool good = true;
	for (;;) {
		ptrdiff_t open = str_chr(rest, '{'), close = str_chr(rest, '}');
		if (open < 0 || close < open)
			break;
		struct str name = str_of(rest.p + open + 1, (size_t)(close - open) - 1);
		const char *variable;
		struct str value = blank_value(b, d, name, &variable);
		if (str_empty(value) && good)
			build_error(b, n, "this provider needs `%.*s`, or the variable %s", STR_FMT(name), variable ? variable : "of its vendor");
		else if (!is_label(value) && good)
			build_error(b, n, "`%.*s`: expected letters, digits, `-`, `.`, `_`", STR_FMT(name));
		good &= is_label(value);
		buf_add(&out, str_head(rest, (size_t)open));
		rest = str_skip(rest, (size_t)close + 1);
		if (str_eq(value, STR("global")) && str_starts(rest, STR("-aiplatform.")))
			rest = str_skip(rest, 1);	/* Google's host without a region has no prefix */
		else
			buf_add(&out, value);
	}
	buf_add(&out, rest);
	struct str url = good ? arena_copy(b->arena, buf_str(&out)) : STR_NONE;
	buf_free(&out);
	return url;
}

/* --- TLS --- */

static void release_tls(void *context)
{
	tls_unref(context);
}

/*
 * The system's certificates take longer to read than all the rest of a start, so providers and
 * reloads share one context, made when first needed and again when it is an hour old.
 */
struct tls_context *build_usual_tls(struct buf *why)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct tls_context *kept;
	static int64_t made_us;
	struct tls_client_options o = { 0 };
	pthread_mutex_lock(&lock);
	if (!kept || clock_us() - made_us > 3600 * SECOND_US) {
		struct tls_context *fresh = tls_client_context(&o, why);
		if (fresh) {
			tls_unref(kept);
			kept = fresh;
			made_us = clock_us();
		}
	}
	struct tls_context *c = kept ? tls_ref(kept) : NULL;
	pthread_mutex_unlock(&lock);
	return c;
}

static const char *c_text(struct str s)
{
	return str_empty(s) ? NULL : s.p;
}

static void set_client_tls(struct build *b, const struct node *n, const struct provider_draft *d, struct origin *o)
{
	struct buf why = BUF_INIT(1024);
	struct tls_client_options options = {
		.ca_file = c_text(d->ca_file), .insecure_no_verify = d->insecure_no_verify,
		.certificate = c_text(d->certificate), .key = c_text(d->key),
	};
	bool usual = !options.ca_file && !options.insecure_no_verify && !options.certificate && !options.key;
	if (!b->environment)
		return;
	if (!options.certificate != !options.key)
		build_error(b, n, "`tls` needs both certificate and key");
	o->tls_context = usual ? build_usual_tls(&why) : tls_client_context(&options, &why);
	if (o->tls_context)
		arena_own(b->arena, o->tls_context, release_tls);
	else
		build_error(b, n, "`tls`: %.*s", STR_FMT(buf_str(&why)));
	if (d->insecure_no_verify)
		build_warn(b, n, "certificates of this provider are not verified");
	buf_free(&why);
}

/* http:// leaves keys and prompts readable on the way: only to private places, or when it is said. */
static bool plaintext_allowed(const struct provider_draft *d, const struct preset *preset)
{
	return d->allow_plaintext || d->allow_private_address || d->local || (preset && preset->local);
}

static void set_unix_origin(struct build *b, const struct node *n, struct provider *p, struct str path)
{
	if (path.n == 0 || path.n > 107)
		build_error(b, n, "a unix: path has 1 to 107 bytes");
	p->origin.unix_path = path;
	p->origin.host = p->origin.host_header = STR("localhost");
	p->base_path = STR("/v1");
}

static void set_origin(struct build *b, const struct node *n, const struct provider_draft *d, const struct preset *preset,
		       struct provider *p, struct str base)
{
	struct url url;
	struct origin *o = &p->origin;
	o->allow_private = d->allow_private_address || d->local || (preset && preset->local);
	o->proxy = d->proxy;
	if (str_starts(base, STR("unix:"))) {
		set_unix_origin(b, n, p, str_skip(base, 5));
		return;
	}
	const char *why = url_parse(base, &url);
	if (!why && url.query.p)
		why = "has a query (?...)";
	if (why) {
		build_error(b, n, "`base_url` %s", why);
		return;
	}
	o->tls = url.tls;
	o->host = url.host;
	o->port = url.port;
	o->host_header = url.authority;
	p->base_path = url.path;
	if (!url.tls && !plaintext_allowed(d, preset))
		build_error(b, n, "`base_url` is http://, which shows keys and prompts to the network; use https://, or say "
			    "allow_private_address (a server of your own) or allow_plaintext");
}

static void check_proxy(struct build *b, const struct node *n, struct str proxy)
{
	struct url url;
	const char *why = str_empty(proxy) ? NULL : url_parse(proxy, &url);
	if (why)
		build_error(b, node_get(n, STR("proxy")), "`proxy` %s", why);
}

static void list_models(struct build *b, const struct provider_draft *d, struct provider *p)
{
	for (unsigned i = 0; i < d->models.n; i++)
		if (str_chr(d->models.items[i], '*') < 0)
			build_target(b, NULL, arena_printf(b->arena, "%.*s/%.*s", STR_FMT(p->name), STR_FMT(d->models.items[i])));
}

/* --- one provider --- */

static const struct preset *nearest_preset(struct str name)
{
	const struct preset *best = preset_find(str_c(elsewhere_preset(name))), *p;
	if (best)
		return best;
	unsigned least = (unsigned)((name.n + 2) / 3 + 1);
	for (size_t i = 0; (p = preset_at(i)); i++) {
		unsigned d = str_distance(str_c(p->name), name);
		if (d < least) {
			least = d;
			best = p;
		}
	}
	return best;
}

static void no_such_preset(struct build *b, const struct node *at, struct str name, const char *what)
{
	const struct preset *like = nearest_preset(name);
	build_error(b, at, "`%.*s` %s%s%s%s", STR_FMT(str_head(name, 60)), what, like ? "; did you mean `" : "",
		    like ? like->name : "", like ? "`?" : "");
}

/* The preset that is said or that the name picks; false after an error. */
static bool find_preset(struct build *b, const struct node *n, struct str name, const struct provider_draft *d,
			const struct preset **out)
{
	struct str wanted = str_empty(d->preset) ? name : d->preset;
	bool elsewhere = !str_empty(d->base_url);
	bool plain = str_empty(d->dialect) || (!elsewhere && (str_eq(d->dialect, STR("openai")) || preset_face(preset_find(wanted), d->dialect)));
	*out = !str_empty(d->preset) || plain ? preset_find(wanted) : NULL;
	if (*out || (str_empty(d->preset) && !str_empty(d->dialect)))
		return true;
	if (!str_empty(d->preset))
		no_such_preset(b, node_get(n, STR("preset")), wanted, "is no preset");
	else if (elsewhere)
		build_error(b, n, "`%.*s` needs a `dialect` beside its base_url: openai where it speaks OpenAI's format; or a `preset`",
			    STR_FMT(str_head(name, 60)));
	else
		no_such_preset(b, n, name, "is no known provider: say preset, or dialect and base_url");
	return false;
}

/* Whoever speaks OpenAI's chat is asked in its other formats, too. */
static void set_spoken(struct provider *p)
{
	if (p->dialect != dialect_find(STR("openai")))
		return;
	if (!(p->quirks & QUIRK_NO_RESPONSES))
		p->also[0] = dialect_find(STR("openai-responses"));
	if (p->quirks & QUIRK_MESSAGES)
		p->also[1] = dialect_find(STR("anthropic"));
}

/* Formats that have no code yet are known as such, so that a file written for them can be read. */
static void set_dialect(struct build *b, const struct node *n, const struct provider_draft *d, struct provider *p)
{
	static const struct str awaited[] = { STR_INIT("ollama") };
	p->dialect = dialect_find(str_empty(d->dialect) ? STR("openai") : d->dialect);
	p->usable = p->dialect != NULL;
	if (str_eq(d->dialect, STR("anthropic")))
		p->quirks |= QUIRK_MESSAGES | QUIRK_MESSAGES_KEY;
	else if (d->messages)
		p->quirks |= QUIRK_MESSAGES;
	if (!d->responses && str_empty(p->preset))
		p->quirks |= QUIRK_TRY_RESPONSES;
	if (d->responses)
		p->quirks = d->responses == 1 ? p->quirks & ~(unsigned)QUIRK_NO_RESPONSES : p->quirks | QUIRK_NO_RESPONSES;
	set_spoken(p);
	if (p->dialect)
		return;
	p->dialect = dialect_find(STR("openai"));
	const struct node *at = node_get(n, STR("dialect"));
	for (size_t i = 0; i < array_len(awaited); i++) {
		if (!str_eq(awaited[i], d->dialect))
			continue;
		build_warn(b, at, "provider `%.*s` is not used: its dialect is not part of this version; the preset `%.*s` may "
			   "have an OpenAI-compatible face", STR_FMT(p->name), STR_FMT(d->dialect));
		return;
	}
	build_error(b, at, "there is no dialect `%.*s`; there are openai, openai-responses, anthropic, gemini, bedrock, cohere", STR_FMT(str_head(d->dialect, 60)));
}

/* Whether a preset's own base URL does; names of dialects that there are not have been reported. */
static bool speaks(const struct preset *preset, struct str dialect)
{
	if (str_eq(dialect, STR("anthropic")))
		return preset->quirks & QUIRK_MESSAGES;
	if (str_eq(dialect, STR("openai-responses")))
		return !(preset->quirks & QUIRK_NO_RESPONSES);
	return str_empty(dialect) || str_eq(dialect, STR("openai")) || !dialect_find(dialect);
}

static struct str base_of(struct build *b, const struct node *n, const struct provider_draft *d, const struct preset *preset)
{
	const char *endpoint = preset && *preset->endpoint_variable && b->environment ? variable_value(preset->endpoint_variable) : NULL;
	if (!str_empty(d->base_url))
		return d->base_url;
	if (endpoint && str_empty(d->resource))
		return arena_copy(b->arena, str_c(endpoint));
	if (!preset)
		return STR_NONE;
	const struct preset_face *face = preset_face(preset, d->dialect);
	if (!face && !speaks(preset, d->dialect)) {
		build_error(b, node_get(n, STR("dialect")), "no address of `%s` is known that speaks `%.*s`: say `base_url`, or leave `dialect` out",
			    preset->name, STR_FMT(str_head(d->dialect, 60)));
		return STR_NONE;
	}
	return fill_url(b, n, d, face ? face->base_url : preset->base_url);
}

/* Azure's resources have two forms of URL; the path that is given says which. */
static void set_azure_form(struct build *b, struct provider *p)
{
	bool versioned = p->quirks & QUIRK_AZURE_DEPLOYMENTS;
	if (!str_starts(p->preset, STR("azure")))
		return;
	if (versioned && str_ends(p->base_path, STR("/openai/v1"))) {
		p->quirks &= ~(unsigned)QUIRK_AZURE_DEPLOYMENTS;
		p->api_version = STR_NONE;
	} else if (!versioned && !str_ends(p->base_path, STR("/openai/v1"))) {
		p->base_path = arena_printf(b->arena, "%.*s%s", STR_FMT(p->base_path),
					    str_ends(p->base_path, STR("/openai")) ? "/v1" : "/openai/v1");
	}
}

/* Claude in Google's cloud. */
static void set_raw_predict(struct provider *p)
{
	if (str_eq(str_c(p->dialect->name), STR("anthropic")) && str_ends(p->base_path, STR("/publishers/anthropic")))
		p->quirks = (p->quirks | QUIRK_RAW_PREDICT) & ~(unsigned)QUIRK_MESSAGES_KEY;
}

static void set_plain_members(const struct provider_draft *d, const struct preset *preset, struct provider *p)
{
	p->preset = str_c(preset ? preset->name : "");
	p->owns = str_c(preset ? preset->prefixes : "");
	p->quirks = preset ? preset->quirks : 0;
	p->local = d->local || (preset && preset->local);
	p->free = d->free;
	p->region = d->region;
	p->max_concurrent = d->max_concurrent;
	p->fetch_max = d->fetch_urls;
	p->health_path = d->health.p ? d->health : str_c(preset ? preset->health : "");
	if (str_eq(p->health_path, STR("off")))
		p->health_path = STR_NONE;
	p->api_version = d->api_version.p ? d->api_version : str_c(preset ? preset->api_version : "");
}

static void add_provider(struct build *b, struct provider *p)
{
	struct provider **all = build_room(b->arena, b->s->providers, b->s->n_providers);
	all[b->s->n_providers++] = p;
	b->s->providers = all;
}

static void build_provider(struct build *b, const struct node *n, struct str name, const struct provider_draft *d)
{
	const struct preset *preset;
	struct provider *p = arena_new(b->arena, struct provider);
	p->name = name;
	add_provider(b, p);	/* known from here on, so that its targets do not fail as well */
	if (!find_preset(b, n, name, d, &preset))
		return;
	set_plain_members(d, preset, p);
	set_dialect(b, n, d, p);
	const struct node *url = node_get(n, STR("base_url"));
	unsigned errors = b->report->n_errors;
	struct str base = base_of(b, n, d, preset);
	if (!str_empty(base))
		set_origin(b, url ? url : n, d, preset, p, base);
	else if (b->report->n_errors == errors && !(url && url->broken))
		build_error(b, n, "provider `%.*s` needs a `base_url`", STR_FMT(name));
	if (!str_empty(p->health_path) && p->health_path.p[0] != '/')
		build_error(b, node_get(n, STR("health")), "`health`: expected a path that begins with /, or off");
	check_proxy(b, n, d->proxy);
	set_azure_form(b, p);
	set_raw_predict(p);
	build_credentials(b, n, d, preset, p);
	build_headers(b, d->headers, p);
	if (p->origin.tls && p->usable)
		set_client_tls(b, n, d, &p->origin);
	list_models(b, d, p);
	build_provider_definition(n, p);
}

/* --- without a file --- */

static const char *preset_variable(const struct preset *preset)
{
	const char *const names[] = { preset->variable, preset->other_variable };
	for (size_t i = 0; i < array_len(names); i++)
		if (variable_value(names[i]))
			return names[i];
	return NULL;
}

bool build_preset_ready(const struct preset *preset, const char **variable)
{
	const struct provider_draft nothing = { 0 };
	struct str rest = str_c(preset->base_url);
	*variable = preset_variable(preset);
	if (!*variable)
		return false;
	if (*preset->endpoint_variable && variable_value(preset->endpoint_variable))
		return true;
	for (;;) {
		ptrdiff_t open = str_chr(rest, '{'), close = str_chr(rest, '}');
		const char *unused;
		if (open < 0 || close < open)
			return rest.n > 0;
		if (!is_label(blank_value(NULL, &nothing, str_of(rest.p + open + 1, (size_t)(close - open) - 1), &unused)))
			return false;
		rest = str_skip(rest, (size_t)close + 1);
	}
}

/* OPENAI_BASE_URL is set for applications, too, and may well name this gateway. */
static bool is_ourselves(const struct build *b, struct str base)
{
	struct url url;
	if (url_parse(base, &url))
		return false;
	struct str there = arena_printf(b->arena, "%.*s:%u", STR_FMT(url.host), url.port);
	struct str port = arena_printf(b->arena, ":%u", url.port);
	if (!address_is_local(there))
		return false;
	for (unsigned i = 0; i < b->draft.addresses.n; i++)
		if (str_ends(b->draft.addresses.items[i], port))
			return true;
	return false;
}

void build_preset_provider(struct build *b, const struct preset *preset)
{
	struct provider_draft *d = arena_new(b->arena, struct provider_draft);
	struct str name = str_c(preset->name);
	options_load(&provider_table, NULL, d, &b->context);
	const char *base = str_eq(name, STR("openai")) ? variable_value("OPENAI_BASE_URL") : NULL;
	if (base && is_ourselves(b, str_c(base))) {
		report_warning(b->report, 0, 0, "OPENAI_BASE_URL names this gateway and is not used");
	} else if (base) {
		d->base_url = arena_copy(b->arena, str_c(base));
		d->preset = name;
		d->allow_private_address = true;
	}
	build_provider(b, NULL, name, d);
}

void build_demo_provider(struct build *b)
{
	struct provider *p = arena_new(b->arena, struct provider);
	p->name = STR("demo");
	p->dialect = dialect_find(STR("openai"));
	p->quirks = QUIRK_NO_RESPONSES;
	set_spoken(p);
	p->demo = p->usable = p->free = true;
	p->origin.host = p->origin.host_header = STR("demo");
	build_provider_definition(NULL, p);
	add_provider(b, p);
	build_target(b, NULL, STR("demo/echo"));
}

/* --- all of them --- */

static bool name_good(struct str name)
{
	return name.n <= NAME_MOST && is_label(name);
}

void build_providers(struct build *b)
{
	const struct node *map = b->draft.providers;
	if (!map || node_is_null(map))
		return;
	if (map->kind != NODE_MAP) {
		build_error(b, map, "`providers`: expected a map, not %s", node_kind_name(map));
		return;
	}
	for (const struct node *n = map->first; n; n = n->next) {
		struct provider_draft *d = arena_new(b->arena, struct provider_draft);
		if (!name_good(n->key))
			report_error(b->report, n->key_line, n->key_column,
				     "a provider's name has 1 to %d letters, digits, `-`, `.`, `_`", NAME_MOST);
		options_load(&provider_table, n, d, &b->context);
		build_provider(b, n, n->key, d);
	}
}
