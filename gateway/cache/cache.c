/*
 * cache.c: look-up on the way in, who asks and who follows, and an answer that is over its time where nobody else
 * answers. lead.c keeps what comes, follow.c gives what somebody else asked for.
 */
#include "cache/cache.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cache/cached.h"
#include "cache/evicted.h"
#include "cache/items.h"
#include "core/call.h"
#include "core/families.h"
#include "core/plan.h"
#include "core/snapshot.h"
#include "store/worker_store.h"

static void stop_keying(struct cached *c)
{
	uint8_t unused[DIGEST_SIZE];
	if (!c->keying)
		return;
	loop_task_cancel(&c->turn);
	(void)cache_keying_end(c->keying, unused);
}

static void free_cached(struct txn *t)
{
	if (!t->cached)
		return;
	if (t->cached->items)
		items_free(t->cached->items);
	t->cache_items = STR_NONE;	/* lies there */
	stop_keying(t->cached);
	buf_free(&t->cached->found);
	buf_free(&t->cached->unpacked);
	buf_free(&t->cached->converted);
	free(t->cached);
	t->cached = NULL;
}

bool cache_stale(struct txn *t)
{
	struct cached *c = t->cached;
	int64_t over = c && c->stale_us < c->wish.stale_us ? c->stale_us : c ? c->wish.stale_us : 0;
	if (!c || !c->looked || !(c->items ? items_stale(c->items, over) : c->entry.type.p && c->entry.age_us - c->ttl_us <= over))
		return false;
	c->spoiled = true;		/* it is not kept anew */
	flight_label(c->flight, "stale");
	t->error = (struct error){ .kind = ERR_NONE };
	t->live_target = NULL;		/* none of those that were tried */
	if (c->items)
		items_count(c->items, "stale");
	cache_replay(c, &c->entry, "stale");
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
	if (c->asking && c->items)
		items_stop(c->items);
	else if (c->asking)
		store_cancel(worker_store(), &c->call);
	c->asking = c->parked = false;
}

static void cancel(struct txn *t)
{
	stop_asking(t->cached);
}

/* Kept over its time only where the model's ladder may ask for it. */
static bool has_stale(const struct model *m)
{
	for (unsigned i = 0; i < m->n_ladder; i++)
		if (m->ladder[i] == LADDER_STALE)
			return true;
	return false;
}

static void on_turn(struct loop_task *task)
{
	struct cached *c = container_of(task, struct cached, turn);
	txn_resume(c->t, c->generation);
}

static struct cached *make(struct txn *t, const struct cache_wish *wish)
{
	const struct cache_settings *s = &t->snapshot->settings.cache;
	const struct model *m = t->plan->model;
	struct cached *c = mem_alloc(sizeof(*c));
	*c = (struct cached){ .t = t, .generation = t->generation, .wish = *wish, .usage_told = t->call->usage_asked, .most = s->max_entry,
			      .pack_above = s->compress_above };
	c->worth = (struct worth){ .endpoint = t->endpoint, .stream = t->stream, .tools = s->tools, .limited = t->call->max_output > 0 };
	c->ttl_us = m->policy.cache_ttl_us ? m->policy.cache_ttl_us : s->ttl_us;
	c->ttl_us = c->ttl_us < wish->ttl_us ? c->ttl_us : wish->ttl_us;
	c->stale_us = has_stale(m) ? s->stale_us : 0;
	c->spoiled = wish->no_keep;
	buf_init(&c->found, s->max_entry + ENTRY_OVERHEAD);
	buf_init(&c->unpacked, s->max_entry);
	buf_init(&c->converted, 8 * s->max_entry + ENTRY_OVERHEAD);	/* a stream says more */
	c->pace_us = s->pace ? SECOND_US / s->pace : 0;
	loop_task_init(&c->turn, on_turn);
	c->batch = batch_read(t);
	c->keying = c->batch && c->batch->n == 1 ? NULL : cache_keying_begin(t, wish);
	return c;
}

/* False: there is no memory for its key. */
static bool name(struct cached *c)
{
	struct txn *t = c->t;
	uint8_t digest[DIGEST_SIZE];
	char hex[2 * DIGEST_SIZE + 1];
	bool good = c->keying ? cache_keying_end(c->keying, digest) : cache_key_items(t, &c->wish, c->batch, &digest);
	c->keying = NULL;
	if (!good)
		return false;
	digest_to_hex(digest, hex);
	c->id = arena_copy(&t->arena, str_of(hex, 2 * DIGEST_SIZE));
	cache_key_name(c->id, c->key);
	memcpy(c->flight_key, c->key, sizeof(c->key));
	c->flight_key[0] = (char)('a' + t->stream + 2 * c->usage_told);
	if (unlikely(c->batch && c->batch->n > 1))
		c->items = items_new(c, c->batch);
	return true;
}

static enum stage_result bypass(struct txn *t)
{
	families_cache(t->live_model, "bypass", 0);
	t->cache_state = "bypass";
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
	if (c->items)
		items_narrow(c->items);
	lead_begin(c);
	if (c->items)
		items_begin(c->items);
	return STAGE_NEXT;
}

/* NULL, or why it cannot be used. */
static const char *unusable(struct cached *c, struct str found, struct buf *unpacked, struct entry *e)
{
	const char *why = NULL;
	if (!entry_read(found, e) || !entry_unpack(e, c->most, unpacked))
		why = "broken";
	else if (evicted_since(c->t->plan->model->name, e->tags, e->stored_us))
		why = "evicted";
	else if (!cache_convert(c, e, &c->converted))
		why = "form";
	if (why)
		*e = (struct entry){ .stream = false };
	return why;
}

const char *cache_judge(struct cached *c, enum store_result r, struct str found, struct buf *unpacked, struct entry *e)
{
	const char *why;
	if (c->wish.no_cache)
		return "asked";
	if (r != STORE_OK)
		return r == STORE_MISSING ? "absent" : "store";
	if ((why = unusable(c, found, unpacked, e)))
		return why;
	return e->age_us > c->ttl_us || e->age_us > e->ttl_us || e->age_us > c->wish.max_age_us ? "expired" : NULL;
}

/* What the store said is judged when it is first wanted. True: found, and young enough. */
static bool is_fresh(struct cached *c)
{
	if (c->asking || c->looked)
		return c->looked && !c->missed;
	c->looked = true;
	c->missed = c->items ? items_judge(c->items) : cache_judge(c, c->call.result, buf_str(&c->found), &c->unpacked, &c->entry);
	return !c->missed;
}

static void ask(struct cached *c)
{
	c->asked = true;
	c->looked = false;
	c->entry = (struct entry){ .stream = false };
	if (c->wish.no_cache)
		return;
	buf_clear(&c->found);
	buf_clear(&c->unpacked);
	buf_clear(&c->converted);
	c->asking = true;
	c->landings = flight_landings(str_c(c->flight_key));
	if (c->items) {
		items_ask(c->items);
		return;
	}
	c->call = (struct store_call){ .done = on_value };
	store_get(worker_store(), &c->call, str_c(c->key));
}

/*
 * A flight to lead or to follow. One that was found ended after its answer was kept: so where this one leads, and another
 * ended since the store was asked, it is asked once more, and no second call is made for one question.
 */
static void join(struct cached *c)
{
	struct str key = str_c(c->flight_key);
	c->shares = cache_is_shared(c->t, c);
	c->flight = flight_join(c->shares ? key : STR_NONE, c->t, c->items ? FLIGHT_MOST : c->most, &c->leads);
	if (!c->leads)
		stop_asking(c);
	else if (c->shares && !c->asking && flight_landings(key) != c->landings)
		ask(c);
}

static enum stage_result decide(struct txn *t)
{
	struct cached *c = t->cached;
	t->cancel = NULL;
	c->parked = false;
	if (!is_fresh(c))
		return miss(t, c->missed);
	lead_drop(c);
	if (c->items)
		items_count(c->items, "hit");
	return cache_replay(c, &c->entry, "hit");
}

static enum stage_result wait(struct txn *t)
{
	t->cached->parked = true;
	t->cancel = cancel;
	return STAGE_PARKED;
}

static enum stage_result enter(struct txn *t)
{
	struct cached *c = t->cached;
	if (!c)
		return STAGE_NEXT;
	if (c->wish.no_store)
		return bypass(t);
	t->cache_id = c->items ? STR_NONE : c->id;
	if (!c->asked)
		ask(c);
	if (!c->flight && !c->wish.only && !is_fresh(c))
		join(c);
	if (c->flight && !c->leads)
		return follow_begin(c);
	return c->asking ? wait(t) : decide(t);
}

static struct cached *begin(struct txn *t)
{
	struct cache_wish wish = cache_wish(t);
	return cache_is_wanted(t, &wish) ? t->cached = make(t, &wish) : NULL;
}

/*
 * Before the limits are asked, so that both questions leave in one write; what came of this one is looked at behind
 * them. A request that they refuse was looked up for nothing.
 */
static enum stage_result enter_first(struct txn *t)
{
	struct cached *c = t->cached ? t->cached : begin(t);
	if (!c)
		return STAGE_NEXT;
	if (c->keying && !cache_keying_on(c->keying)) {
		loop_later(t->loop, &c->turn);
		return STAGE_PARKED;
	}
	if (!name(c)) {
		free_cached(t);
		return STAGE_NEXT;
	}
	if (!c->wish.no_store)
		ask(c);
	if (c->items && !c->wish.no_store && !c->asking && !is_fresh(c))
		items_narrow(c->items);		/* what is reserved is for the rest only */
	return STAGE_NEXT;
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
	else
		pace_end(c);
	free_cached(t);
}

const struct stage cache_ask_stage = { .name = "cache_ask", .enter = enter_first, .leave = leave };
const struct stage cache_stage = { .name = "cache", .enter = enter };

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
