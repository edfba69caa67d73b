/*
 * key_answer.c: a caller's own limits, asked of the store without reserving anything.
 */
#include "core/key_answer.h"

#include <stdlib.h>

#include "base/clock.h"
#include "core/may_use.h"
#include "core/money.h"
#include "core/refused.h"
#include "core/sink.h"
#include "core/target.h"
#include "limits/limit_json.h"
#include "limits/limits.h"
#include "limits/refusal.h"
#include "store/worker_store.h"

enum { ANSWER_MAX = 256 * 1024 };

static void add_models(struct buf *b, const struct str *models, unsigned n)
{
	buf_add(b, STR("\"models\":["));
	for (unsigned i = 0; i < n; i++) {
		buf_add(b, i ? STR(",") : STR(""));
		buf_add_json(b, models[i]);
	}
	buf_addc(b, ']');
}

static bool binds_team(const struct key *k)
{
	return k->n_team_models > 1 || (k->n_team_models == 1 && !str_eq(k->team_models[0], STR("*")));
}

/* What binds besides the key's own models: its team's, and those of tags and end users. */
static void add_lists(struct txn *t, struct buf *b, const struct key *k)
{
	buf_add(b, STR(",\"models_also\":["));
	if (binds_team(k)) {
		buf_add(b, STR("{\"of\":"));
		buf_add_json(b, arena_printf(&t->arena, "team `%.*s`", STR_FMT(k->team)));
		buf_addc(b, ',');
		add_models(b, k->team_models, k->n_team_models);
		buf_addc(b, '}');
	}
	for (unsigned i = 0; i < k->n_lists; i++) {
		buf_add(b, i || binds_team(k) ? STR(",{\"of\":") : STR("{\"of\":"));
		buf_add_json(b, k->lists[i]->owner);
		buf_addc(b, ',');
		add_models(b, k->lists[i]->models, k->lists[i]->n);
		buf_addc(b, '}');
	}
	buf_addc(b, ']');
}

static void add_key(struct txn *t, struct buf *b)
{
	const struct key *k = t->key;
	buf_add(b, STR("{\"object\":\"key\",\"name\":"));
	if (k)
		buf_add_json(b, k->name);
	else
		buf_add(b, STR("null"));
	if (k && !str_empty(k->team)) {
		buf_add(b, STR(",\"team\":"));
		buf_add_json(b, k->team);
	}
	buf_addc(b, ',');
	add_models(b, k ? k->models : NULL, k ? k->n_models : 0);
	if (k && (binds_team(k) || k->n_lists))
		add_lists(t, b, k);
	buf_add(b, STR(",\"limits\":["));
}

static enum stage_result write_answer(struct txn *t, const struct hold *h)
{
	struct buf b = BUF_INIT(ANSWER_MAX);
	struct delta head = { .kind = DELTA_HEAD }, body = { .kind = DELTA_BYTES, .more = true }, end = { .kind = DELTA_END };
	add_key(t, &b);
	for (unsigned i = 0; h && i < h->r.n; i++)
		limit_json(&t->key->limits->rules[h->rules[i]], &h->answer.used[i], h->limits[i].period_end, i == 0, &b);
	buf_add(&b, STR("]}\n"));
	t->answer.status = 200;
	t->answer.length = (int64_t)b.n;
	t->answer.content_type = STR("application/json");
	body.raw = buf_str(&b);
	t->sinks->take(t->sinks, &head);
	t->sinks->take(t->sinks, &body);
	t->sinks->take(t->sinks, &end);
	buf_free(&b);
	txn_end(t);
	return STAGE_ANSWERED;
}

static void on_answer(struct store_call *c)
{
	struct hold *h = container_of(c, struct hold, call);
	h->asking = false;
	if (h->parked)
		txn_resume(h->t, h->generation);
}

static void let_go(struct txn *t)
{
	struct hold *h = t->hold;
	t->hold = NULL;
	t->cancel = NULL;
	if (h->asking)
		store_cancel(worker_store(), &h->call);
	free(h);
}

enum stage_result key_answer(struct txn *t)
{
	const struct hold_need nothing = { .input = 0 };
	struct store *store = worker_store();
	if (!t->key || !t->key->limits || !store)
		return write_answer(t, NULL);
	if (!t->hold) {
		t->hold = hold_new(t, t->key->limits, &nothing, store_wall_us(store) / SECOND_US, false);
		for (unsigned i = 0; i < t->hold->r.n; i++)
			t->hold->limits[i].amount = 0;
		t->hold->asking = true;
		t->hold->call = (struct store_call){ .done = on_answer };
		store_peek(store, &t->hold->call, &t->hold->r, &t->hold->answer);
	}
	if (t->hold->asking) {
		t->hold->parked = true;
		t->cancel = let_go;
		return STAGE_PARKED;
	}
	struct hold *h = t->hold;
	bool known = h->call.result == STORE_OK || h->call.result == STORE_REFUSED;
	t->hold = NULL;
	t->cancel = NULL;
	enum stage_result r = known ? write_answer(t, h) : txn_error(t, ERR_OVERLOADED, "The store of limits cannot be asked just now.");
	free(h);
	return r;
}
