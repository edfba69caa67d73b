/*
 * request_write.c: a head of our own, and the caller's body with a few bytes spliced in.
 *
 * Nothing of the caller's headers goes on but what the body needs (its content type), so
 * no credential, cookie or address of theirs can reach a provider. The body is never
 * copied: the parts are slices of it around the edits, in order of their place.
 */
#include "upstream/request_write.h"

#include <string.h>

#include "base/buf.h"
#include "core/dialect.h"
#include "core/endpoint.h"
#include "upstream/raw_predict.h"

enum { EDITS_MAX = 6, PARTS_MAX = 2 * EDITS_MAX + 2, HEAD_MAX = 16 * 1024 };

/* --- the head --- */

static void add_target_path(struct buf *b, const struct target *target, struct str path)
{
	const struct provider *p = target->provider;
	bool azure = (p->quirks & QUIRK_AZURE_DEPLOYMENTS) && !str_empty(target->model);
	bool deployments = azure && !str_starts(path, STR("/responses"));	/* there the body names the deployment */
	bool rerank_root = (p->quirks & QUIRK_RERANK_ROOT) && str_eq(path, STR("/rerank"));
	if (deployments) {
		buf_add(b, STR("/openai/deployments/"));
		buf_add(b, target->model);
	} else if (!rerank_root) {
		buf_add(b, p->base_path);
	}
	buf_add(b, path);
}

static void add_query(struct buf *b, const struct txn *t, const struct provider *p, struct str path)
{
	char mark = str_chr(path, '?') >= 0 ? '&' : '?';
	if (!str_empty(t->req->query) && t->endpoint->body == ENDPOINT_NO_BODY) {
		buf_addc(b, mark);
		buf_add(b, t->req->query);
		mark = '&';
	}
	if (!str_empty(p->api_version))
		buf_addf(b, "%capi-version=%.*s", mark, STR_FMT(p->api_version));
}

static void add_header(struct buf *b, struct str name, struct str value)
{
	buf_add(b, name);
	buf_add(b, STR(": "));
	buf_add(b, value);
	buf_add(b, STR("\r\n"));
}

static bool is_messages(struct str path)
{
	return str_starts(path, STR("/messages"));
}

/* What Anthropic's format needs of a head; the caller's own version and betas, where it says any. */
static void add_messages_headers(struct buf *b, const struct txn *t, bool versioned)
{
	struct str version = t->req->header[RH_ANTHROPIC_VERSION], beta = t->req->header[RH_ANTHROPIC_BETA];
	if (versioned)
		add_header(b, STR("anthropic-version"), str_empty(version) ? STR("2023-06-01") : version);
	if (!str_empty(beta))
		add_header(b, STR("anthropic-beta"), beta);
}

static void add_body_headers(struct buf *b, const struct txn *t, size_t length)
{
	const struct call *call = t->call;
	if (t->endpoint->body == ENDPOINT_NO_BODY)
		return;
	if (!str_empty(call->content_type))
		add_header(b, STR("content-type"), call->content_type);
	else
		add_header(b, STR("content-type"), STR("application/json"));
	if (call->upload && !t->req->body_length_known) {
		buf_add(b, STR("transfer-encoding: chunked\r\n"));
		return;
	}
	buf_add(b, STR("content-length: "));
	buf_addd(b, (int64_t)(call->upload ? t->req->body_length : length));
	buf_add(b, STR("\r\n"));
}

static struct str write_head(struct txn *t, const struct target *target, enum http_method method, struct str path, size_t length)
{
	static const char *const names[] = { [HTTP_GET] = "GET ", [HTTP_HEAD] = "GET ", [HTTP_POST] = "POST ",
					     [HTTP_DELETE] = "DELETE " };
	const struct provider *p = target->provider;
	struct buf b = BUF_INIT(HEAD_MAX);
	buf_add(&b, str_c(names[method]));
	add_target_path(&b, target, path);
	add_query(&b, t, p, path);
	buf_add(&b, STR(" HTTP/1.1\r\nhost: "));
	buf_add(&b, p->origin.host_header);
	buf_add(&b, STR("\r\n"));
	if (is_messages(path) || (p->quirks & QUIRK_RAW_PREDICT))
		add_messages_headers(&b, t, !(p->quirks & QUIRK_RAW_PREDICT));
	add_body_headers(&b, t, length);
	buf_add(&b, t->stream ? STR("accept: text/event-stream\r\n") : STR("accept: */*\r\n"));
	add_header(&b, STR("user-agent"), STR("weir/" WEIR_VERSION));
	for (unsigned i = 0; i < p->n_headers; i++)
		add_header(&b, p->headers[i].name, p->headers[i].value);
	buf_add(&b, STR("\r\n"));
	struct str head = arena_copy(&t->arena, buf_str(&b));
	buf_free(&b);
	return head;
}

/* --- the body --- */

struct splice {
	struct call_edit edits[EDITS_MAX];
	unsigned n;
};

static void add_edit(struct splice *s, struct call_edit e)
{
	unsigned i = s->n++;
	for (; i > 0 && s->edits[i - 1].at > e.at; i--)
		s->edits[i] = s->edits[i - 1];
	s->edits[i] = e;
}

static struct str model_text(struct txn *t, struct str model)
{
	if (t->call->json == NULL)
		return model;	/* a form's field stands as it is */
	struct buf b = BUF_INIT(4096);
	buf_add_json(&b, model);
	struct str quoted = arena_copy(&t->arena, buf_str(&b));
	buf_free(&b);
	return quoted;
}

static void collect_edits(struct txn *t, const struct target *target, struct splice *s, bool *asks_usage)
{
	const struct call *call = t->call;
	unsigned quirks = target->provider->quirks;
	bool raw = call->model_length && raw_predict_is(target, call->path);
	if (raw)
		add_edit(s, raw_predict_edit(call));
	if ((!raw || str_ends(call->path, STR("/count_tokens"))) && call->model_length && !str_empty(target->model) && !str_eq(target->model, call->model))
		add_edit(s, (struct call_edit){ call->model_at, call->model_length, model_text(t, target->model) });
	*asks_usage = call->stream && !call->usage_asked && !(quirks & QUIRK_NO_STREAM_OPTIONS) &&
		      !str_empty(call->ask_usage.insert);
	if (*asks_usage)
		add_edit(s, call->ask_usage);
	if (!str_empty(call->resume.insert))
		add_edit(s, call->resume);
	if ((quirks & QUIRK_MAX_TOKENS_ONLY) && !str_empty(call->max_tokens.insert))
		add_edit(s, call->max_tokens);
}

static void add_part(struct transport_call *out, struct iovec *parts, struct str s)
{
	if (s.n)
		parts[out->n_parts++] = (struct iovec){ (void *)(uintptr_t)s.p, s.n };
}

static size_t length_after(struct str body, const struct splice *s)
{
	size_t n = body.n;
	for (unsigned i = 0; i < s->n; i++)
		n = n - s->edits[i].remove + s->edits[i].insert.n;
	return n;
}

/* Some formats name the model in the path. */
static struct str relayed_path(struct txn *t, const struct target *target)
{
	const struct dialect *d = t->endpoint->dialect;
	struct buf b = BUF_INIT(HEAD_MAX);
	bool raw = raw_predict_is(target, t->call->path);
	if (!raw && (t->endpoint->route != ROUTE_PATH || !d->relay_path))
		return t->call->path;
	if (raw)
		raw_predict_path(target, t->call, &b);
	else
		d->relay_path(t->call->path, str_empty(target->model) ? t->call->model : target->model, &b);
	struct str path = arena_copy(&t->arena, buf_str(&b));
	buf_free(&b);
	return path;
}

static void write_relayed(struct txn *t, const struct target *target, struct transport_call *out, struct iovec *parts, bool *asks_usage)
{
	const struct call *call = t->call;
	struct splice s = { .n = 0 };
	size_t at = 0;
	if (!call->upload)
		collect_edits(t, target, &s, asks_usage);
	add_part(out, parts, write_head(t, target, out->method, relayed_path(t, target), length_after(call->body, &s)));
	for (unsigned i = 0; i < s.n; i++) {
		add_part(out, parts, str_of(call->body.p + at, s.edits[i].at - at));
		add_part(out, parts, s.edits[i].insert);
		at = s.edits[i].at + s.edits[i].remove;
	}
	add_part(out, parts, str_skip(call->body, at));
}

static struct iovec *begin_call(struct txn *t, const struct target *target, struct transport_call *out)
{
	out->origin = &target->provider->origin;
	out->method = t->method == HTTP_HEAD ? HTTP_GET : t->method;
	struct iovec *parts = arena_array(&t->arena, struct iovec, PARTS_MAX);
	out->parts = parts;
	out->n_parts = 0;
	out->streamed = t->call->upload;
	return parts;
}

void request_write(struct txn *t, const struct target *target, struct transport_call *out, bool *asks_usage)
{
	*asks_usage = false;
	t->dropped = STR_NONE;
	write_relayed(t, target, out, begin_call(t, target, out), asks_usage);
}

void request_write_translated(struct txn *t, const struct target *target, struct str path, struct str body,
			      struct transport_call *out)
{
	struct iovec *parts = begin_call(t, target, out);
	add_part(out, parts, write_head(t, target, out->method, path, body.n));
	add_part(out, parts, body);
}
