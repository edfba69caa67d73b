/*
 * store_client.h: a store on a loop of its own, asked one thing at a time.
 *
 * Time passes by `pass()`: at once where the store's clock is the test's, else by waiting.
 */
#ifndef WEIR_TESTS_STORE_CLIENT_H
#define WEIR_TESTS_STORE_CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/loop.h"
#include "store/store.h"

enum { CLIENT_PATIENCE_S = 20 };

struct client {
	struct loop loop;
	struct store_home *home;
	struct store *store;
	struct timer patience, pause;
	void (*pass)(struct client *c, int64_t ms);
	int64_t ttl_ms;
	unsigned serial;	/* makes keys that no test used before */
	void *server;
};

struct waited {
	struct store_call call;
	struct store_answer answer;
	struct client *client;
	unsigned times;
	char value[64];
	size_t value_n;
};

static inline void client_impatient(struct timer *t)
{
	(void)t;
	fprintf(stderr, "store_client: a call was not answered\n");
	abort();
}

static inline void client_paused(struct timer *t)
{
	loop_stop(t->loop);
}

static inline void client_open(struct client *c, const struct store_options *o)
{
	struct buf why = BUF_INIT(1000);
	assert_true(loop_open(&c->loop));
	timer_open(&c->patience, &c->loop, client_impatient);
	timer_open(&c->pause, &c->loop, client_paused);
	c->home = store_home_open(o, &why);
	if (!c->home)
		fail_msg("%.*s", STR_FMT(buf_str(&why)));
	buf_free(&why);
	c->store = store_open(c->home, &c->loop);
	c->ttl_ms = o->ttl_ms;
}

static inline void client_close(struct client *c)
{
	store_close(c->store);
	store_home_close(c->home);
	timer_close(&c->patience);
	timer_close(&c->pause);
	loop_run_deferred(&c->loop);
	loop_close(&c->loop);
}

static inline void client_run_for(struct client *c, int64_t ms)
{
	timer_at(&c->pause, clock_us() + ms * MS_US);
	loop_run_deferred(&c->loop);
	loop_run(&c->loop);
}

static inline void waited_done(struct store_call *call)
{
	struct waited *w = container_of(call, struct waited, call);
	w->times++;
	assert_int_equal(w->times, 1);
	w->value_n = call->value.n < sizeof(w->value) ? call->value.n : sizeof(w->value);
	if (w->value_n)
		memcpy(w->value, call->value.p, w->value_n);
	loop_stop(&w->client->loop);
}

static inline void waited_init(struct client *c, struct waited *w)
{
	memset(w, 0, sizeof(*w));
	w->client = c;
	w->call.done = waited_done;
}

/* Until it was answered. */
static inline enum store_result wait_for(struct waited *w)
{
	struct client *c = w->client;
	if (w->times)
		return w->call.result;
	timer_at(&c->patience, clock_us() + CLIENT_PATIENCE_S * SECOND_US);
	loop_run_deferred(&c->loop);	/* the turn in which it was asked ends here */
	while (!w->times)
		loop_run(&c->loop);
	timer_stop(&c->patience);
	return w->call.result;
}

/* A store is asked when it is up only, where a test is not about its being down. */
static inline void wait_until_up(struct client *c)
{
	for (int i = 0; i < 1000 && !store_is_up(c->store); i++)
		client_run_for(c, 10);
	assert_true(store_is_up(c->store));
}

/* --- one call each --- */

static inline enum store_result ask_reserve(struct client *c, const struct store_reservation *r,
					    struct store_answer *a)
{
	struct waited w;
	waited_init(c, &w);
	store_reserve(c->store, &w.call, r, &w.answer);
	wait_for(&w);
	if (a)
		*a = w.answer;
	return w.call.result;
}

static inline struct store_usage ask_usage(struct client *c, const struct store_reservation *r, unsigned limit)
{
	struct waited w;
	waited_init(c, &w);
	store_peek(c->store, &w.call, r, &w.answer);
	wait_for(&w);
	assert_true(w.call.result == STORE_OK || w.call.result == STORE_REFUSED);
	return w.answer.used[limit];
}

static inline enum store_result ask_settle(struct client *c, const struct store_reservation *r, const int64_t *real,
					   bool unreserved)
{
	struct waited w;
	waited_init(c, &w);
	store_settle(c->store, &w.call, r, real, unreserved);
	return wait_for(&w);
}

static inline enum store_result ask_renew(struct client *c, const struct store_reservation *r)
{
	struct waited w;
	waited_init(c, &w);
	store_renew(c->store, &w.call, r);
	return wait_for(&w);
}

static inline enum store_result ask_seed(struct client *c, struct str scope, const struct store_limit *l,
					 int64_t spent)
{
	struct waited w;
	waited_init(c, &w);
	store_seed(c->store, &w.call, scope, l, spent);
	return wait_for(&w);
}

static inline enum store_result ask_get(struct client *c, struct str key, struct waited *w)
{
	waited_init(c, w);
	store_get(c->store, &w->call, key);
	return wait_for(w);
}

static inline enum store_result ask_put(struct client *c, struct str key, struct str value, int64_t ttl_ms)
{
	struct waited w;
	waited_init(c, &w);
	store_put(c->store, &w.call, key, value, ttl_ms);
	return wait_for(&w);
}

static inline enum store_result ask_remove(struct client *c, struct str key)
{
	struct waited w;
	waited_init(c, &w);
	store_remove(c->store, &w.call, key);
	return wait_for(&w);
}

/* --- limits and reservations --- */

static inline struct store_limit budget_of(const char *key, int64_t limit, int64_t amount)
{
	return (struct store_limit){ .key = str_c(key), .kind = STORE_BUDGET, .limit = limit, .amount = amount,
				     .period_start = 1700000000, .period_end = INT64_C(4000000000) };
}

static inline struct store_limit window_of(const char *key, enum store_kind kind, int64_t span_s, int64_t limit,
					   int64_t amount)
{
	return (struct store_limit){ .key = str_c(key), .kind = kind, .limit = limit, .amount = amount,
				     .span_s = span_s };
}

static inline struct store_limit slots_of(const char *key, int64_t limit)
{
	return (struct store_limit){ .key = str_c(key), .kind = STORE_CONCURRENT, .limit = limit, .amount = 1 };
}

/* In a scope that no other test uses; `scope` has room for 32 bytes and lives as long as the reservation. */
static inline struct str scope_new(struct client *c, char *scope)
{
	int n = snprintf(scope, 32, "team %u", ++c->serial);
	return str_of(scope, (size_t)n);
}

static inline struct store_reservation reservation_of(struct str scope, const struct store_limit *limits, unsigned n)
{
	struct store_reservation r = { .scope = scope, .limits = limits, .n = n };
	store_id_make(r.id);
	return r;
}

#endif
