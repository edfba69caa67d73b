/*
 * redis_later.c: settlements, and reservations to be given back, that Redis has not confirmed: kept, and delivered when it is back.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/redis_counters.h"
#include "store/redis_store_parts.h"

enum { OWED_AT_ONCE = 100 };

static const int64_t RETRY_US = SECOND_US;

static void owed_drop(struct redis_store *s, struct call *x)
{
	counter_add(redis_counters.lost, x->n_callers);
	counter_add(redis_counters.owed, -(int64_t)x->n_callers);
	s->n_owed -= x->n_callers;
	redis_call_release(x);
}

/* Once a minute of all workers: many follow. */
static void tell_given_up(const struct redis_store *s)
{
	static _Atomic int64_t told_us = INT64_MIN / 2;
	int64_t now = loop_now(s->store.loop), last = atomic_load(&told_us);
	if (now - last < 60 * SECOND_US || !atomic_compare_exchange_strong(&told_us, &last, now))
		return;
	log_error("store: %s: more than %d settlements wait for it; further ones are given up and counted in "
		  "weir_store_settlements_lost_total", s->home->place.name, STORE_OWED_MAX);
}

void redis_later_keep(struct redis_store *s, struct call *x)
{
	x = redis_call_shrink(x);
	list_append(&s->owed, &x->link);
	if (!timer_pending(&s->retry))
		timer_in(&s->retry, RETRY_US);
	counter_add(redis_counters.in_flight, -1);
	counter_add(redis_counters.owed, x->n_callers);
	s->n_owed += x->n_callers;
	if (s->n_owed > STORE_OWED_MAX)
		tell_given_up(s);
	while (s->n_owed > STORE_OWED_MAX)
		owed_drop(s, list_entry(s->owed.next, struct call, link));
}

/* `kept` as owed_sums_... said of it. */
static void sums_grown(struct redis_store *s, unsigned before, bool kept)
{
	counter_add(redis_counters.owed, (int64_t)s->sums.n - before);
	if (kept)
		return;
	counter_add(redis_counters.lost, 1);
	tell_given_up(s);
}

void redis_later_settle(struct redis_store *s, const struct store_reservation *r, const int64_t *real)
{
	unsigned before = s->sums.n;
	sums_grown(s, before, owed_sums_settle(&s->sums, r, real));
}

void redis_later_tally(struct redis_store *s, const struct store_tally *t)
{
	unsigned before = s->sums.n;
	sums_grown(s, before, owed_sums_tally(&s->sums, t));
}

/* --- delivering --- */

static bool owed_send(struct redis_store *s, struct call *x)
{
	x->command.due_us = 0;
	x->with_text = false;
	x->hop.hops = 0;
	if (!redis_call_send(x))
		return false;
	list_remove(&x->link);
	list_append(&s->calls, &x->link);
	x->again = true;
	s->n_owed -= x->n_callers;
	s->owed_in_flight += x->n_callers;
	counter_add(redis_counters.owed, -(int64_t)x->n_callers);
	counter_add(redis_counters.in_flight, 1);
	return true;
}

/* From now on one settlement like others. */
static void sum_send(struct redis_store *s, struct owed_sum *sum)
{
	struct call *x = redis_sum_call(s, sum);
	counter_add(redis_counters.owed, -1);
	free(sum);
	x->again = redis_call_send(x);
	s->owed_in_flight += x->again;
	if (!x->again)
		redis_call_down(x);
}

/* A few at a time, so that requests do not wait behind them. */
void redis_later_deliver(struct redis_store *s)
{
	while (!s->closing && redis_route_up(s->route) && !list_empty(&s->owed) && s->owed_in_flight < OWED_AT_ONCE)
		if (!owed_send(s, list_entry(s->owed.next, struct call, link)))
			return;
	while (!s->closing && redis_route_up(s->route) && s->sums.n > 0 && s->owed_in_flight < OWED_AT_ONCE)
		sum_send(s, owed_sums_take(&s->sums));
}

/* A slot that moves, or a Redis out of memory, takes none for a while, and its connection stands. */
static void on_retry(struct timer *t)
{
	struct redis_store *s = container_of(t, struct redis_store, retry);
	redis_later_deliver(s);
	if (s->n_owed > 0 || s->sums.n > 0)
		timer_in(t, RETRY_US);
}

void redis_later_open(struct redis_store *s)
{
	list_init(&s->owed);
	owed_sums_open(&s->sums);
	timer_open(&s->retry, s->store.loop, on_retry);
}

void redis_later_close(struct redis_store *s)
{
	if (s->n_owed + s->sums.n > 0)
		log_error("store: %s: %u settlements were not delivered", s->home->place.name, s->n_owed + s->sums.n);
	for (struct owed_sum *sum; (sum = owed_sums_take(&s->sums)); free(sum)) {
		counter_add(redis_counters.lost, 1);
		counter_add(redis_counters.owed, -1);
	}
	while (!list_empty(&s->owed))
		owed_drop(s, list_entry(s->owed.next, struct call, link));
	timer_close(&s->retry);
}
