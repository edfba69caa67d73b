/*
 * build_settings.c: the process' own settings, checked against each other.
 */
#include <stdlib.h>
#include <unistd.h>

#include "access/key_secret.h"
#include "base/tls.h"
#include "config/build.h"

static void set_workers(struct build *b)
{
	uint64_t n;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	b->s->settings.workers = cores > 0 ? (unsigned)cores : 1;
	if (str_eq(b->draft.workers, STR("auto")))
		return;
	if (!str_u64(b->draft.workers, &n) || n < 1 || n > 256)
		report_error(b->report, 0, 0, "`workers`: expected auto or a number from 1 to 256, not `%.*s`",
			     STR_FMT(str_head(b->draft.workers, 40)));
	else
		b->s->settings.workers = (unsigned)n;
}

static void set_breaker(struct build *b)
{
	struct breaker_settings *breaker = &b->s->settings.breaker;
	const struct node *n = b->draft.breaker;
	bool off = n && n->kind == NODE_SCALAR && str_eq(n->value, STR("off"));
	options_load(&breaker_table, off ? NULL : n, breaker, &b->context);
	breaker->on = !off;
	if (breaker->failures < 1 || breaker->open_us < 1 || breaker->window_us < 1)
		report_error(b->report, n ? n->line : 0, n ? n->column : 0, "`breaker`: all of its values must be above 0, or write off");
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
	for (const struct node *m = list && list->kind == NODE_LIST ? list->first : NULL; m && n < PAIRS_MAX; m = m->next) {
		const struct node *certificate = node_get(m, STR("certificate")), *key = node_get(m, STR("key"));
		if (!certificate || !key || certificate->kind != NODE_SCALAR || key->kind != NODE_SCALAR) {
			report_error(b->report, m->line, m->column, "`listen.tls.certificates`: expected { certificate, key }");
			continue;
		}
		certificates[n] = certificate->value.p;
		keys[n++] = key->value.p;
	}
	return n;
}

static void set_tls(struct build *b)
{
	const struct tls_draft *d = &b->draft.tls;
	const char *certificates[PAIRS_MAX], *keys[PAIRS_MAX];
	struct buf why = BUF_INIT(1024);
	if (str_empty(d->certificate) && str_empty(d->key))
		return;
	if (str_empty(d->certificate) || str_empty(d->key)) {
		report_error(b->report, 0, 0, "`listen.tls` needs both certificate and key");
		return;
	}
	certificates[0] = d->certificate.p;
	keys[0] = d->key.p;
	unsigned n = more_pairs(b, certificates, keys, 1);
	struct tls_server_options o = { certificates, keys, n, c_text(d->client_ca), c_text(d->client_crl) };
	struct tls_context *c = tls_server_context(&o, &why);
	if (c)
		arena_own(b->arena, c, release_tls);
	else
		report_error(b->report, 0, 0, "`listen.tls`: %.*s", STR_FMT(buf_str(&why)));
	b->s->settings.listen.tls = c;
	buf_free(&why);
}

/* --- who may call from where --- */

static bool is_loopback(struct str address)
{
	return str_starts(address, STR("unix:")) || str_starts(address, STR("127.")) || str_starts(address, STR("[::1]")) ||
	       str_starts(address, STR("localhost:"));
}

static bool is_public(const struct settings *s)
{
	for (unsigned i = 0; i < s->listen.n_addresses; i++)
		if (!is_loopback(s->listen.addresses[i]))
			return true;
	return false;
}

/* Beyond loopback nobody serves without a key unless it is said: one is taken from WEIR_KEY, or made. */
static void need_key(struct build *b)
{
	struct settings *s = &b->s->settings;
	const char *given = b->environment ? getenv("WEIR_KEY") : NULL;
	if (b->s->n_keys || s->listen.open || !is_public(s))
		return;
	struct str secret = given && *given ? str_c(given) : key_secret_default();
	b->s->made_key = !(given && *given);
	key_secret_add(b->s, STR("default"), arena_copy(b->arena, secret));
	b->s->made_secret = b->s->made_key ? arena_copy(b->arena, secret) : STR_NONE;
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
	s->listen.keep_alive_comment_us = 10 * INT64_C(1000000);
	if (s->listen.max_headers < 1 || s->listen.max_headers > 100)
		report_error(b->report, 0, 0, "`listen.max_headers`: expected 1 to 100");
	set_workers(b);
	set_breaker(b);
	set_tls(b);
	need_key(b);
	if (!str_eq(s->store, STR("memory")))
		report_warning(b->report, 0, 0, "`store`: only memory is part of this version; %.*s is not used",
			       STR_FMT(str_head(s->store, 20)));
	if (!str_eq(s->ledger, STR("off")))
		buf_addf(&b->later, "%sledger", b->later.n ? ", " : "");
	if (b->budgets && is_public(s))
		report_error(b->report, 0, 0, "budgets are not enforced in this version: refusing to serve beyond loopback with them");
}
