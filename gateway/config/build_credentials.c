/*
 * build_credentials.c: with what a provider is asked: its credentials and further headers.
 *
 * Both end up in the head of requests, so bytes that could end a line are refused here.
 */
#include <stdlib.h>

#include "config/build.h"
#include "core/dialect.h"
#include "core/live.h"
#include "providers/presets.h"

enum { SECRET_MOST = 16 * 1024, HEADERS_MOST = 32, VALUE_MOST = 4096 };

static bool is_visible(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return false;
	return true;
}

static struct str trim_lines(struct str s)
{
	while (s.n && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r' || s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return str_trim(s);
}

static void add_credential(struct build *b, const struct node *at, struct provider *p, struct str secret)
{
	secret = trim_lines(secret);
	if (str_empty(secret))
		return;
	if (!is_visible(secret) || secret.n > SECRET_MOST) {
		build_error(b, at, "the credential of `%.*s` has blanks or bytes in it that no header may carry", STR_FMT(p->name));
		return;
	}
	if (p->n_credentials == CREDENTIALS_MAX) {
		build_error(b, at, "provider `%.*s` has more than %d credentials", STR_FMT(p->name), CREDENTIALS_MAX);
		return;
	}
	struct credential *c = &p->credentials[p->n_credentials];
	c->secret = secret;
	c->label = arena_printf(b->arena, "%.*s[%u]", STR_FMT(p->name), p->n_credentials);
	c->live = live_credential(c->label);
	p->n_credentials++;
}

/* Where the vendor's users keep their key. */
static void add_usual(struct build *b, const struct node *n, const struct preset *preset, struct provider *p)
{
	const char *const names[] = { preset->variable, preset->other_variable };
	for (size_t i = 0; i < array_len(names) && p->n_credentials == 0; i++) {
		const char *value = *names[i] ? getenv(names[i]) : NULL;
		if (value)
			add_credential(b, n, p, arena_copy(b->arena, str_c(value)));
	}
}

static void tell_unused(struct build *b, const struct node *n, const struct provider *p, struct str lacks)
{
	const struct node *said = node_get(n, STR("credential"));
	struct str what = !str_empty(lacks) ? lacks : !str_empty(p->credential_variable) ? p->credential_variable :
			  STR("its api_key, which is empty");
	report_warning(b->report, said ? said->line : n ? n->key_line : 0, said ? said->column : n ? n->key_column : 0,
		       "provider `%.*s` has no credential and is not used; set %.*s", STR_FMT(p->name), STR_FMT(what));
}

/* What to set where there is no credential: the variable the file names, or the vendor's. */
static struct str variable_of(const struct node *one, const struct node *list, const struct preset *preset)
{
	const struct node *said = one ? one : list && list->kind == NODE_LIST ? list->first : list;
	if (said)
		return said->variable;
	return str_c(preset ? preset->variable : "");
}

void build_credentials(struct build *b, const struct node *n, const struct provider_draft *d, const struct preset *preset,
		       struct provider *p)
{
	const struct node *one = node_get(n, STR("api_key")), *list = node_get(n, STR("api_keys"));
	bool given = one || list;
	const struct preset_face *face = preset_face(preset, d->dialect);
	p->scheme = face ? face->scheme : preset ? preset->scheme : CREDENTIAL_BEARER;
	p->scheme_name = str_c(face ? face->scheme_name : preset ? preset->scheme_name : "");
	if (!preset && p->dialect->key_header) {
		p->scheme = CREDENTIAL_HEADER;
		p->scheme_name = str_c(p->dialect->key_header);
	}
	p->credential_variable = variable_of(one, list, preset);
	add_credential(b, one, p, d->api_key);
	for (unsigned i = 0; i < d->api_keys.n; i++)
		add_credential(b, list, p, d->api_keys.items[i]);
	p->caller_credential = d->credential == CREDENTIAL_CALLER;
	bool identity = d->credential > CREDENTIAL_STATIC;
	if (identity && p->n_credentials)
		build_error(b, node_get(n, STR("credential")), "`credential` says another one than the key that is given, too");
	if (!given && !identity && preset && b->environment)
		add_usual(b, n, preset, p);
	if (p->n_credentials && p->scheme == CREDENTIAL_NONE)
		p->scheme = CREDENTIAL_BEARER;
	struct str lacks = STR_NONE;
	if (p->n_credentials == 0 && !p->caller_credential)
		build_identity(b, n, d, p, &lacks);
	if (given && !identity)
		lacks = STR_NONE;	/* the key that was meant */
	bool needs_none = !identity && (p->local || p->scheme == CREDENTIAL_NONE || (!preset && !given));
	bool equipped = p->n_credentials || p->caller_credential || needs_none;
	if (!equipped)
		tell_unused(b, n, p, lacks);
	p->usable = p->usable && equipped;
}

/* --- headers --- */

static bool is_token(struct str s)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr(others, c))))
			return false;
	}
	return s.n > 0;
}

static bool is_value(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7f)
			return false;
	return s.n <= VALUE_MOST;
}

/* Headers that frame a message, or that weir writes itself. */
static bool is_reserved(struct str name)
{
	static const struct str names[] = {
		STR_INIT("host"), STR_INIT("content-length"), STR_INIT("transfer-encoding"), STR_INIT("connection"),
		STR_INIT("content-type"), STR_INIT("accept-encoding"), STR_INIT("expect"), STR_INIT("upgrade"), STR_INIT("te"),
		STR_INIT("trailer"), STR_INIT("keep-alive"), STR_INIT("proxy-authorization"), STR_INIT("authorization"),
	};
	for (size_t i = 0; i < array_len(names); i++)
		if (str_ieq(names[i], name))
			return true;
	return false;
}

void build_headers(struct build *b, const struct node *map, struct provider *p)
{
	if (!map || node_is_null(map))
		return;
	if (map->kind != NODE_MAP || map->n > HEADERS_MOST) {
		build_error(b, map, "`headers`: expected a map of at most %d names and values", HEADERS_MOST);
		return;
	}
	struct provider_header *headers = arena_array(b->arena, struct provider_header, map->n + 1);
	for (const struct node *h = map->first; h; h = h->next) {
		struct str value = str_trim(h->value);
		if (!is_token(h->key) || is_reserved(h->key))
			report_error(b->report, h->key_line, h->key_column, "`headers`: `%.*s` cannot be set here",
				     STR_FMT(str_head(h->key, 60)));
		else if (h->kind != NODE_SCALAR || !is_value(value))
			build_error(b, h, "`headers`: this is no value of a header");
		else if (!str_empty(value))
			headers[p->n_headers++] = (struct provider_header){ h->key, value };
	}
	p->headers = headers;
}
