/*
 * curl_request.c: the caller's HTTP/1.1 head and body as options of an easy handle.
 *
 * The head is parsed by our own parser, and its framing left out: libcurl writes that
 * anew, for HTTP/2 as well. The body is read from the caller's parts as libcurl asks.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "upstream/curl_exchange.h"

enum { TARGET_MAX = 16 * 1024 };

/* --- the body --- */

static struct str part_at(const struct exchange *e, size_t at)
{
	for (int i = 0; i < e->call.n_parts; i++) {
		const struct iovec *part = &e->call.parts[i];
		if (at < part->iov_len)
			return str_of((const char *)part->iov_base + at, part->iov_len - at);
		at -= part->iov_len;
	}
	return STR_NONE;
}

bool curl_request_keep_unsent(struct exchange *e)
{
	struct buf whole;
	buf_init(&whole, CURL_OUT_MAX);
	while (e->sent < e->total) {
		struct str part = part_at(e, e->sent);
		buf_add(&whole, part);
		e->sent += part.n;
	}
	buf_add(&whole, buf_str(&e->out));
	buf_free(&e->out);
	e->out = whole;
	e->parts_gone = true;
	return !whole.failed;
}

void curl_request_drop_unsent(struct exchange *e)
{
	e->sent = e->total;
	buf_free(&e->out);
	e->parts_gone = e->last = true;
}

static size_t starve(struct exchange *e)
{
	e->starved = true;
	loop_defer(e->state->loop, &e->task);
	return CURL_READFUNC_PAUSE;
}

static size_t on_read(char *to, size_t size, size_t n, void *arg)
{
	struct exchange *e = arg;
	bool own = e->sent == e->total;
	struct str from = str_head(own ? buf_str(&e->out) : part_at(e, e->sent), size * n);
	if (e->gone)
		return CURL_READFUNC_ABORT;
	if (from.n == 0)
		return e->call.streamed && !e->last ? starve(e) : 0;
	memcpy(to, from.p, from.n);
	if (!own) {
		e->sent += from.n;
		return from.n;
	}
	buf_consume(&e->out, from.n);
	if (e->throttled && e->out.n == 0)
		loop_defer(e->state->loop, &e->task);
	return from.n;
}

/* libcurl's silent resend on a fresh connection starts the body anew. */
static int on_seek(void *arg, curl_off_t offset, int origin)
{
	struct exchange *e = arg;
	if (origin != SEEK_SET || offset != 0 || e->call.streamed || e->parts_gone)
		return CURL_SEEKFUNC_CANTSEEK;
	e->sent = e->body_at;
	return CURL_SEEKFUNC_OK;
}

/* --- the head --- */

static bool skipped(enum http_header_id id)
{
	return id == HTTP_H_CONTENT_LENGTH || id == HTTP_H_TRANSFER_ENCODING || id == HTTP_H_CONNECTION ||
		id == HTTP_H_EXPECT;
}

static void add_header(struct exchange *e, const char *line)
{
	struct curl_slist *more = curl_slist_append(e->headers, line);
	if (more)
		e->headers = more;
}

/* An empty value is written "name;", and "name:" takes away what libcurl would add. */
static void add_headers(struct exchange *e, const struct http_head *h)
{
	struct buf line;
	buf_init(&line, CURL_HEAD_MAX);
	for (unsigned i = 0; i < h->count; i++) {
		const struct http_header *x = &h->headers[i];
		if (skipped(http_header_id(x->name)))
			continue;
		buf_clear(&line);
		buf_add(&line, x->name);
		buf_add(&line, x->value.n ? STR(": ") : STR(";"));
		buf_add(&line, x->value);
		if (buf_addc(&line, '\0'))
			add_header(e, line.p);
	}
	add_header(e, "Expect:");
	if (!http_header_has(h, HTTP_H_ACCEPT))
		add_header(e, "Accept:");
	if (!http_header_has(h, HTTP_H_CONTENT_TYPE))
		add_header(e, "Content-Type:");
	buf_free(&line);
	curl_easy_setopt(e->easy, CURLOPT_HTTPHEADER, e->headers);
}

static void set_method(struct exchange *e, const struct http_head *h, uint64_t length)
{
	char name[32];
	snprintf(name, sizeof(name), "%.*s", STR_FMT(h->method_text));
	if (h->method == HTTP_HEAD) {
		curl_easy_setopt(e->easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (length || e->call.streamed || h->method == HTTP_POST) {
		curl_easy_setopt(e->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(e->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
		curl_easy_setopt(e->easy, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(e->easy, CURLOPT_READDATA, e);
		curl_easy_setopt(e->easy, CURLOPT_SEEKFUNCTION, on_seek);
		curl_easy_setopt(e->easy, CURLOPT_SEEKDATA, e);
	}
	curl_easy_setopt(e->easy, CURLOPT_CUSTOMREQUEST, name);
}

static bool set_url(struct exchange *e, struct str target)
{
	const struct origin *o = e->call.origin;
	bool six = str_chr(o->host, ':') >= 0;
	struct buf url;
	buf_init(&url, TARGET_MAX + 1024);
	buf_addf(&url, "%s://%s%.*s%s:%u", o->tls ? "https" : "http", six ? "[" : "", STR_FMT(o->host),
		 six ? "]" : "", o->port);
	buf_add(&url, target);
	buf_addc(&url, '\0');
	bool ok = !url.failed && curl_easy_setopt(e->easy, CURLOPT_URL, url.p) == CURLE_OK;
	buf_free(&url);
	return ok;
}

/* The head may lie in several parts; the body goes on wherever it ends. */
static bool head_gather(struct exchange *e, struct buf *head)
{
	while (head->n < e->total && head->n < CURL_HEAD_MAX) {
		struct str part = str_head(part_at(e, head->n), CURL_HEAD_MAX - head->n);
		if (!buf_add(head, part))
			return false;
		if (str_has(buf_str(head), STR("\r\n\r\n")))
			return true;
	}
	return false;
}

static bool head_set(struct exchange *e, struct str text)
{
	struct http_parser parser = { 0 };
	struct http_head *h = &e->state->head;
	uint64_t length = 0;
	if (http_request_parse(&parser, text, &http_response_limits, h) != HTTP_DONE)
		return false;
	e->body_at = e->sent = h->size;
	length = e->total - e->body_at;
	if (e->call.streamed && !str_u64(http_header(h, HTTP_H_CONTENT_LENGTH), &length))
		return false;
	if (!set_url(e, h->target))
		return false;
	set_method(e, h, length);
	add_headers(e, h);
	return true;
}

bool curl_request_set(struct exchange *e)
{
	struct buf head;
	buf_init(&head, CURL_HEAD_MAX);
	bool ok = head_gather(e, &head) && head_set(e, buf_str(&head));
	buf_free(&head);
	if (!ok)
		curl_judge(e, TRANSPORT_PROTOCOL, "the request cannot be carried by libcurl");
	return ok;
}
