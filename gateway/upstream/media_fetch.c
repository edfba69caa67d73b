/*
 * media_fetch.c: connections of its own, so that none that was opened to a private address for somebody else is used again.
 */
#include "upstream/media_fetch.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/resolver.h"
#include "upstream/transport.h"
#include "wire/http_parser.h"
#include "wire/url.h"

enum { REDIRECTS_MOST = 3, URL_MOST = 8192 };
static const char PRIVATE[] = "is at a private address, which is never fetched";
static const int64_t CONNECT_US = 5 * SECOND_US, WHOLE_US = 10 * SECOND_US;

struct item {
	struct media_fetch *f;
	struct media_want *want;
	struct origin origin;
	struct exchange *exchange;
	struct iovec head;
	struct buf body;
	struct str url, type;	/* where it is now; in f->arena */
	struct str moved;	/* where it leads; empty: here it is */
	unsigned redirects;
	const char *why;	/* it is not wanted any more */
};

struct media_fetch {
	struct arena *arena;
	const struct provider *provider;
	struct item items[MEDIA_WANTS_MOST];
	unsigned n, left;
	struct timer deadline;
	struct loop_task end;		/* outside of the transport's callbacks */
	const char *why;
	const struct media_want *failed;
	media_fetched *done;
	void *owner;
};

static _Thread_local struct loop *loop;
static _Thread_local struct transport_state *state;

static void media_free(struct media_fetch *f)
{
	for (unsigned i = 0; i < f->n; i++) {
		if (f->items[i].exchange)
			curl_transport.cancel(f->items[i].exchange);
		buf_free(&f->items[i].body);
	}
	timer_close(&f->deadline);
	loop_task_cancel(&f->end);
	free(f);
}

static void fail(struct item *it, const char *why)
{
	struct media_fetch *f = it->f;
	if (!f->why) {
		f->why = why;
		f->failed = it->want;
	}
	loop_defer(loop, &f->end);
}

/* --- what it is --- */

/* NULL: none that is taken. */
static const char *known_type(struct str said, bool image)
{
	static const char *const images[] = { "image/png", "image/jpeg", "image/gif", "image/webp" };
	static const char *const documents[] = { "application/pdf", "text/plain", "text/csv", "text/html", "text/markdown" };
	const char *const *types = image ? images : documents;
	size_t n = image ? array_len(images) : array_len(documents);
	struct str type = said;
	str_split(&said, ';', &type);
	type = str_trim(type);
	if (image && str_ieq(type, STR("image/jpg")))
		return "image/jpeg";
	for (size_t i = 0; i < n; i++)
		if (str_ieq(type, str_c(types[i])))
			return types[i];
	return NULL;
}

static void on_head(void *owner, const struct http_head *head)
{
	struct item *it = owner;
	bool moves = head->status >= 301 && head->status <= 308 && head->status != 304 && head->status != 305 && head->status != 306;
	const char *type = known_type(http_header(head, HTTP_H_CONTENT_TYPE), it->want->image);
	it->moved = moves ? arena_copy(it->f->arena, http_header(head, HTTP_H_LOCATION)) : STR_NONE;
	if (moves && str_empty(it->moved))
		it->why = "leads nowhere";
	else if (!moves && head->status != 200)
		it->why = "is not there: its server answers with another status than 200";
	else if (!moves && !type)
		it->why = it->want->image ? "is no image: PNG, JPEG, GIF and WebP are taken" : "is no document: PDF, plain text, CSV, HTML and Markdown are taken";
	else if (!moves && head->body == HTTP_BODY_LENGTH && head->length > it->body.max)
		it->why = "is larger than may be fetched";
	it->type = type ? str_c(type) : STR_NONE;
	if (it->why)
		fail(it, it->why);
}

static bool on_body(void *owner, struct str bytes, bool more)
{
	struct item *it = owner;
	(void)more;
	if (it->why || it->moved.n)
		return !it->why;
	if (!buf_add(&it->body, bytes))
		fail(it, it->why = "is larger than may be fetched");
	return !it->why;
}

/* --- where it is --- */

static void fetch_item(struct item *it);

/* The address that it leads to, whole. */
static struct str leads_to(struct item *it)
{
	struct url from;
	if (it->moved.p[0] != '/' || str_starts(it->moved, STR("//")) || url_parse(it->url, &from))
		return it->moved;
	return arena_printf(it->f->arena, "https://%.*s%.*s", STR_FMT(from.authority), STR_FMT(it->moved));
}

static void keep(struct item *it)
{
	struct str bytes = buf_str(&it->body);
	char *to = arena_alloc(it->f->arena, 4 * ((bytes.n + 2) / 3) + 1);
	it->want->data = str_of(to, base64_encode(bytes, to));
	it->want->type = it->type;
	if (!bytes.n)
		fail(it, it->why = "is empty");
	else if (--it->f->left == 0)
		loop_defer(loop, &it->f->end);
}

static void on_end(void *owner)
{
	struct item *it = owner;
	it->exchange = NULL;
	if (it->why)
		return;
	if (!it->moved.n) {
		keep(it);
	} else if (it->redirects++ == REDIRECTS_MOST) {
		fail(it, it->why = "leads on and on");
	} else {
		it->url = leads_to(it);
		fetch_item(it);
	}
}

static void on_fail(void *owner, enum transport_failure failure, bool unprocessed, const char *why)
{
	struct item *it = owner;
	(void)unprocessed, (void)why;
	it->exchange = NULL;
	fail(it, failure == TRANSPORT_FORBIDDEN ? PRIVATE : "cannot be reached");
}

static const struct transport_events events = { .on_head = on_head, .on_body = on_body, .on_end = on_end, .on_fail = on_fail };

/* What follows a # is for whoever reads it. */
static struct str without_fragment(struct str url)
{
	ptrdiff_t mark = str_chr(url, '#');
	return mark < 0 ? url : str_head(url, (size_t)mark);
}

/* Path and query as they were written. STR_NONE: bytes that are in no address. */
static struct str path_of(struct str url, const struct url *u)
{
	struct str path = str_skip(url, (size_t)(u->authority.p - url.p) + u->authority.n);
	for (size_t i = 0; i < path.n; i++)
		if (path.p[i] <= ' ' || path.p[i] > '~')
			return STR_NONE;
	return path.n ? path : STR("/");
}

/* Written out as a number it is not left to a proxy to judge. */
static bool is_private(const struct url *u)
{
	char host[64];
	struct sockaddr_storage sa = { 0 };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&sa;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&sa;
	if (u->host.n >= sizeof(host))
		return false;
	snprintf(host, sizeof(host), "%.*s", STR_FMT(u->host));
	sa.ss_family = u->v6 ? AF_INET6 : AF_INET;
	void *to = u->v6 ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr;
	return str_ieq(u->host, STR("localhost")) || (inet_pton(sa.ss_family, host, to) == 1 && address_is_private((struct sockaddr *)&sa));
}

static const char *aim(struct item *it, struct str *path)
{
	const struct provider *p = it->f->provider;
	struct url u;
	it->url = without_fragment(it->url);
	if (it->url.n > URL_MOST || url_parse(it->url, &u))
		return "is no address that can be fetched";
	*path = path_of(it->url, &u);
	if (!u.tls)
		return "leads to an address that is not https";
	if (is_private(&u))
		return PRIVATE;
	if (path->n && path->p[0] != '/')	/* a query alone */
		*path = arena_printf(it->f->arena, "/%.*s", STR_FMT(*path));
	it->origin = (struct origin){ .tls = true, .host = u.host, .port = u.port, .host_header = u.authority, .proxy = p->origin.proxy,
				      .tls_context = p->origin.tls_context };
	return path->p ? NULL : "is no address that can be fetched";
}

static void fetch_item(struct item *it)
{
	struct str path;
	const char *wrong = aim(it, &path);
	if (wrong) {
		fail(it, it->why = wrong);
		return;
	}
	struct str head = arena_printf(it->f->arena, "GET %.*s HTTP/1.1\r\nhost: %.*s\r\nuser-agent: weir/" WEIR_VERSION "\r\naccept: */*\r\ncontent-length: 0\r\n\r\n",
				       STR_FMT(path), STR_FMT(it->origin.host_header));
	it->head = (struct iovec){ (void *)(uintptr_t)head.p, head.n };
	if (!state)
		state = curl_transport.open(loop);
	struct transport_call call = { .origin = &it->origin, .method = HTTP_GET, .parts = &it->head, .n_parts = 1, .connect_us = CONNECT_US,
				       .events = &events, .owner = it };
	it->exchange = curl_transport.start(state, &call);
}

/* --- all of them --- */

static void on_over(struct loop_task *task)
{
	struct media_fetch *f = container_of(task, struct media_fetch, end);
	media_fetched *done = f->done;
	void *owner = f->owner;
	const char *why = f->why;
	const struct media_want *failed = f->failed;
	media_free(f);
	done(owner, failed, why);
}

static void on_deadline(struct timer *t)
{
	struct media_fetch *f = container_of(t, struct media_fetch, deadline);
	for (unsigned i = 0; i < f->n; i++)
		if (!f->items[i].want->data.n)
			fail(&f->items[i], "takes too long to come");
}

struct media_fetch *media_fetch_start(const struct provider *p, struct media_wants *w, struct arena *a, media_fetched *done, void *owner)
{
	struct media_fetch *f = mem_alloc(sizeof(*f));
	*f = (struct media_fetch){ .arena = a, .provider = p, .done = done, .owner = owner };
	timer_open(&f->deadline, loop, on_deadline);
	timer_in(&f->deadline, WHOLE_US);
	loop_task_init(&f->end, on_over);
	for (unsigned i = 0; i < w->n; i++) {
		struct item *it = &f->items[f->n++];
		*it = (struct item){ .f = f, .want = &w->want[i], .url = w->want[i].url };
		buf_init(&it->body, (size_t)p->fetch_max);
		f->left++;
	}
	for (unsigned i = 0; i < f->n; i++)
		fetch_item(&f->items[i]);
	return f;
}

void media_fetch_cancel(struct media_fetch *f)
{
	media_free(f);
}

void media_fetch_open(struct loop *l)
{
	loop = l;
}

void media_fetch_close(void)
{
	if (state)
		curl_transport.close(state);
	state = NULL;
}
