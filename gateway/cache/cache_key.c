/*
 * cache_key.c: one canonical text, hashed.
 */
#include "cache/cache_key.h"

#include <stdlib.h>

#include "cache/batch.h"
#include "cache/cache_key_parts.h"
#include "cache/cached.h"
#include "core/call.h"
#include "core/endpoint.h"
#include "core/plan.h"
#include "core/snapshot.h"
#include "wire/json_scan.h"

enum { BESIDES = 2048 };	/* bytes that a question usually has beside its body: a guess */

/* Behind the quote that ends the string; `from` is in it. */
static size_t string_end(struct str v, size_t from)
{
	const char *quote;
	while ((quote = memchr(v.p + from, '"', v.n - from))) {
		const char *back = quote;
		while (back[-1] == '\\')	/* the quote that began it is no backslash */
			back--;
		from = (size_t)(quote - v.p) + 1;
		if ((quote - back) % 2 == 0)
			return from;
	}
	return v.n;
}

/* A value without the white space between its tokens. */
static void add_value(struct buf *b, struct str v)
{
	size_t from = 0, i = 0;
	while (i < v.n) {
		char c = v.p[i++];
		if (c == '"') {
			i = string_end(v, i);
		} else if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
			buf_add(b, str_of(v.p + from, i - 1 - from));
			from = i;
		}
	}
	buf_add(b, str_skip(v, from));
}

static _Thread_local const char *sorted_body;

static int by_key(const void *a, const void *b)
{
	const struct json_member *x = *(const struct json_member *const *)a, *y = *(const struct json_member *const *)b;
	size_t n = x->key_length < y->key_length ? x->key_length : y->key_length;
	int order = memcmp(sorted_body + x->key_at, sorted_body + y->key_at, n);
	if (!order)
		order = (x->key_length > y->key_length) - (x->key_length < y->key_length);
	return order ? order : (x->key_at > y->key_at) - (x->key_at < y->key_at);	/* of twins the last one counts */
}

/* The body says `stream` by itself; what is asked of it stands in the key apart. */
static bool is_left_out(struct str key)
{
	return str_eq(key, STR("\"stream\"")) || str_eq(key, STR("\"stream_options\""));
}

/* All members but `apart`. */
static void add_body(struct txn *t, const struct json_member *apart, struct buf *b)
{
	const struct json_scan *json = t->call->json;
	const struct json_member **all = arena_array(&t->arena, const struct json_member *, json->n_members + 1);
	struct str body = t->call->body;
	for (unsigned i = 0; i < json->n_members; i++)
		all[i] = &json->members[i];
	sorted_body = body.p;
	qsort(all, json->n_members, sizeof(struct json_member *), by_key);
	for (unsigned i = 0; i < json->n_members; i++) {
		struct str key = str_of(body.p + all[i]->key_at, all[i]->key_length);
		if (is_left_out(key) || all[i] == apart)
			continue;
		buf_add_part(b, key);
		add_value(b, str_of(body.p + all[i]->value_at, all[i]->value_length));
		buf_addc(b, '\n');
	}
}

static void add_scope(const struct txn *t, struct buf *b)
{
	int scope = t->snapshot->settings.cache.scope;
	struct str key = t->key ? t->key->name : STR_NONE, team = t->key ? t->key->team : STR_NONE;
	buf_addd(b, scope == CACHE_TEAM && str_empty(team) ? CACHE_KEY : scope);
	if (scope == CACHE_TEAM && !str_empty(team))
		buf_add_part(b, team);
	else if (scope != CACHE_GLOBAL)
		buf_add_part(b, key);
}

/* What operators and callers hold apart. */
static void add_namespaces(const struct txn *t, const struct cache_wish *wish, struct buf *b)
{
	struct str models = t->plan->model->policy.cache_namespace;
	buf_add_part(b, models.n ? models : t->snapshot->settings.cache.ns);
	buf_add_part(b, t->key ? t->key->cache_namespace : STR_NONE);
	buf_add_part(b, wish->ns);
}

/* Where the path names the model and what is asked of it, the body does not. */
static void add_path(const struct txn *t, struct buf *b)
{
	ptrdiff_t colon = t->endpoint->route == ROUTE_PATH ? str_rchr(t->call->path, ':') : -1;
	struct str verb = colon < 0 ? STR_NONE : str_skip(t->call->path, (size_t)colon);
	buf_add_part(b, t->call->model);
	buf_add_part(b, str_eq(verb, STR(":streamGenerateContent")) ? STR(":generateContent") : verb);
}

/* Where the caller's own credential is sent on, its account decides what is answered. */
static void add_credential(const struct txn *t, struct buf *b)
{
	static const enum request_header headers[] = { RH_AUTHORIZATION, RH_API_KEY, RH_GOOG_API_KEY };
	bool own = false;
	for (unsigned i = 0; i < t->plan->n; i++)
		own |= t->plan->entries[i].target->provider->caller_credential;
	for (size_t i = 0; own && i < array_len(headers); i++)
		buf_add_part(b, t->req->header[headers[i]]);
	if (own)
		buf_add_part(b, t->req->query);
}

void cache_key_name(struct str id, char name[CACHE_KEY_SIZE])
{
	static const struct str before = STR_INIT("answer/");
	id = str_head(id, CACHE_KEY_SIZE - 1 - before.n);
	memcpy(name, before.p, before.n);
	memcpy(name + before.n, id.p, id.n);
	name[before.n + id.n] = '\0';
}

static void add_question(struct txn *t, const struct cache_wish *wish, const struct json_member *apart, struct buf *b)
{
	static const enum request_header headers[] = { RH_ANTHROPIC_BETA, RH_ANTHROPIC_VERSION, RH_WEIR_PROVIDER, RH_WEIR_FALLBACKS };
	bool both = cache_has_both_forms(t);
	buf_reserve(b, t->call->body.n + BESIDES);
	buf_add(b, STR("weir cache 6"));
	buf_add_part(b, str_c(t->endpoint->name));
	buf_addd(b, !both && t->stream);
	buf_addd(b, !both && t->call->usage_asked);
	add_scope(t, b);
	add_namespaces(t, wish, b);
	add_path(t, b);
	cache_key_model(t, b);
	for (size_t i = 0; i < array_len(headers); i++)
		buf_add_part(b, t->req->header[headers[i]]);
	add_credential(t, b);
	add_body(t, apart, b);
}

/* False: what is cut would be another's question, too. */
static bool digest_of(const struct buf *b, uint8_t digest[DIGEST_SIZE])
{
	digest_sha256(buf_str(b), digest);
	return !b->failed;
}

bool cache_key(struct txn *t, const struct cache_wish *wish, uint8_t digest[DIGEST_SIZE])
{
	struct buf b = BUF_INIT(SIZE_MAX);
	add_question(t, wish, NULL, &b);
	bool whole = digest_of(&b, digest);
	buf_free(&b);
	return whole;
}

bool cache_key_items(struct txn *t, const struct cache_wish *wish, const struct batch *batch, uint8_t digests[][DIGEST_SIZE])
{
	struct buf b = BUF_INIT(SIZE_MAX);
	bool whole = true;
	add_question(t, wish, batch->member, &b);
	buf_add_part(&b, STR("item"));	/* no member's name: these stand in quotes */
	size_t before = b.n;
	for (unsigned i = 0; i < batch->n && whole; i++) {
		b.n = before;
		add_value(&b, batch->items[i]);
		whole = digest_of(&b, digests[i]);
	}
	buf_free(&b);
	return whole;
}
