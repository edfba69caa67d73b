/*
 * wanted.c: which requests are looked up, kept and shared.
 */
#include "cache/cached.h"
#include "core/call.h"
#include "core/endpoint.h"
#include "core/plan.h"
#include "core/snapshot.h"
#include "store/worker_store.h"
#include "wire/json_cursor.h"
#include "wire/json_scan.h"

/* Zero, in whatever way it is spelled. */
static bool is_zero(struct str number)
{
	bool digits = false;
	for (size_t i = 0; i < number.n && number.p[i] != 'e' && number.p[i] != 'E'; i++) {
		if (number.p[i] >= '1' && number.p[i] <= '9')
			return false;
		digits |= number.p[i] == '0';
	}
	return digits && json_type(number) == JSON_NUMBER;
}

static struct str member(const struct call *call, struct str key)
{
	const struct json_member *m = json_scan_find(call->json, call->body, key);
	return m ? str_of(call->body.p + m->value_at, m->value_length) : STR_NONE;
}

/* What writes no text has nothing to draw lots for. */
static bool is_deterministic(const struct txn *t)
{
	struct str google = json_get(member(t->call, STR("generationConfig")), STR("temperature"));
	return t->endpoint->good != ANSWER_TEXT || is_zero(member(t->call, STR("temperature"))) || is_zero(google);
}

/* A plugin's word, the key's, the model's, and where operators leave it to callers the caller's. */
static bool is_wanted(const struct txn *t, const struct cache_wish *w)
{
	const struct cache_settings *s = &t->snapshot->settings.cache;
	bool on = t->key && t->key->cache ? t->key->cache > 0 : t->plan->model->policy.cache;
	if (t->cache_wish)
		return t->cache_wish > 0;
	return (on || (s->on_request && w->use)) && (!s->deterministic_only || is_deterministic(t));
}

bool cache_is_wanted(const struct txn *t, const struct cache_wish *w)
{
	static const char *const endpoints[] = { "chat", "completions", "responses", "messages", "generate_content", "embeddings", "embed_content",
						 "rerank", "moderations" };
	if (!worker_store() || t->comparison || t->answered_here || t->method != HTTP_POST || !t->call->json || t->call->upload || !is_wanted(t, w))
		return false;
	for (size_t i = 0; i < array_len(endpoints); i++)
		if (str_eq(str_c(t->endpoint->name), str_c(endpoints[i])))
			return true;
	return false;
}

/* Not where each wants its own, or calls of tools are at stake. */
bool cache_is_shared(const struct txn *t, const struct cached *c)
{
	const struct cache_wish *w = &c->wish;
	bool tools = member(t->call, STR("tools")).n || member(t->call, STR("functions")).n;
	return t->snapshot->settings.cache.coalesce && !w->no_cache && !w->only && w->stale_us == INT64_MAX && (c->worth.tools || !tools);
}
