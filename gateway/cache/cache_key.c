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

/* Behind the quote that ends the string, as far as `v` goes; `from` is in it. */
static size_t string_end(struct str v, size_t from, bool *in_string)
{
	const char *quote;
	while ((quote = memchr(v.p + from, '"', v.n - from))) {
		const char *back = quote;
		while (back[-1] == '\\')	/* the quote that began it is no backslash */
			back--;
		from = (size_t)(quote - v.p) + 1;
		*in_string = (quote - back) % 2;
		if (!*in_string)
			return from;
	}
	return v.n;
}

/* A value from `at` on, without the white space between its tokens. */
static void add_value(struct buf *b, struct str v, size_t at, bool *in_string)
{
	size_t from = at;
	while (at < v.n) {
		char c = *in_string ? '"' : v.p[at++];
		if (c == '"') {
			*in_string = true;
			at = string_end(v, at, in_string);
		} else if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
			buf_add(b, str_of(v.p + from, at - 1 - from));
			from = at;
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
	return order;
}

/* The body says `stream` by itself; what is asked of it stands in the key apart. */
static bool is_left_out(struct str key)
{
	return str_eq(key, STR("\"stream\"")) || str_eq(key, STR("\"stream_options\""));
}

/* The way through a body's members. */
struct walk {
	struct str body;
	const struct json_member **members;
	unsigned n, i;
	size_t at;		/* in the value of this one */
	bool in_string;
};

/* All members but `apart`. */
static struct walk walk_begin(struct txn *t, const struct json_member *apart)
{
	const struct json_scan *json = t->call->json;
	struct walk w = { .body = t->call->body, .members = arena_array(&t->arena, const struct json_member *, json->n_members + 1) };
	for (unsigned i = 0; i < json->n_members; i++) {
		const struct json_member *m = &json->members[i];
		if (m != apart && !is_left_out(str_of(w.body.p + m->key_at, m->key_length)))
			w.members[w.n++] = m;
	}
	sorted_body = w.body.p;
	qsort(w.members, w.n, sizeof(struct json_member *), by_key);
	return w;
}

/* On by at most `most` bytes of values. True: that was the last. */
static bool walk_on(struct walk *w, size_t most, struct buf *b)
{
	while (w->i < w->n && most > 0) {
		const struct json_member *m = w->members[w->i];
		size_t from = w->at;
		if (from == 0)
			buf_add_part(b, str_of(w->body.p + m->key_at, m->key_length));
		w->at = m->value_length - from < most ? m->value_length : from + most;
		most -= w->at - from;
		add_value(b, str_of(w->body.p + m->value_at, w->at), from, &w->in_string);
		if (w->at < m->value_length)
			continue;
		buf_addc(b, '\n');
		w->at = 0;
		w->i++;
	}
	return w->i == w->n;
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

/* All but its body. */
static void add_surroundings(struct txn *t, const struct cache_wish *wish, struct buf *b)
{
	static const enum request_header headers[] = { RH_ANTHROPIC_BETA, RH_ANTHROPIC_VERSION, RH_WEIR_PROVIDER, RH_WEIR_FALLBACKS };
	bool both = cache_has_both_forms(t);
	size_t turn = t->call->body.n < CACHE_KEY_TURN ? t->call->body.n : CACHE_KEY_TURN;
	buf_reserve(b, turn + BESIDES);
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
}

struct cache_keying {
	struct walk walk;
	struct buf text;
	struct digest *before;	/* of the text that is gone; NULL: none is */
};

struct cache_keying *cache_keying_begin(struct txn *t, const struct cache_wish *wish)
{
	struct cache_keying *k = arena_new(&t->arena, struct cache_keying);
	k->walk = walk_begin(t, NULL);
	buf_init(&k->text, SIZE_MAX);
	add_surroundings(t, wish, &k->text);
	return k;
}

bool cache_keying_on(struct cache_keying *k)
{
	bool last = walk_on(&k->walk, CACHE_KEY_TURN, &k->text);
	if (last || k->text.failed)
		return true;
	if (!k->before)
		k->before = digest_new();
	digest_add(k->before, buf_str(&k->text));
	buf_clear(&k->text);
	return false;
}

bool cache_keying_end(struct cache_keying *k, uint8_t digest[DIGEST_SIZE])
{
	bool whole = !k->text.failed;	/* what is cut would be another's question, too */
	if (k->before) {
		digest_add(k->before, buf_str(&k->text));
		digest_end(k->before, digest);
	} else {
		digest_sha256(buf_str(&k->text), digest);
	}
	buf_free(&k->text);
	return whole;
}

bool cache_key_items(struct txn *t, const struct cache_wish *wish, const struct batch *batch, uint8_t digests[][DIGEST_SIZE])
{
	struct buf b = BUF_INIT(SIZE_MAX);
	struct walk w = walk_begin(t, batch->member);
	add_surroundings(t, wish, &b);
	walk_on(&w, SIZE_MAX, &b);
	buf_add_part(&b, STR("item"));	/* no member's name: these stand in quotes */
	size_t before = b.n;
	for (unsigned i = 0; i < batch->n; i++) {
		bool in_string = false;
		b.n = before;
		add_value(&b, batch->items[i], 0, &in_string);
		digest_sha256(buf_str(&b), digests[i]);
	}
	bool whole = !b.failed;
	buf_free(&b);
	return whole;
}
