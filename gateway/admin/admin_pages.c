/*
 * admin_pages.c: the operator's pages, behind the same edge as callers' requests.
 *
 * A transaction is answered when its request is complete, or by admin_answer() when that had to ask
 * others; its memory goes at the end of that turn. Pages may load nothing from elsewhere; that answers are not cached the
 * edge says for all.
 */
#include "admin/admin_pages.h"

#include <stdlib.h>

#include "admin/admin_token.h"
#include "admin/cascade_page.h"
#include "admin/why_page.h"
#include "base/counters.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/health.h"
#include "core/live.h"
#include "telemetry/gauges.h"

enum { BODY_MAX = 64 << 20, ASKED_MAX = 32 << 20, HEADERS_MAX = 8 };

struct admin_txn {
	struct txn t;
	struct admin_door *door;
	bool waits;		/* for what was asked of others: admin_answer() comes */
	struct body_reader reader;
	struct buf body;
};

struct page_answer {
	int status;
	struct str type;
	struct buf body;
	bool close, ask_token;
	const char *allow;	/* what a 405 allows */
	struct str asked;	/* the request's body */
	struct admin_txn *txn;
};

#define TYPE_JSON STR("application/json")
#define TYPE_HTML STR("text/html; charset=utf-8")

static const struct snapshot *snapshot_of(const struct admin_door *d)
{
	return d->pages->snapshot(d->pages->owner);
}

/* --- pages --- */

static void metrics_page(struct admin_door *d, const struct request *r, struct page_answer *a)
{
	bool openmetrics = str_ihas(r->header[RH_ACCEPT], STR("application/openmetrics-text"));
	gauges_refresh(snapshot_of(d), d->pages->connections());
	a->type = openmetrics ? STR("application/openmetrics-text; version=1.0.0; charset=utf-8") :
		  STR("text/plain; version=0.0.4; charset=utf-8");
	if (!counters_render(&a->body, openmetrics))
		a->status = 500;
}

static void livez_page(struct admin_door *d unused_arg, const struct request *r unused_arg, struct page_answer *a)
{
	buf_add(&a->body, STR("{\"status\":\"alive\"}\n"));
}

static void readyz_page(struct admin_door *d, const struct request *r, struct page_answer *a)
{
	bool verbose = str_eq(r->query, STR("verbose")) || str_starts(r->query, STR("verbose="));
	if (!health_readiness(snapshot_of(d), verbose, &a->body))
		a->status = 503;
}

static void status_as(struct admin_door *d, struct page_answer *a, bool (*write)(const struct status *, struct buf *))
{
	struct status st;
	status_gather(&st, &d->pages->history, snapshot_of(d), d->pages->connections());
	if (!write(&st, &a->body))
		a->status = 500;
	status_free(&st);
}

static void status_page(struct admin_door *d, const struct request *r unused_arg, struct page_answer *a)
{
	a->type = TYPE_HTML;
	status_as(d, a, status_write_page);
}

static void status_json_page(struct admin_door *d, const struct request *r unused_arg, struct page_answer *a)
{
	status_as(d, a, status_write_json);
}

static void style_page(struct admin_door *d unused_arg, const struct request *r unused_arg, struct page_answer *a)
{
	a->type = STR("text/css; charset=utf-8");
	buf_add(&a->body, status_style);
}

static void write_error(struct page_answer *a, int status, const char *text)
{
	a->status = status;
	a->type = TYPE_JSON;
	buf_clear(&a->body);
	buf_add(&a->body, STR("{\"error\":{\"message\":"));
	buf_add_json(&a->body, str_c(text));
	buf_addf(&a->body, ",\"type\":\"%s\",\"param\":null,\"code\":null}}\n",
		 status < 500 ? "invalid_request_error" : "api_error");
}

static void explain_page(struct admin_door *d, const struct request *r unused_arg, struct page_answer *a)
{
	a->status = d->pages->explain(snapshot_of(d), d->pages->loop, a->asked, &a->body);
}

/* The value of one parameter of the query; names and ids need no decoding. */
static struct str parameter(struct str query, struct str name)
{
	struct str part, key;
	while (str_split(&query, '&', &part))
		if (str_split(&part, '=', &key) && str_eq(key, name))
			return part;
	return STR_NONE;
}

static void why_page(struct admin_door *d unused_arg, const struct request *r, struct page_answer *a)
{
	struct journal_entry e;
	if (journal_find(parameter(r->query, STR("id")), &e))
		why_json(&e, &a->body);
	else
		write_error(a, 404, "No request of this id is remembered: the latest 1024 are.");
}

static void cascade_page(struct admin_door *d unused_arg, const struct request *r unused_arg, struct page_answer *a)
{
	cascade_json(&a->body);
}

/* Takes a target out, or back in, until the process ends. */
static void drain_page(struct admin_door *d, const struct request *r, struct page_answer *a)
{
	struct str name = parameter(r->query, STR("target"));
	const struct snapshot *s = snapshot_of(d);
	const struct target *t = s ? snapshot_target(s, name) : NULL;
	bool on = !str_eq(parameter(r->query, STR("off")), STR("true"));
	if (!t || !t->live) {
		write_error(a, 404, "There is no target of this name: say ?target=provider/model as the configuration has it.");
		return;
	}
	atomic_store(&t->live->drained, on);
	log_warn("%.*s: %s by an operator", STR_FMT(name), on ? "drained" : "back");
	buf_add(&a->body, STR("{\"target\":"));
	buf_add_json(&a->body, name);
	buf_addf(&a->body, ",\"drained\":%s}\n", on ? "true" : "false");
}

/* What is asked of others, who may answer later. `own`: bytes of the page's own path. */
static void ask_others(int (*ask)(void *owner, const struct admin_call *c, struct buf *out), size_t own, struct admin_door *d,
		       const struct request *r, struct page_answer *a)
{
	struct admin_call call = { .method = r->method, .rest = str_skip(r->path, own), .query = r->query, .body = a->asked,
				   .ticket = a->txn };
	if (!ask) {
		write_error(a, 404, "There is nothing at this path.");
		return;
	}
	a->txn->waits = true;
	a->status = ask(d->pages->owner, &call, &a->body);
	a->txn->waits = a->status == ADMIN_LATER;
}

/* Keys that are made at run time: /admin/keys and what is below it. */
static void keys_page(struct admin_door *d, const struct request *r, struct page_answer *a)
{
	ask_others(d->pages->keys, 11, d, r, a);
}

static void usage_page(struct admin_door *d, const struct request *r, struct page_answer *a)
{
	ask_others(d->pages->usage, 12, d, r, a);
}

static void cache_page(struct admin_door *d, const struct request *r, struct page_answer *a)
{
	ask_others(d->pages->cache, 12, d, r, a);
}

enum { GET = 1 << HTTP_GET | 1 << HTTP_HEAD, POST = 1 << HTTP_POST, PATCH = 1 << HTTP_PATCH, DELETE = 1 << HTTP_DELETE };

static const struct page {
	struct str path;
	bool open;	/* to everybody who can connect */
	void (*write)(struct admin_door *, const struct request *, struct page_answer *);
	unsigned methods;
	bool change;	/* only with the admin token, on loopback too; else only what is not read with GET */
	bool below;	/* also for all paths below it */
} pages[] = {
	{ STR_INIT("/metrics"), true, metrics_page, GET, false, false },
	{ STR_INIT("/livez"), true, livez_page, GET, false, false },
	{ STR_INIT("/readyz"), true, readyz_page, GET, false, false },
	{ STR_INIT("/healthz"), true, readyz_page, GET, false, false },
	{ STR_INIT("/health"), true, readyz_page, GET, false, false },
	{ STR_INIT("/"), false, status_page, GET, false, false },
	{ STR_INIT("/status.json"), false, status_json_page, GET, false, false },
	{ STR_INIT("/status.css"), false, style_page, GET, false, false },
	{ STR_INIT("/admin/explain"), false, explain_page, POST, false, false },
	{ STR_INIT("/admin/why"), false, why_page, GET, false, false },
	{ STR_INIT("/admin/cascade"), false, cascade_page, GET, false, false },
	{ STR_INIT("/admin/cache"), false, cache_page, DELETE, true, true },
	{ STR_INIT("/admin/usage"), false, usage_page, GET, false, false },
	{ STR_INIT("/admin/drain"), false, drain_page, POST, true, false },
	{ STR_INIT("/admin/keys"), false, keys_page, GET | POST | PATCH | DELETE, true, true },
};

/* --- answering --- */

static void send_answer(struct txn *t, const struct page_answer *a)
{
	struct answer_header headers[HEADERS_MAX];
	unsigned n = 0;
	headers[n++] = (struct answer_header){ STR("referrer-policy"), STR("no-referrer") };
	headers[n++] = (struct answer_header){ STR("content-security-policy"),
		STR("default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'") };
	if (a->status == 405)
		headers[n++] = (struct answer_header){ STR("allow"), str_c(a->allow) };
	if (a->ask_token)
		headers[n++] = (struct answer_header){ STR("www-authenticate"), STR("Basic realm=\"weir\"") };
	struct answer_head head = {
		.status = a->status, .content_type = a->type, .length = (int64_t)a->body.n, .headers = headers,
		.n_headers = n, .close = a->close,
	};
	struct str body = buf_str(&a->body);
	if (!t->client)
		return;
	if (client_begin(t->client, &head)) {
		client_write(t->client, &body, 1);
		client_end(t->client);
	} else {
		client_abort(t->client);
	}
}

static bool may_see(struct admin_door *d, const struct page *p, const struct request *r, struct page_answer *a)
{
	const struct snapshot *s = snapshot_of(d);
	struct str token = s ? s->settings.admin.token : STR_NONE;
	if (str_empty(token) && d->loopback && !p->change)
		return true;
	if (str_empty(token) && p->change) {
		write_error(a, 403, "This needs an admin token: set admin.token, or WEIR_ADMIN_TOKEN, where weir runs.");
		return false;
	}
	if (str_empty(token)) {
		write_error(a, 403, "Only /metrics, /livez and /readyz are open here: set admin.token, or WEIR_ADMIN_TOKEN, to see more.");
		return false;
	}
	if (admin_token_matches(token, r->header[RH_AUTHORIZATION]))
		return true;
	a->ask_token = true;
	write_error(a, 401, "The admin token is missing or wrong.");
	return false;
}

static bool is_at(const struct page *p, struct str path)
{
	return str_eq(p->path, path) || (p->below && path.n > p->path.n && str_starts(path, p->path) && path.p[p->path.n] == '/');
}

static const struct page *find_page(const struct admin_door *d, const struct request *r)
{
	for (size_t i = 0; i < array_len(pages); i++)
		if (is_at(&pages[i], r->path) && (!d->health_only || pages[i].open))
			return &pages[i];
	return NULL;
}

static bool right_method(const struct page *p, const struct request *r)
{
	return p->methods >> r->method & 1;
}

static bool is_read(const struct request *r)
{
	return r->method == HTTP_GET || r->method == HTTP_HEAD;
}

static void write_answer(struct admin_door *d, const struct request *r, struct page_answer *a)
{
	const struct page *p = find_page(d, r);
	a->allow = !p || p->methods == GET ? "GET, HEAD" : p->methods == POST ? "POST" : p->methods == DELETE ? "DELETE" : "GET, HEAD, POST, PATCH, DELETE";
	if (!p)
		write_error(a, 404, "There is nothing at this path.");
	else if (!right_method(p, r))
		write_error(a, 405, p->methods == POST ? "This is asked for with POST." : p->methods == GET ? "This page is read with GET." :
			    "This method is not for this path.");
	else if (p->open || may_see(d, p, r, a))
		p->write(d, r, a);
	if (a->body.failed)
		write_error(a, 500, "This page is larger than it may be.");
}

/* --- the transaction --- */

static void recycle(struct loop_task *task)
{
	struct admin_txn *a = container_of(container_of(task, struct txn, recycle), struct admin_txn, t);
	arena_clear(&a->t.arena);
	buf_free(&a->body);
	free(a);
}

static void end(struct txn *t)
{
	if (t->state == TXN_DONE)
		return;
	t->state = TXN_DONE;
	t->client = NULL;
	loop_defer(t->loop, &t->recycle);
}

static void answer(struct admin_txn *admin)
{
	struct txn *t = &admin->t;
	struct page_answer a = { .status = 200, .type = TYPE_JSON, .body = BUF_INIT(BODY_MAX), .asked = buf_str(&admin->body),
				 .txn = admin };
	write_answer(admin->door, t->req, &a);
	if (admin->waits) {
		buf_free(&a.body);
		return;
	}
	send_answer(t, &a);
	buf_free(&a.body);
	end(t);
}

void admin_answer(void *ticket, int status, struct str body)
{
	struct admin_txn *admin = ticket;
	struct page_answer a = { .status = status, .type = TYPE_JSON, .body = BUF_INIT(BODY_MAX) };
	admin->waits = false;
	buf_add(&a.body, body);
	send_answer(&admin->t, &a);
	buf_free(&a.body);
	end(&admin->t);
}

static bool take(struct body_reader *r, struct str bytes)
{
	return buf_add(&container_of(r, struct admin_txn, reader)->body, bytes);
}

static void body_end(struct body_reader *r)
{
	answer(container_of(r, struct admin_txn, reader));
}

static void start(struct txn *t)
{
	struct admin_txn *a = container_of(t, struct admin_txn, t);
	const struct page *p = find_page(a->door, t->req);
	if (!p || is_read(t->req) || !right_method(p, t->req)) {
		answer(a);
		return;
	}
	buf_init(&a->body, ASKED_MAX);
	a->reader = (struct body_reader){ .take = take, .end = body_end, .max = ASKED_MAX };
	client_read_body(t->client, &a->reader);
}

static void refuse(struct txn *t, enum error_kind kind, const char *why)
{
	struct page_answer a = { .close = true, .body = BUF_INIT(BODY_MAX) };
	if (t->state == TXN_DONE)
		return;
	write_error(&a, t->error.status ? t->error.status : error_row(kind)->status, why);
	send_answer(t, &a);
	buf_free(&a.body);
	end(t);
}

static void hangup(struct txn *t)
{
	t->client = NULL;
	if (!container_of(t, struct admin_txn, t)->waits)
		end(t);
}

static void nothing(struct txn *t unused_arg)
{
}

static void body_too_large(struct txn *t)
{
	refuse(t, ERR_TOO_LARGE, "The body is larger than is taken here.");
}

static const struct txn_ops ops = {
	.start = start, .refuse = refuse, .hangup = hangup, .drained = nothing, .body_too_large = body_too_large,
	.body_failed = refuse, .resume = nothing, .fail = end, .end = end, .settle_down = nothing,
};

struct txn *admin_begin(void *owner, struct client *client)
{
	struct admin_txn *a = mem_alloc(sizeof *a);
	a->door = owner;
	a->t.ops = &ops;
	a->t.client = client;
	a->t.loop = a->door->pages->loop;
	a->t.began_us = loop_now(a->t.loop);
	arena_init(&a->t.arena);
	loop_task_init(&a->t.recycle, recycle);
	return &a->t;
}
