/*
 * cache.c: look-up on the way in, a recording sink on the way out, and an answer that is over its
 * time where nobody else answers.
 */
#include "cache/cache.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cache/cache_key.h"
#include "cache/entry.h"
#include "cache/wish.h"
#include "cache/worth.h"
#include "core/call.h"
#include "core/endpoint.h"
#include "core/families.h"
#include "core/plan.h"
#include "core/snapshot.h"
#include "store/worker_store.h"
#include "wire/json_cursor.h"
#include "wire/json_scan.h"

struct cached {
	struct sink sink;		/* records; first member of what sinks see */
	struct txn *t;
	uint32_t generation;
	struct store_call call;
	bool asking, parked;
	char key[CACHE_KEY_SIZE];
	struct cache_wish wish;
	int64_t ttl_us, stale_us;	/* kept for both together */
	struct worth worth;
	bool usage_told, spoiled, whole;
	struct buf old;			/* what was found and is over its time */
	struct buf bytes;		/* what was found, then what is recorded */
};

static void free_cached(struct txn *t)
{
	if (!t->cached)
		return;
	buf_free(&t->cached->bytes);
	buf_free(&t->cached->old);
	free(t->cached);
	t->cached = NULL;
}

/* --- recording --- */

static void keep(struct cached *c)
{
	const struct txn *t = c->t;
	const struct entry e = { .cost = t->cost, .usage = t->usage, .stream = c->worth.stream, .usage_told = c->usage_told };
	bool good = !c->spoiled && !t->unrecorded && !t->odd_end && t->answer.status == 200;
	if (good && worth_keeping(&c->worth, entry_body(&c->bytes)) && entry_seal(&c->bytes, &e))
		store_put(worker_store(), NULL, str_c(c->key), buf_str(&c->bytes), (c->ttl_us + c->stale_us) / MS_US);
}

/* Clients often hang up behind it, before the connection's last bytes. */
static bool is_last_event(struct str raw)
{
	static const struct str last[] = { STR_INIT("data: [DONE]"), STR_INIT("data:[DONE]"), STR_INIT("event: message_stop"),
					   STR_INIT("event: response.completed") };
	for (size_t i = 0; i < array_len(last); i++)
		if (str_starts(raw, last[i]))
			return true;
	return false;
}

static void record(struct cached *c, const struct delta *d)
{
	bool comment = d->kind == DELTA_EVENT && str_starts(d->raw, STR(": keep-alive"));	/* weir's own */
	c->whole |= d->kind == DELTA_END || (d->kind == DELTA_EVENT && is_last_event(d->raw));
	switch (d->kind) {
	case DELTA_HEAD:
		entry_begin(&c->bytes, c->t->answer.content_type);
		break;
	case DELTA_EVENT:
	case DELTA_BYTES:
		if (!comment && !buf_add(&c->bytes, d->raw)) {
			c->spoiled = true;	/* too large: let go of it at once */
			buf_free(&c->bytes);
		}
		break;
	case DELTA_END:
		break;
	}
}

static enum sink_result take(struct sink *s, struct delta *d)
{
	struct cached *c = container_of(s, struct cached, sink);
	enum sink_result r = sink_pass(s, d);
	if (r == SINK_TAKEN && !c->spoiled)
		record(c, d);
	return r;
}

/* --- replaying --- */

static void emit(struct txn *t, enum delta_kind kind, struct str raw)
{
	struct delta d = { .kind = kind, .raw = raw, .content = true };
	t->sinks->take(t->sinks, &d);
}

static void replay(struct txn *t, const struct entry *e, const char *state)
{
	t->cache_state = state;
	t->cost_known = true;
	t->usage = e->usage;
	t->answer.status = 200;
	t->answer.content_type = e->type;
	t->answer.headers = NULL;
	t->answer.n_headers = 0;
	t->answer.event_stream = t->stream;
	t->answer.length = t->stream ? ANSWER_CHUNKED : (int64_t)e->body.n;
	t->first_content_us = loop_now(t->loop);
	families_cache(t->live_model, state, e->cost);
	emit(t, DELTA_HEAD, STR_NONE);
	t->answer.content = true;
	emit(t, t->stream ? DELTA_EVENT : DELTA_BYTES, e->body);
	emit(t, DELTA_END, STR_NONE);
	txn_end(t);
}

bool cache_stale(struct txn *t)
{
	struct cached *c = t->cached;
	struct entry e;
	int64_t over = c && c->stale_us < c->wish.stale_us ? c->stale_us : c ? c->wish.stale_us : 0;
	if (!c || !entry_read(buf_str(&c->old), &e) || e.age_us - c->ttl_us > over)
		return false;
	c->spoiled = true;		/* it is not kept anew */
	t->error = (struct error){ .kind = ERR_NONE };
	t->live_target = NULL;		/* none of those that were tried */
	replay(t, &e, "stale");
	return true;
}

/* --- looking up --- */

static void on_value(struct store_call *call)
{
	struct cached *c = container_of(call, struct cached, call);
	c->asking = false;
	if (call->result == STORE_OK)	/* readable now only */
		buf_add(&c->bytes, call->value);
	if (c->parked)
		txn_resume(c->t, c->generation);
}

static void cancel(struct txn *t)
{
	struct cached *c = t->cached;
	if (c && c->asking)
		store_cancel(worker_store(), &c->call);
	if (c)
		c->asking = c->parked = false;
}

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

static bool is_wanted(const struct txn *t)
{
	const struct cache_settings *s = &t->snapshot->settings.cache;
	if (t->cache_wish)
		return t->cache_wish > 0;
	return t->plan->model->policy.cache && (!s->deterministic_only || is_deterministic(t));
}

static bool has_part(const struct txn *t)
{
	static const char *const endpoints[] = { "chat", "completions", "responses", "messages", "generate_content", "embeddings", "embed_content",
						 "rerank", "moderations" };
	if (!worker_store() || t->comparison || t->method != HTTP_POST || !t->call->json || t->call->upload || !is_wanted(t))
		return false;
	for (size_t i = 0; i < array_len(endpoints); i++)
		if (str_eq(str_c(t->endpoint->name), str_c(endpoints[i])))
			return true;
	return false;
}

/* Kept over its time only where the model's ladder may ask for it. */
static bool has_stale(const struct model *m)
{
	for (unsigned i = 0; i < m->n_ladder; i++)
		if (m->ladder[i] == LADDER_STALE)
			return true;
	return false;
}

static struct cached *make(struct txn *t)
{
	const struct cache_settings *s = &t->snapshot->settings.cache;
	const struct model *m = t->plan->model;
	struct cached *c = mem_alloc(sizeof(*c));
	uint8_t digest[DIGEST_SIZE];
	char hex[2 * DIGEST_SIZE + 1];
	*c = (struct cached){ .t = t, .generation = t->generation, .wish = cache_wish(t->req), .usage_told = t->call->usage_asked };
	c->worth = (struct worth){ .endpoint = t->endpoint, .stream = t->stream, .tools = s->tools, .limited = t->call->max_output > 0 };
	c->ttl_us = m->policy.cache_ttl_us ? m->policy.cache_ttl_us : s->ttl_us;
	c->stale_us = has_stale(m) ? s->stale_us : 0;
	buf_init(&c->bytes, s->max_entry + ENTRY_OVERHEAD);
	cache_key(t, digest);
	digest_to_hex(digest, hex);
	t->cache_id = arena_copy(&t->arena, str_of(hex, 2 * DIGEST_SIZE));
	cache_key_name(t->cache_id, c->key);
	return c;
}

static enum stage_result bypass(struct txn *t)
{
	families_cache(t->live_model, "bypass", 0);
	t->cache_state = "bypass";
	t->cache_id = STR_NONE;
	free_cached(t);
	return STAGE_NEXT;
}

static enum stage_result miss(struct txn *t, const char *why)
{
	struct cached *c = t->cached;
	families_cache(t->live_model, "miss", 0);
	families_cache_miss(t->live_model, why);
	if (c->wish.only)
		return txn_error(t, ERR_TIMEOUT, "There is no kept answer to this, and only a kept one was wanted.");
	c->old = c->bytes;
	buf_init(&c->bytes, c->old.max);
	t->cache_state = "miss";
	c->sink.take = take;
	txn_lay_sink(t, &c->sink);
	return STAGE_NEXT;
}

static const char *why_missed(const struct store_call *call)
{
	return call->result == STORE_OK ? "broken" : call->result == STORE_MISSING ? "absent" : "store";
}

static enum stage_result decide(struct txn *t)
{
	struct cached *c = t->cached;
	struct entry e;
	t->cancel = NULL;
	c->parked = false;
	if (c->call.result != STORE_OK || !entry_read(buf_str(&c->bytes), &e))
		return miss(t, why_missed(&c->call));
	if (e.age_us > c->ttl_us || e.age_us > c->wish.max_age_us)
		return miss(t, "expired");
	replay(t, &e, "hit");
	return STAGE_ANSWERED;
}

static enum stage_result enter(struct txn *t)
{
	if (!t->cached) {
		if (!has_part(t))
			return STAGE_NEXT;
		t->cached = make(t);
		if (t->cached->wish.no_store)
			return bypass(t);
		if (t->cached->wish.no_cache)
			return miss(t, "asked");
		t->cached->asking = true;
		t->cached->call = (struct store_call){ .done = on_value };
		store_get(worker_store(), &t->cached->call, str_c(t->cached->key));
	}
	if (t->cached->asking) {
		t->cached->parked = true;
		t->cancel = cancel;
		return STAGE_PARKED;
	}
	return decide(t);
}

static void leave(struct txn *t)
{
	struct cached *c = t->cached;
	if (!c)
		return;
	if (c->asking)
		store_cancel(worker_store(), &c->call);
	if (c->whole && !t->cut && (t->error.kind == ERR_NONE || t->error.kind == ERR_CALLER_GONE))
		keep(c);	/* its cost is known now */
	free_cached(t);
}

const struct stage cache_stage = { .name = "cache", .enter = enter, .leave = leave };
