/*
 * build_settings.c: the process' own settings, checked against each other.
 */
#include <stdlib.h>
#include <unistd.h>

#include "access/key_secret.h"
#include "base/tls.h"
#include "config/build.h"
#include "store/store.h"
#include "wire/url.h"

/* The place of a setting in the file, for what only shows when all is read. */
static const struct node *place(const struct build *b, const char *path)
{
	return options_node(b->root, str_c(path));
}

static void set_workers(struct build *b)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	if (b->s->settings.workers == 0)
		b->s->settings.workers = cores > 256 ? 256 : cores > 0 ? (unsigned)cores : 1;
}

static void set_breaker(struct build *b)
{
	struct breaker_settings *breaker = &b->s->settings.breaker;
	const struct node *n = b->draft.breaker;
	bool off = n && n->kind == NODE_SCALAR && str_eq(n->value, STR("off"));
	if (n && n->kind == NODE_SCALAR && !off && !node_is_null(n))
		build_error(b, n, "`breaker`: expected off or a map of failures, window, open");
	options_load(&breaker_table, n && n->kind == NODE_SCALAR ? NULL : n, breaker, &b->context);
	breaker->on = !off;
}

/* --- TLS --- */

enum { PAIRS_MAX = 32 };

static const char *c_text(struct str s)
{
	return str_empty(s) ? NULL : s.p;
}

static void release_tls(void *context)
{
	tls_unref(context);
}

static unsigned more_pairs(struct build *b, const char **certificates, const char **keys, unsigned n)
{
	const struct node *list = b->draft.tls.certificates;
	if (list && !node_is_null(list) && list->kind != NODE_LIST)
		build_error(b, list, "`listen.tls.certificates`: expected a list of { certificate, key }");
	for (const struct node *m = list && list->kind == NODE_LIST ? list->first : NULL; m && n < PAIRS_MAX; m = m->next) {
		struct tls_draft *d = arena_new(b->arena, struct tls_draft);
		options_load(&certificate_table, m, d, &b->context);
		if (str_empty(d->certificate) || str_empty(d->key)) {
			build_error(b, m, "`listen.tls.certificates`: expected { certificate, key }");
			continue;
		}
		certificates[n] = d->certificate.p;
		keys[n++] = d->key.p;
	}
	return n;
}

enum { DAY_S = 86400, SOON_DAYS = 14 };

/* Whoever renews certificates may have stopped doing so. */
static void warn_of_end(struct build *b, const struct node *at, const struct tls_context *c)
{
	int64_t left = tls_certificate_expires_in(c);
	if (left < 0)
		build_warn(b, at, "`listen.tls`: a certificate has ended; callers will refuse it");
	else if (left < SOON_DAYS * DAY_S)
		build_warn(b, at, "`listen.tls`: a certificate ends in %d day%s", (int)(left / DAY_S), left / DAY_S == 1 ? "" : "s");
}

static void set_tls(struct build *b)
{
	const struct tls_draft *d = &b->draft.tls;
	const struct node *at = place(b, "listen.tls");
	const char *certificates[PAIRS_MAX], *keys[PAIRS_MAX];
	struct buf why = BUF_INIT(1024);
	if (str_empty(d->certificate) && str_empty(d->key)) {
		if (d->certificates || !str_empty(d->client_ca) || !str_empty(d->client_crl))
			build_error(b, at, "`listen.tls` needs both certificate and key");
		return;
	}
	if (str_empty(d->certificate) || str_empty(d->key)) {
		build_error(b, at, "`listen.tls` needs both certificate and key");
		return;
	}
	certificates[0] = d->certificate.p;
	keys[0] = d->key.p;
	unsigned n = more_pairs(b, certificates, keys, 1);
	struct tls_server_options o = { certificates, keys, n, c_text(d->client_ca), c_text(d->client_crl) };
	struct tls_context *c = b->environment ? tls_server_context(&o, &why) : NULL;
	if (c) {
		arena_own(b->arena, c, release_tls);
		warn_of_end(b, at, c);
	} else if (b->environment)
		build_error(b, at, "`listen.tls`: %.*s", STR_FMT(buf_str(&why)));
	b->s->settings.listen.tls = c;
	buf_free(&why);
}

/* --- addresses, and who may call from where --- */

static void check_address(struct build *b, const char *path, struct str address)
{
	const char *wrong = address_check(address);
	if (wrong)
		build_error(b, place(b, path), "`%s`: `%.*s`: %s", path, STR_FMT(str_head(address, 80)), wrong);
}

static bool is_off(struct str address)
{
	return str_empty(address) || str_eq(address, STR("off"));
}

static void check_addresses(struct build *b)
{
	const struct settings *s = &b->s->settings;
	if (s->listen.n_addresses == 0)
		build_error(b, place(b, "listen.address"), "`listen.address`: expected at least one address");
	for (unsigned i = 0; i < s->listen.n_addresses; i++)
		check_address(b, "listen.address", s->listen.addresses[i]);
	if (!is_off(s->admin.address))
		check_address(b, "admin.address", s->admin.address);
	if (!is_off(s->admin.metrics_address))
		check_address(b, "admin.metrics_address", s->admin.metrics_address);
}

static bool is_public(const struct settings *s)
{
	for (unsigned i = 0; i < s->listen.n_addresses; i++)
		if (!address_is_local(s->listen.addresses[i]))
			return true;
	return false;
}

void settings_need_key(struct snapshot *s, bool environment)
{
	const char *given = environment ? getenv("WEIR_KEY") : NULL;
	if (s->n_keys || s->settings.listen.open || !is_public(&s->settings))
		return;
	struct str secret = given && *given ? str_c(given) : key_secret_default();
	s->default_key = true;
	s->made_key = !(given && *given);
	key_secret_add(s, STR("default"), secret);
	s->made_secret = s->made_key ? arena_copy(&s->arena, secret) : STR_NONE;
}

static void set_jwt(struct build *b)
{
	struct jwt_settings *j = &b->s->settings.jwt;
	struct url url;
	j->audiences = b->draft.jwt_audiences.items;
	j->n_audiences = b->draft.jwt_audiences.n;
	if (str_empty(j->jwks))
		return;
	const char *wrong = str_has(j->jwks, STR("://")) ? url_parse(j->jwks, &url) : NULL;
	if (wrong)
		build_error(b, place(b, "jwt.jwks"), "`jwt.jwks`: %s", wrong);
	if (str_empty(j->issuer))
		build_error(b, place(b, "jwt.jwks"), "`jwt.issuer` is needed: whose tokens are taken");
	if (j->n_audiences == 0)
		build_error(b, place(b, "jwt.jwks"), "`jwt.audience` is needed: a token for another service must not be one for this");
	if (str_empty(j->key_claim) && str_empty(j->key))
		build_error(b, place(b, "jwt.jwks"), "`jwt.key_claim` or `jwt.key` is needed: which key a token stands for");
}

static void set_alerts(struct build *b)
{
	struct settings *s = &b->s->settings;
	struct url url;
	const char *wrong = str_empty(s->alerts_webhook) ? NULL : url_parse(s->alerts_webhook, &url);
	s->alerts_slack = b->draft.alerts_format;
	if (wrong)
		build_error(b, place(b, "alerts.webhook"), "`alerts.webhook`: %s", wrong);
	else if (!str_empty(s->alerts_webhook) && !url.tls && !str_starts(url.host, STR("127.")) && !str_eq(url.host, STR("localhost")))
		build_error(b, place(b, "alerts.webhook"), "`alerts.webhook`: plain http:// is for this machine alone; say https://");
}

static void check_store(struct build *b)
{
	const char *wrong = store_url_check(b->s->settings.store);
	if (wrong)
		build_error(b, place(b, "store"), "`store`: %s", wrong);
}

/* systemd says where state belongs. */
/* "1%", "0.25%": in parts of 10,000. */
static void set_capture(struct build *b)
{
	struct capture_settings *c = &b->s->settings.capture;
	struct str text = c->share_text, whole;
	uint64_t percent = 0, part = 0;
	bool good = str_ends(text, STR("%")) && text.n > 1;
	text = str_head(text, good ? text.n - 1 : 0);
	good = good && str_split(&text, '.', &whole) && str_u64(whole, &percent) && text.n <= 2 &&
	       (text.n == 0 || str_u64(text, &part));
	part *= text.n == 1 ? 10 : 1;
	if (!good || percent * 100 + part > 10000)
		build_error(b, place(b, "capture.share"), "`capture.share`: expected a percentage with at most two decimals, such as 1%%");
	else
		c->share = (unsigned)(percent * 100 + part);
}

static void set_state_files(struct build *b)
{
	const char *directory = b->environment ? getenv("STATE_DIRECTORY") : NULL;
	if (str_empty(b->s->settings.learned_file) && directory && *directory)
		b->s->settings.learned_file = arena_printf(b->arena, "%s/learned", directory);
	if (str_empty(b->s->settings.plugin_crashes) && directory && *directory)
		b->s->settings.plugin_crashes = arena_printf(b->arena, "%s/plugin-crashes", directory);
}

/* Beside the ledger, or where systemd says. */
static void set_keys_file(struct build *b)
{
	struct settings *s = &b->s->settings;
	const char *directory = b->environment ? getenv("STATE_DIRECTORY") : NULL;
	ptrdiff_t slash = str_rchr(s->ledger, '/');
	if (!str_empty(s->keys_file))
		return;
	if (!str_eq(s->ledger, STR("off")))
		s->keys_file = arena_printf(b->arena, "%.*sweir-keys.db", STR_FMT(str_head(s->ledger, (size_t)(slash + 1))));
	else if (directory && *directory)
		s->keys_file = arena_printf(b->arena, "%s/weir-keys.db", directory);
}

static void check_files_provider(struct build *b)
{
	struct str name = b->s->settings.files_provider;
	if (!str_empty(name) && !snapshot_provider(b->s, name))
		build_error(b, place(b, "files_provider"), "`files_provider`: there is no provider `%.*s`", STR_FMT(name));
}

static void advise_capture(struct build *b)
{
	const struct node *at = place(b, "log.bodies");
	if (b->s->settings.log_bodies)
		report_warning(b->report, at ? at->line : 0, at ? at->column : 0, "`log.bodies` is without effect: say `capture: { share: 100%% }`, "
			       "which keeps requests with their answers in files of their own");
}

void build_settings(struct build *b)
{
	struct settings *s = &b->s->settings;
	const struct settings_draft *d = &b->draft;
	*s = d->s;
	s->listen.addresses = d->addresses.items;
	s->listen.n_addresses = d->addresses.n;
	s->listen.cors_origins = d->cors_origins.items;
	s->listen.n_cors_origins = d->cors_origins.n;
	s->log_level = (enum log_level)d->log_level;
	s->retry.uncertain = (enum uncertain)d->uncertain;
	s->listen.keep_alive_comment_us = 10 * INT64_C(1000000);
	check_addresses(b);
	set_workers(b);
	set_breaker(b);
	set_tls(b);
	settings_need_key(b->s, b->environment);
	set_jwt(b);
	set_alerts(b);
	check_store(b);
	set_keys_file(b);
	check_files_provider(b);
	set_capture(b);
	set_state_files(b);
	advise_capture(b);
}
