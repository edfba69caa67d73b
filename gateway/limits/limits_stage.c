/*
 * limits_stage.c: reserve on the way in, settle on the way out.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "core/families.h"
#include "core/live.h"
#include "core/plan.h"
#include "core/refused.h"
#include "core/replicas.h"
#include "core/snapshot.h"
#include "limits/known.h"
#include "limits/limits.h"
#include "limits/need.h"
#include "limits/refusal.h"
#include "limits/subject.h"
#include "limits/warn.h"
#include "store/worker_store.h"

/* Parts of a reservation's life. */
enum { LOOK_EVERY = 6, RENEW_AFTER = 3 };

static struct counter_family forgotten = {
	.name = "weir_store_forgotten_total", .help = "Times the shared store told less of a budget than before, and was told again.",
	.kind = COUNTER_SUM, .scale = 1,
};

static _Thread_local struct list live;		/* holds that are granted */
static _Thread_local struct timer renewal;

/* --- life --- */

/* Asked of a store that others share, and that may forget. */
static bool shared(const struct hold *h)
{
	return !h->local && worker_store_local() != worker_store();
}

static struct store *store_of(const struct hold *h)
{
	return h->local ? worker_store_local() : worker_store();
}

static void on_renewal(struct timer *timer)
{
	int64_t now = loop_now(timer->loop);
	for (struct list *link = live.next; link != &live; link = link->next) {
		struct hold *h = list_entry(link, struct hold, link);
		if (now - h->renewed_us < store_ttl_us(store_of(h)) / RENEW_AFTER)
			continue;
		h->renewed_us = now;
		store_renew(store_of(h), NULL, &h->r);
	}
	timer_in(timer, store_ttl_us(worker_store()) / LOOK_EVERY);
}

void limits_open(struct loop *l)
{
	list_init(&live);
	timer_open(&renewal, l, on_renewal);
	counter_add(counter_of(&forgotten, NULL), 0);
	subject_open();
	if (worker_store())
		timer_in(&renewal, store_ttl_us(worker_store()) / LOOK_EVERY);
}

void limits_close(void)
{
	timer_close(&renewal);
	subject_close();
}

static void hold_free(struct hold *h)
{
	list_remove(&h->link);
	free(h);
}

/* --- asking --- */

static void on_answer(struct store_call *c)
{
	struct hold *h = container_of(c, struct hold, call);
	h->asking = false;
	if (h->parked)
		txn_resume(h->t, h->generation);
}

/* The caller left while the store was asked: a grant that comes yet is given back by the store. */
static void cancel(struct txn *t)
{
	struct hold *h = t->hold;
	if (h && h->asking)
		store_cancel(store_of(h), &h->call);
	if (h)
		h->asking = h->parked = false;
}

static void ask(struct txn *t, struct hold *h)
{
	t->hold = h;
	h->asking = true;
	for (unsigned i = 0; i < h->r.n && shared(h); i++)
		h->known[i] = h->limits[i].kind == STORE_BUDGET ? known_spent(h->r.scope, h->limits[i].key, h->limits[i].period_start, 0) : 0;
	h->call = (struct store_call){ .done = on_answer };
	store_reserve(store_of(h), &h->call, &h->r, &h->answer);
}

static struct hold *make(struct txn *t, bool without_money)
{
	const struct limit_set *set = t->key->limits;
	struct hold_need need;
	need_of(t, &need);
	bool unpaid = without_money || (need.cost == 0 && need.most_cost == 0);
	return hold_new(t, set, &need, store_wall_us(worker_store()) / SECOND_US, unpaid);
}

/* --- what came of it --- */

static void granted(struct txn *t, struct hold *h)
{
	h->granted = true;
	h->renewed_us = loop_now(t->loop);
	list_append(&live, &h->link);
	t->rate = rate_state_of(t, h);
}

/* What was known of a budget before the store was asked, when it has told less; 0: all is well. */
static int64_t known_beyond(const struct hold *h, unsigned i)
{
	return h->limits[i].kind == STORE_BUDGET && h->known[i] > h->answer.used[i].spent ? h->known[i] : 0;
}

static void note_told(const struct hold *h)
{
	for (unsigned i = 0; i < h->r.n; i++)
		if (h->limits[i].kind == STORE_BUDGET)
			known_spent(h->r.scope, h->limits[i].key, h->limits[i].period_start, h->answer.used[i].spent);
}

static void on_told(struct store_call *c)
{
	struct hold *h = container_of(c, struct hold, call);
	store_id_make(h->r.id);
	ask(h->t, h);
}

/* Asked anew when it has arrived: a script that the store does not know goes twice, so the order of commands does not do. */
static void tell(struct hold *h, unsigned last)
{
	for (unsigned i = 0; i <= last; i++) {
		int64_t known = known_beyond(h, i);
		if (known)
			store_seed(worker_store(), i == last ? &h->call : NULL, h->r.scope, &h->limits[i], known);
	}
}

/* The store was flushed, or lost its latest writes. */
static bool ask_again(struct txn *t, struct hold *h)
{
	static _Thread_local int64_t warned_us;
	const int64_t nothing[STORE_LIMITS_MAX] = { 0 };
	unsigned last = h->r.n;
	if (!shared(h))
		return false;
	note_told(h);
	for (unsigned i = 0; i < h->r.n; i++)
		if (known_beyond(h, i))
			last = i;
	if (last == h->r.n || h->told)
		return false;
	if (h->call.result == STORE_OK)
		store_settle(worker_store(), NULL, &h->r, nothing, false);
	counter_add(counter_of(&forgotten, NULL), 1);
	if (loop_now(t->loop) - warned_us > SECOND_US || warned_us == 0)
		log_warn("store: it tells less of budgets than before: it was flushed, or lost writes. It is told what is known here");
	warned_us = loop_now(t->loop);
	h->told = h->asking = true;
	h->call.done = on_told;
	tell(h, last);
	return true;
}

/* At least one request, where there is anything left. */
static int64_t part_of(int64_t left, int64_t amount, unsigned replicas)
{
	int64_t one = amount < left ? amount : left;
	return left / replicas > one ? left / replicas : one;
}

/* Of what the store last said is left of a budget, and of other limits, this replica has its part. */
static void take_part(struct hold *h)
{
	unsigned replicas = replicas_alive();
	for (unsigned i = 0; i < h->r.n; i++) {
		struct store_limit *l = &h->limits[i];
		int64_t known = l->kind == STORE_BUDGET ? known_spent(h->r.scope, l->key, l->period_start, 0) : 0;
		if (known > 0)
			store_seed(worker_store_local(), NULL, h->r.scope, l, known);
		if (l->limit > known)
			l->limit = known + part_of(l->limit - known, l->amount, replicas);
	}
}

/* The store is away: this process's own memory, or nothing, as the key says. */
static bool ask_locally(struct txn *t, struct hold *h)
{
	if (t->key->limits->closed || h->local || worker_store_local() == worker_store())
		return false;
	h->local = true;
	take_part(h);
	ask(t, h);
	return true;
}

/* An answer that was kept, or a rung below the targets, may serve a request for which there is no money. */
static bool may_be_kept(const struct txn *t)
{
	const struct model *m = t->plan->model;
	return t->cached || m->n_ladder > 0;
}

/*
 * Money is spent, as t->error says: free targets and kept answers go on, under the other limits. False: there is nothing
 * of that kind.
 */
static bool go_without_money(struct txn *t, bool local)
{
	bool any = need_nothing(t);
	if (!any && !may_be_kept(t))
		return false;
	if (!any) {
		struct error *denied = arena_new(&t->arena, struct error);
		*denied = t->error;
		t->denied = denied;
	}
	t->error = (struct error){ .kind = ERR_NONE };
	struct hold *h = make(t, true);
	h->local = local;
	if (local)
		take_part(h);
	ask(t, h);
	return true;
}

static enum stage_result refused(struct txn *t)
{
	families_refusal(t->live_key);
	return STAGE_FAILED;
}

/* The money of the key or its team was spent a moment ago, and this request needs some. */
static bool is_broke(struct txn *t)
{
	struct hold_need need;
	struct refused r;
	if (likely(!refused_before(t, &r)) || r.rule->unit != LIMIT_USD)
		return false;
	need_of(t, &need);
	if (need.cost == 0 && need.most_cost == 0)
		return false;
	refuse(t, &r);
	return true;
}

static enum limit_unit refused_unit(const struct txn *t, const struct hold *h)
{
	return t->key->limits->rules[h->rules[h->answer.refused_by < h->r.n ? h->answer.refused_by : 0]].unit;
}

static enum stage_result away(struct txn *t)
{
	t->error.retry_after_s = 1;
	return txn_error(t, ERR_OVERLOADED, "The limits of this key cannot be looked up just now, and it is not served without them.");
}

/* Until the store's answer decides; each question may be answered at once. */
static enum stage_result go_on(struct txn *t)
{
	for (;;) {
		struct hold *h = t->hold;
		if (h->asking) {
			h->parked = true;
			t->cancel = cancel;
			return STAGE_PARKED;
		}
		h->parked = false;
		t->cancel = NULL;
		bool answered = h->call.result == STORE_OK || h->call.result == STORE_REFUSED;
		if (answered && ask_again(t, h))
			continue;
		if (answered && !h->local)
			warn_look(t, h);
		if (h->call.result == STORE_OK) {
			granted(t, h);
			return STAGE_NEXT;
		}
		if (h->call.result == STORE_REFUSED) {
			bool money = refused_unit(t, h) == LIMIT_USD, local = h->local;
			refusal(t, h, t->key->limits);
			if (!money)
				return refused(t);
			hold_free(h);
			t->hold = NULL;
			if (!go_without_money(t, local))
				return refused(t);
			continue;
		}
		if (!ask_locally(t, h))
			return away(t);
	}
}

static enum stage_result enter(struct txn *t)
{
	if (!t->hold) {
		if (!t->key || !t->key->limits || !worker_store())
			return STAGE_NEXT;
		if (t->key->limits->money)
			need_prices(t);
		bool broke = is_broke(t);
		if (!broke)
			ask(t, make(t, false));
		else if (!go_without_money(t, false))
			return refused(t);
	}
	return go_on(t);
}

/* --- afterwards --- */

static void leave(struct txn *t)
{
	struct hold *h = t->hold;
	int64_t real[STORE_LIMITS_MAX];
	if (!h)
		return;
	t->hold = NULL;
	if (h->asking)
		store_cancel(store_of(h), &h->call);
	if (h->granted) {
		hold_real(h, t, real);
		t->spending = t->recorded ? hold_spending(h, real, store_wall_us(worker_store())) : NULL;
		store_settle(store_of(h), NULL, &h->r, real, false);
		if (h->local && h->r.n)		/* told to the others when they can hear it */
			store_settle(worker_store(), NULL, &h->r, real, true);
	}
	hold_free(h);
}

const struct stage limits_stage = { .name = "limits", .enter = enter, .leave = leave };
