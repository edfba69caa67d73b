/*
 * cache.c: look-up on the way in, who asks and who follows, and an answer that is over its time where nobody else
 * answers. lead.c keeps what comes, follow.c gives what somebody else asked for.
 */
#include "cache/cache.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cache/cached.h"
#include "cache/entry.h"
#include "core/call.h"
#include "core/endpoint.h"
#include "core/families.h"
#include "core/plan.h"
#include "core/snapshot.h"
#include "store/worker_store.h"
#include "wire/json_cursor.h"
#include "wire/json_scan.h"

static void free_cached(struct txn *t)
{
	if (!t->cached)
		return;
	buf_free(&t->cached->found);
	free(t->cached);
	t->cached = NULL;
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
	if (!c || !entry_read(buf_str(&c->found), &e) || e.age_us - c->ttl_us > over)
		return false;
	c->spoiled = true;		/* it is not kept anew */
	flight_label(c->flight, "stale");
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
		buf_add(&c->found, call->value);
	if (c->parked)
		txn_resume(c->t, c->generation);
}

static void stop_asking(struct cached *c)
{
	if (c->asking)
		store_cancel(worker_store(), &c->call);
	c->asking = c->parked = false;
}

static void cancel(struct txn *t)
{
	stop_asking(t->cached);
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

/* Whoever asks the same meanwhile gets this answer, too. Not where each wants its own, or calls of tools are at stake. */
static bool is_shared(const struct txn *t, const struct cached *c)
{
	const struct cache_wish *w = &c->wish;
	bool tools = member(t->call, STR("tools")).n || member(t->call, STR("functions")).n;
	return t->snapshot->settings.cache.coalesce && !w->no_cache && !w->only && w->stale_us == INT64_MAX && (c->worth.tools || !tools);
}

static struct cached *make(struct txn *t)
{
	const struct cache_settings *s = &t->snapshot->settings.cache;
	const struct model *m = t->plan->model;
	struct cached *c = mem_alloc(sizeof(*c));
	uint8_t digest[DIGEST_SIZE];
	char hex[2 * DIGEST_SIZE + 1];
	*c = (struct cached){ .t = t, .generation = t->generation, .wish = cache_wish(t->req), .usage_told = t->call->usage_asked, .most = s->max_entry };
	c->worth = (struct worth){ .endpoint = t->endpoint, .stream = t->stream, .tools = s->tools, .limited = t->call->max_output > 0 };
	c->shares = is_shared(t, c);
	c->ttl_us = m->policy.cache_ttl_us ? m->policy.cache_ttl_us : s->ttl_us;
	c->stale_us = has_stale(m) ? s->stale_us : 0;
	buf_init(&c->found, s->max_entry + ENTRY_OVERHEAD);
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
	t->cache_state = "miss";
	lead_begin(c);
	return STAGE_NEXT;
}

/* Found, and young enough. */
static bool is_fresh(const struct cached *c, struct entry *e)
{
	return !c->asking && c->call.result == STORE_OK && entry_read(buf_str(&c->found), e) && e->age_us <= c->ttl_us &&
	       e->age_us <= c->wish.max_age_us;
}

static const char *why_missed(const struct cached *c)
{
	struct entry e;
	if (c->wish.no_cache)
		return "asked";
	if (c->call.result != STORE_OK)
		return c->call.result == STORE_MISSING ? "absent" : "store";
	return entry_read(buf_str(&c->found), &e) ? "expired" : "broken";
}

static void ask(struct cached *c)
{
	c->asked = true;
	if (c->wish.no_cache)
		return;
	buf_clear(&c->found);
	c->asking = true;
	c->call = (struct store_call){ .done = on_value };
	store_get(worker_store(), &c->call, str_c(c->key));
}

/*
 * A flight to lead or to follow. One that was found ended after its answer was kept: so where this one leads, and the
 * store has said already that there is none, it is asked once more, and no second call is made for one question.
 */
static void join(struct cached *c)
{
	c->flight = flight_join(c->shares ? str_c(c->key) : STR_NONE, c->t, c->most, &c->leads);
	if (!c->leads)
		stop_asking(c);
	else if (c->shares && !c->asking)
		ask(c);
}

static enum stage_result decide(struct txn *t)
{
	struct cached *c = t->cached;
	struct entry e;
	t->cancel = NULL;
	c->parked = false;
	if (!is_fresh(c, &e))
		return miss(t, why_missed(c));
	lead_drop(c);
	replay(t, &e, "hit");
	return STAGE_ANSWERED;
}

static enum stage_result wait(struct txn *t)
{
	t->cached->parked = true;
	t->cancel = cancel;
	return STAGE_PARKED;
}

static enum stage_result enter(struct txn *t)
{
	struct entry e;
	if (!t->cached && !has_part(t))
		return STAGE_NEXT;
	struct cached *c = t->cached ? t->cached : (t->cached = make(t));
	if (c->wish.no_store)
		return bypass(t);
	if (!c->asked)
		ask(c);
	if (!c->flight && !c->wish.only && !is_fresh(c, &e))
		join(c);
	if (c->flight && !c->leads)
		return follow_begin(c);
	return c->asking ? wait(t) : decide(t);
}

static void leave(struct txn *t)
{
	struct cached *c = t->cached;
	if (!c)
		return;
	stop_asking(c);
	if (c->flight && c->leads)
		lead_end(c);	/* its cost is known now */
	else if (c->flight)
		follow_end(c);
	free_cached(t);
}

const struct stage cache_stage = { .name = "cache", .enter = enter, .leave = leave };

/* --- for the pipeline --- */

bool cache_drained(struct txn *t)
{
	return !t->cached || !t->cached->flight || !t->cached->leads || lead_catch_up(t->cached);
}

void cache_give_rest(struct txn *t)
{
	if (t->cached && t->cached->flight && t->cached->leads)
		lead_give_rest(t->cached);
}

bool cache_is_followed(const struct txn *t)
{
	return t->cached && t->cached->flight && t->cached->leads && !t->cached->parked && flight_is_watched(t->cached->flight);
}
