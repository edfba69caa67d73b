/*
 * store_suite.h: what both kinds of store promise. Each test takes a `struct client` that is up.
 */
#ifndef WEIR_TESTS_STORE_SUITE_H
#define WEIR_TESTS_STORE_SUITE_H

#include "store/window.h"
#include "tests/unit/store/store_client.h"

static inline void settles_less_and_more(void **state)
{
	struct client *c = *state;
	char name[32];
	struct str scope = scope_new(c, name);
	struct store_limit l = budget_of("usd/month", 100, 60);
	struct store_reservation r = reservation_of(scope, &l, 1);
	struct store_answer a;
	assert_int_equal(ask_reserve(c, &r, &a), STORE_OK);
	assert_true(a.used[0].fresh);
	assert_int_equal(a.used[0].spent, 0);
	assert_int_equal(a.used[0].reserved, 60);
	assert_int_equal(ask_settle(c, &r, &(int64_t){ 40 }, false), STORE_OK);
	assert_int_equal(ask_settle(c, &r, &(int64_t){ 40 }, false), STORE_MISSING);
	struct store_usage u = ask_usage(c, &r, 0);
	assert_int_equal(u.spent, 40);
	assert_int_equal(u.reserved, 0);
	assert_false(u.fresh);

	struct store_reservation more = reservation_of(scope, &l, 1);
	assert_int_equal(ask_reserve(c, &more, &a), STORE_OK);
	assert_int_equal(ask_settle(c, &more, &(int64_t){ 170 }, false), STORE_OK);
	u = ask_usage(c, &more, 0);
	assert_int_equal(u.spent, 210);
	assert_int_equal(u.reserved, 0);
}

static inline void says_who_refuses_and_when(void **state)
{
	struct client *c = *state;
	char name[32];
	struct str scope = scope_new(c, name);
	struct store_limit l[3] = {
		window_of("tokens/60", STORE_WINDOW, 60, 1000, 10), budget_of("usd/month", 100, 60),
		slots_of("at once", 5),
	};
	struct store_reservation first = reservation_of(scope, l, 3), second = reservation_of(scope, l, 3);
	struct store_answer a;
	assert_int_equal(ask_reserve(c, &first, NULL), STORE_OK);
	assert_int_equal(ask_reserve(c, &second, &a), STORE_REFUSED);
	assert_int_equal(a.refused_by, 1);
	assert_int_equal(a.used[1].spent, 0);
	assert_int_equal(a.used[1].reserved, 60);
	assert_int_equal(a.retry_us, WAIT_FOR_OTHERS_US);	/* what is in the way is reserved only */

	assert_int_equal(ask_settle(c, &first, (int64_t[]){ 10, 60, 0 }, false), STORE_OK);
	assert_int_equal(ask_reserve(c, &second, &a), STORE_REFUSED);
	int64_t end = (l[1].period_end - store_wall_us(c->store) / 1000000) * 1000000;
	assert_true(a.retry_us > end - 60 * SECOND_US && a.retry_us < end + 60 * SECOND_US);

	l[1].amount = 101;
	assert_int_equal(ask_reserve(c, &second, &a), STORE_REFUSED);
	assert_true(a.retry_us == STORE_NEVER);
	l[1] = budget_of("usd/total", 100, 60);
	l[1].period_start = l[1].period_end = 0;
	assert_int_equal(ask_seed(c, scope, &l[1], 50), STORE_OK);
	assert_int_equal(ask_reserve(c, &second, &a), STORE_REFUSED);
	assert_int_equal(a.used[1].spent, 50);
	assert_true(a.retry_us == STORE_NEVER);
}

static inline void refusal_touches_nothing(void **state)
{
	struct client *c = *state;
	char name[32];
	struct str scope = scope_new(c, name);
	struct store_limit l[4] = {
		window_of("requests/60", STORE_REQUESTS, 60, 10, 1), window_of("tokens/60", STORE_WINDOW, 60, 1000, 10),
		slots_of("at once", 5), budget_of("usd/month", 5, 6),
	};
	struct store_reservation r = reservation_of(scope, l, 4);
	assert_int_equal(ask_reserve(c, &r, NULL), STORE_REFUSED);
	for (unsigned i = 0; i < 4; i++) {
		struct store_usage u = ask_usage(c, &r, i);
		assert_int_equal(u.spent, 0);
		assert_int_equal(u.reserved, 0);
		assert_true(u.fresh);
	}
	assert_int_equal(ask_settle(c, &r, (int64_t[]){ 1, 10, 0, 6 }, false), STORE_MISSING);
	assert_int_equal(ask_usage(c, &r, 3).spent, 0);
}

enum { RACERS = 200, ADMITTED = 20, ROUNDS = 20 };

static inline void admits_exactly_what_fits(void **state)
{
	struct client *c = *state;
	for (int round = 0; round < ROUNDS; round++) {
		char name[32];
		struct str scope = scope_new(c, name);
		struct store_limit l[3] = {
			budget_of("usd/month", ADMITTED * 7 + 3, 7), window_of("requests/3600", STORE_REQUESTS, 3600, 1000, 1),
			slots_of("at once", 1000),
		};
		static struct waited w[RACERS];
		struct store_reservation r[RACERS];
		unsigned granted = 0;
		for (int i = 0; i < RACERS; i++) {
			waited_init(c, &w[i]);
			r[i] = reservation_of(scope, l, 3);
			store_reserve(c->store, &w[i].call, &r[i], &w[i].answer);
		}
		for (int i = 0; i < RACERS; i++) {
			enum store_result got = wait_for(&w[i]);
			assert_true(got == STORE_OK || got == STORE_REFUSED);
			granted += got == STORE_OK;
		}
		assert_int_equal(granted, ADMITTED);
		assert_int_equal(ask_usage(c, &r[0], 1).spent, ADMITTED);
		assert_int_equal(ask_usage(c, &r[0], 2).reserved, ADMITTED);
	}
}

static inline void slots_come_back(void **state)
{
	struct client *c = *state;
	char name[32];
	struct str scope = scope_new(c, name);
	struct store_limit l = slots_of("at once", 3);
	struct store_reservation r[4];
	struct store_answer a;
	for (int i = 0; i < 4; i++)
		r[i] = reservation_of(scope, &l, 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask_reserve(c, &r[i], NULL), STORE_OK);
	assert_int_equal(ask_reserve(c, &r[3], &a), STORE_REFUSED);
	assert_int_equal(a.used[0].reserved, 3);
	assert_int_equal(a.retry_us, WAIT_FOR_OTHERS_US);
	assert_int_equal(ask_settle(c, &r[1], &(int64_t){ 1 }, false), STORE_OK);
	assert_int_equal(ask_reserve(c, &r[3], &a), STORE_OK);
	assert_int_equal(a.used[0].reserved, 3);
	assert_int_equal(a.used[0].spent, 0);
	l.limit = 0;
	assert_int_equal(ask_reserve(c, &r[1], &a), STORE_REFUSED);
	assert_true(a.retry_us == STORE_NEVER);
}

enum { SPAN_S = 4, WIDTH_US = SPAN_S * 1000000 / STORE_WINDOW_PARTS };

/* A slow machine may take longer than the span: then nothing was proven, and it is done once more. */
static inline bool window_slides_once(struct client *c)
{
	char name[32];
	struct str scope = scope_new(c, name);
	struct store_limit l = window_of("requests/4", STORE_REQUESTS, SPAN_S, 5, 1);
	struct store_reservation r = reservation_of(scope, &l, 1);
	struct store_answer a;
	int64_t began = clock_us();
	for (int i = 0; i < 5; i++) {
		r = reservation_of(scope, &l, 1);
		assert_int_equal(ask_reserve(c, &r, NULL), STORE_OK);
		assert_int_equal(ask_settle(c, &r, &(int64_t){ 1 }, false), STORE_OK);
	}
	r = reservation_of(scope, &l, 1);
	enum store_result sixth = ask_reserve(c, &r, &a);
	if (clock_us() - began > (SPAN_S - 1) * SECOND_US)
		return false;
	assert_int_equal(sixth, STORE_REFUSED);
	assert_int_equal(a.used[0].spent, 5);
	assert_int_equal(a.used[0].reserved, 0);
	assert_true(a.retry_us > 0 && a.retry_us <= SPAN_S * SECOND_US + WIDTH_US);
	c->pass(c, a.retry_us / 1000 + 20);
	assert_int_equal(ask_reserve(c, &r, &a), STORE_OK);
	return true;
}

static inline void window_slides(void **state)
{
	for (int i = 0; i < 5; i++)
		if (window_slides_once(*state))
			return;
	fail_msg("too slow a machine");
}

static inline void tokens_are_reserved_then_spent(void **state)
{
	struct client *c = *state;
	char name[32];
	struct str scope = scope_new(c, name);
	struct store_limit l = window_of("tokens/3600", STORE_WINDOW, 3600, 100, 50);
	struct store_reservation r = reservation_of(scope, &l, 1);
	struct store_answer a;
	assert_int_equal(ask_reserve(c, &r, &a), STORE_OK);
	assert_int_equal(a.used[0].reserved, 50);
	assert_int_equal(ask_settle(c, &r, &(int64_t){ 80 }, false), STORE_OK);
	l.amount = 30;
	struct store_reservation next = reservation_of(scope, &l, 1);
	assert_int_equal(ask_reserve(c, &next, &a), STORE_REFUSED);
	assert_int_equal(a.used[0].spent, 80);
	assert_true(a.retry_us > 3000 * SECOND_US && a.retry_us <= (3600 + 225) * SECOND_US);
	l.amount = 20;
	assert_int_equal(ask_reserve(c, &next, &a), STORE_OK);
}

static inline void reservations_lapse(void **state)
{
	struct client *c = *state;
	char name[32];
	struct str scope = scope_new(c, name);
	struct store_limit l[3] = {
		budget_of("usd/month", 100, 60), slots_of("at once", 1), window_of("tokens/60", STORE_WINDOW, 60, 99, 9),
	};
	struct store_reservation lost = reservation_of(scope, l, 3), next = reservation_of(scope, l, 3);
	assert_int_equal(ask_reserve(c, &lost, NULL), STORE_OK);
	c->pass(c, c->ttl_ms + 100);
	assert_int_equal(ask_reserve(c, &next, NULL), STORE_OK);
	assert_int_equal(ask_usage(c, &next, 0).reserved, 60);
	assert_int_equal(ask_usage(c, &next, 1).reserved, 1);
	assert_int_equal(ask_usage(c, &next, 2).reserved, 9);

	/* The late one did cost something, once. */
	assert_int_equal(ask_settle(c, &lost, (int64_t[]){ 30, 0, 5 }, false), STORE_OK);
	assert_int_equal(ask_settle(c, &lost, (int64_t[]){ 30, 0, 5 }, false), STORE_MISSING);
	assert_int_equal(ask_usage(c, &next, 0).spent, 30);
	assert_int_equal(ask_usage(c, &next, 2).spent, 5);
	assert_int_equal(ask_renew(c, &lost), STORE_MISSING);
}

static inline void renewal_keeps_and_revives(void **state)
{
	struct client *c = *state;
	char name[32];
	struct str scope = scope_new(c, name);
	struct store_limit l[2] = { budget_of("usd/month", 100, 60), window_of("requests", STORE_REQUESTS, 36000, 9, 1) };
	struct store_reservation r = reservation_of(scope, l, 2), other = reservation_of(scope, l, 2);
	assert_int_equal(ask_renew(c, &r), STORE_MISSING);
	assert_int_equal(ask_reserve(c, &r, NULL), STORE_OK);
	for (int i = 0; i < 4; i++) {
		c->pass(c, c->ttl_ms / 2);
		assert_int_equal(ask_renew(c, &r), STORE_OK);
		assert_int_equal(ask_usage(c, &r, 0).reserved, 60);
	}
	c->pass(c, c->ttl_ms + 100);
	assert_int_equal(ask_renew(c, &other), STORE_MISSING);	/* lets go of what lapsed */
	assert_int_equal(ask_usage(c, &r, 0).reserved, 0);
	assert_int_equal(ask_renew(c, &r), STORE_OK);
	assert_int_equal(ask_usage(c, &r, 0).reserved, 60);
	assert_int_equal(ask_usage(c, &r, 1).spent, 1);
	assert_int_equal(ask_settle(c, &r, (int64_t[]){ 70, 1 }, false), STORE_OK);
	assert_int_equal(ask_usage(c, &r, 0).reserved, 0);
	assert_int_equal(ask_usage(c, &r, 0).spent, 70);
}

static inline void counts_what_was_not_reserved(void **state)
{
	struct client *c = *state;
	char name[32];
	struct str scope = scope_new(c, name);
	struct store_limit l[3] = {
		budget_of("usd/month", 100, 60), window_of("requests/60", STORE_REQUESTS, 60, 9, 1), slots_of("at once", 9),
	};
	struct store_reservation never = reservation_of(scope, l, 3), known = reservation_of(scope, l, 3);
	const int64_t real[3] = { 20, 1, 0 };
	assert_int_equal(ask_settle(c, &never, real, true), STORE_OK);
	assert_int_equal(ask_settle(c, &never, real, true), STORE_MISSING);
	assert_int_equal(ask_settle(c, &never, real, false), STORE_MISSING);
	assert_int_equal(ask_usage(c, &never, 0).spent, 20);
	assert_int_equal(ask_usage(c, &never, 1).spent, 1);
	assert_int_equal(ask_usage(c, &never, 2).reserved, 0);

	/* Reserved after all: what is held goes, and the request is not counted twice. */
	assert_int_equal(ask_reserve(c, &known, NULL), STORE_OK);
	assert_int_equal(ask_settle(c, &known, real, true), STORE_OK);
	assert_int_equal(ask_settle(c, &known, real, true), STORE_MISSING);
	assert_int_equal(ask_usage(c, &known, 0).spent, 40);
	assert_int_equal(ask_usage(c, &known, 0).reserved, 0);
	assert_int_equal(ask_usage(c, &known, 1).spent, 2);
	assert_int_equal(ask_usage(c, &known, 2).reserved, 0);
}

static inline void periods_begin_anew(void **state)
{
	struct client *c = *state;
	char name[32];
	struct str scope = scope_new(c, name);
	struct store_limit l = budget_of("usd/day", 100, 60), next = l;
	struct store_reservation r = reservation_of(scope, &l, 1);
	next.period_start += 86400;
	assert_int_equal(ask_reserve(c, &r, NULL), STORE_OK);
	struct store_reservation tomorrow = reservation_of(scope, &next, 1);
	struct store_usage u = ask_usage(c, &tomorrow, 0);
	assert_int_equal(u.spent, 0);
	assert_int_equal(u.reserved, 60);	/* it may still be spent, and then in the new period */
	assert_int_equal(ask_settle(c, &r, &(int64_t){ 30 }, false), STORE_OK);
	assert_int_equal(ask_usage(c, &r, 0).spent, 30);

	assert_int_equal(ask_reserve(c, &tomorrow, NULL), STORE_OK);
	assert_int_equal(ask_usage(c, &tomorrow, 0).spent, 0);
	assert_int_equal(ask_settle(c, &tomorrow, &(int64_t){ 10 }, false), STORE_OK);
	assert_int_equal(ask_usage(c, &r, 0).spent, 10);	/* one who is behind counts in the new period */
}

/* A clock that was a year ahead for a moment must not leave a budget spent for a year. */
static inline void a_period_of_a_wrong_clock_is_let_go(void **state)
{
	struct client *c = *state;
	char name[32];
	struct str scope = scope_new(c, name);
	const int64_t today = store_wall_us(c->store) / SECOND_US / 86400 * 86400, ahead[3] = { 0, 400 * 86400, 0 };
	struct store_limit l = budget_of("usd/day", 100, 60);
	struct store_reservation r;
	for (int i = 0; i < 3; i++) {
		l.period_start = today + ahead[i];
		l.period_end = l.period_start + 86400;
		r = reservation_of(scope, &l, 1);
		assert_int_equal(ask_reserve(c, &r, NULL), STORE_OK);
		assert_int_equal(ask_settle(c, &r, &(int64_t){ 60 }, false), STORE_OK);
	}
	r = reservation_of(scope, &l, 1);
	assert_int_equal(ask_reserve(c, &r, NULL), STORE_REFUSED);
	/* The next day is one that others may have begun; of the day before yesterday's caller nothing begins anew. */
	l.period_start = l.period_end;
	l.period_end += 86400;
	r = reservation_of(scope, &l, 1);
	assert_int_equal(ask_reserve(c, &r, NULL), STORE_OK);
	assert_int_equal(ask_settle(c, &r, &(int64_t){ 70 }, false), STORE_OK);
	l.period_start -= 86400;
	l.period_end -= 86400;
	assert_int_equal(ask_usage(c, &r, 0).spent, 70);
}

static inline void seeds_raise_only(void **state)
{
	struct client *c = *state;
	char name[32];
	struct str scope = scope_new(c, name);
	struct store_limit l = budget_of("usd/month", 100, 10), old = l, window = window_of("t", STORE_WINDOW, 60, 9, 1);
	struct store_reservation r = reservation_of(scope, &l, 1);
	assert_int_equal(ask_seed(c, scope, &l, 40), STORE_OK);
	assert_int_equal(ask_usage(c, &r, 0).spent, 40);
	assert_int_equal(ask_reserve(c, &r, NULL), STORE_OK);
	assert_int_equal(ask_settle(c, &r, &(int64_t){ 10 }, false), STORE_OK);
	assert_int_equal(ask_seed(c, scope, &l, 45), STORE_OK);
	assert_int_equal(ask_usage(c, &r, 0).spent, 50);
	old.period_start -= 86400;
	assert_int_equal(ask_seed(c, scope, &old, 99), STORE_OK);
	assert_int_equal(ask_usage(c, &r, 0).spent, 50);
	assert_int_equal(ask_seed(c, scope, &window, 5), STORE_BROKEN);
}

static inline void broken_records_stand_alone(void **state)
{
	struct client *c = *state;
	char name[32];
	struct str scope = scope_new(c, name);
	struct store_limit l[2] = { budget_of("good", 100, 10), budget_of("bad", 100, 10) };
	struct store_reservation r = reservation_of(scope, l, 2), again = reservation_of(scope, l, 2);
	assert_int_equal(ask_reserve(c, &r, NULL), STORE_OK);
	l[1] = window_of("bad", STORE_WINDOW, 60, 100, 10);
	assert_int_equal(ask_reserve(c, &again, NULL), STORE_BROKEN);
	struct store_reservation good = reservation_of(scope, l, 1);
	assert_int_equal(ask_usage(c, &good, 0).reserved, 10);
	assert_int_equal(ask_reserve(c, &good, NULL), STORE_OK);
	assert_int_equal(ask_usage(c, &good, 0).reserved, 20);
}

static inline void amounts_keep_their_bounds(void **state)
{
	struct client *c = *state;
	char name[32];
	struct str scope = scope_new(c, name);
	struct store_limit l = budget_of("usd/month", INT64_MAX, STORE_AMOUNT_MAX - 7);
	struct store_reservation r = reservation_of(scope, &l, 1);
	assert_int_equal(ask_reserve(c, &r, NULL), STORE_OK);
	assert_true(ask_usage(c, &r, 0).reserved == STORE_AMOUNT_MAX - 7);
	assert_int_equal(ask_settle(c, &r, &(int64_t){ STORE_AMOUNT_MAX - 9 }, false), STORE_OK);
	assert_true(ask_usage(c, &r, 0).spent == STORE_AMOUNT_MAX - 9);

	l.amount = INT64_MIN;
	struct store_reservation negative = reservation_of(scope, &l, 1);
	assert_int_equal(ask_reserve(c, &negative, NULL), STORE_OK);
	assert_int_equal(ask_settle(c, &negative, &(int64_t){ -5 }, false), STORE_OK);
	assert_true(ask_usage(c, &r, 0).spent == STORE_AMOUNT_MAX - 9);
	l.amount = 9;
	struct store_reservation last = reservation_of(scope, &l, 1);
	assert_int_equal(ask_reserve(c, &last, NULL), STORE_OK);
	assert_int_equal(ask_settle(c, &last, &(int64_t){ INT64_MAX }, false), STORE_OK);
	assert_true(ask_usage(c, &r, 0).spent == STORE_AMOUNT_MAX);
	assert_int_equal(ask_reserve(c, &r, NULL), STORE_REFUSED);
}

static inline void scopes_and_keys_are_bytes(void **state)
{
	struct client *c = *state;
	static const struct str scopes[] = {
		STR_INIT("a"), STR_INIT("a}"), STR_INIT("{a"), STR_INIT("{}"), STR_INIT("a%7D"), STR_INIT("a\0b"),
		STR_INIT("a}:l:k"), STR_INIT("%"), STR_INIT("\r\n"), STR_INIT("\xff\xfe"),
	};
	struct store_limit l[2] = { budget_of("k", 100, 10), budget_of("k}:l:k", 100, 10) };
	l[1].key = STR("k\0\r\n*3{x}");
	for (size_t i = 0; i < array_len(scopes); i++) {
		struct store_reservation r = reservation_of(scopes[i], l, 2);
		struct store_answer a;
		assert_int_equal(ask_reserve(c, &r, &a), STORE_OK);
		assert_true(a.used[0].fresh && a.used[1].fresh);
		assert_int_equal(a.used[0].reserved, 10);
		assert_int_equal(ask_settle(c, &r, (int64_t[]){ 1, 2 }, false), STORE_OK);
		assert_int_equal(ask_usage(c, &r, 1).spent, 2);
	}
	char long_name[STORE_KEY_MAX + 1];
	memset(long_name, '}', sizeof(long_name));
	struct store_reservation r = reservation_of(str_of(long_name, STORE_KEY_MAX), l, 2);
	l[1].key = str_of(long_name, STORE_KEY_MAX);
	assert_int_equal(ask_reserve(c, &r, NULL), STORE_OK);
	l[1].key.n++;
	assert_int_equal(ask_reserve(c, &r, NULL), STORE_BROKEN);
	l[1].key.n = 0;
	assert_int_equal(ask_reserve(c, &r, NULL), STORE_BROKEN);
	r.scope = STR_NONE;
	assert_int_equal(ask_settle(c, &r, (int64_t[]){ 1, 2 }, false), STORE_BROKEN);
}

static inline void as_many_limits_as_may_be(void **state)
{
	struct client *c = *state;
	char name[32], keys[STORE_LIMITS_MAX][8];
	struct store_limit l[STORE_LIMITS_MAX + 1] = { 0 };
	int64_t real[STORE_LIMITS_MAX];
	for (unsigned i = 0; i < STORE_LIMITS_MAX; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%u", i);
		l[i] = i % 2 ? budget_of(keys[i], 100, i) : window_of(keys[i], STORE_WINDOW, 3600, 100, i);
		real[i] = 2 * i;
	}
	struct store_reservation r = reservation_of(scope_new(c, name), l, STORE_LIMITS_MAX);
	struct store_answer a;
	assert_int_equal(ask_reserve(c, &r, &a), STORE_OK);
	for (unsigned i = 0; i < STORE_LIMITS_MAX; i++)
		assert_int_equal(a.used[i].reserved, i);
	assert_int_equal(ask_settle(c, &r, real, true), STORE_OK);
	for (unsigned i = 0; i < STORE_LIMITS_MAX; i++)
		assert_int_equal(ask_usage(c, &r, i).spent, 2 * i);
	struct store_reservation none = reservation_of(r.scope, l, 0);
	assert_int_equal(ask_reserve(c, &none, &a), STORE_OK);
	assert_int_equal(ask_settle(c, &none, real, false), STORE_OK);
	none.n = STORE_LIMITS_MAX + 1;
	assert_int_equal(ask_reserve(c, &none, &a), STORE_BROKEN);
}

static inline void values_come_and_go(void **state)
{
	struct client *c = *state;
	struct waited w;
	char name[32];
	struct str key = scope_new(c, name), bytes = STR("a\0\r\n\xff");
	assert_int_equal(ask_get(c, key, &w), STORE_MISSING);
	assert_int_equal(ask_put(c, key, bytes, 60000), STORE_OK);
	assert_int_equal(ask_get(c, key, &w), STORE_OK);
	assert_int_equal(w.value_n, bytes.n);
	assert_memory_equal(w.value, bytes.p, bytes.n);
	assert_int_equal(ask_put(c, key, STR_NONE, 60000), STORE_OK);
	assert_int_equal(ask_get(c, key, &w), STORE_OK);
	assert_int_equal(w.value_n, 0);
	assert_int_equal(ask_remove(c, key), STORE_OK);
	assert_int_equal(ask_get(c, key, &w), STORE_MISSING);
	assert_int_equal(ask_remove(c, key), STORE_OK);
	assert_int_equal(ask_put(c, key, bytes, INT64_MAX), STORE_OK);
	assert_int_equal(ask_put(c, key, bytes, 0), STORE_OK);
	assert_int_equal(ask_get(c, key, &w), STORE_MISSING);
	assert_int_equal(ask_put(c, key, bytes, 200), STORE_OK);
	c->pass(c, 300);
	assert_int_equal(ask_get(c, key, &w), STORE_MISSING);
	assert_int_equal(ask_get(c, STR_NONE, &w), STORE_BROKEN);
}

/* Whoever does not care passes no call. */
static inline void needs_no_listener(void **state)
{
	struct client *c = *state;
	char name[32];
	struct str scope = scope_new(c, name);
	struct store_limit l = budget_of("usd/month", 100, 60);
	struct store_reservation r = reservation_of(scope, &l, 1);
	struct waited w;
	assert_int_equal(ask_reserve(c, &r, NULL), STORE_OK);
	store_renew(c->store, NULL, &r);
	store_settle(c->store, NULL, &r, &(int64_t){ 55 }, false);
	store_put(c->store, NULL, scope, STR("x"), 60000);
	assert_int_equal(ask_usage(c, &r, 0).spent, 55);
	assert_int_equal(ask_get(c, scope, &w), STORE_OK);
	store_remove(c->store, NULL, scope);
	assert_int_equal(ask_get(c, scope, &w), STORE_MISSING);
}

/* --- several calls of one turn --- */

enum { TURN = 80 };	/* more than go into one command */

/* Of two scopes by turns, each of its own amount: judged one after the other, as if each had come alone. */
static inline void one_turn_is_as_many(void **state)
{
	struct client *c = *state;
	static struct waited w[TURN], s[2][TURN];
	static struct store_reservation r[TURN];
	static struct store_limit l[TURN][2];
	char names[2][32];
	struct str scopes[2] = { scope_new(c, names[0]), scope_new(c, names[1]) };
	int64_t taken[2] = { 0 }, came_to[2] = { 0 };
	bool fits[TURN];
	for (int i = 0; i < TURN; i++) {
		l[i][0] = budget_of("usd/month", 500, 1 + i * 7 % 40);
		l[i][1] = window_of("tokens/3600", STORE_WINDOW, 3600, 100000, i);
		r[i] = reservation_of(scopes[i % 2], l[i], 2);
		waited_init(c, &w[i]);
		store_reserve(c->store, &w[i].call, &r[i], &w[i].answer);
	}
	for (int i = 0; i < TURN; i++) {
		fits[i] = taken[i % 2] + l[i][0].amount <= 500;
		taken[i % 2] += fits[i] ? l[i][0].amount : 0;
		assert_int_equal(wait_for(&w[i]), fits[i] ? STORE_OK : STORE_REFUSED);
		assert_int_equal(w[i].answer.used[0].reserved, taken[i % 2]);
		assert_int_equal(w[i].answer.refused_by, 0);
	}
	/* Settled twice in a turn is settled once; what was refused has nothing to settle. */
	for (int i = 0; i < TURN; i++)
		for (int twice = 0; twice < 2; twice++) {
			waited_init(c, &s[twice][i]);
			store_settle(c->store, &s[twice][i].call, &r[i], (int64_t[]){ i, 1 }, false);
		}
	for (int i = 0; i < TURN; i++) {
		assert_int_equal(wait_for(&s[0][i]), fits[i] ? STORE_OK : STORE_MISSING);
		assert_int_equal(wait_for(&s[1][i]), STORE_MISSING);
		came_to[i % 2] += fits[i] ? i : 0;
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask_usage(c, &r[i], 0).spent, came_to[i]);
		assert_int_equal(ask_usage(c, &r[i], 0).reserved, 0);
		assert_int_equal(ask_usage(c, &r[i], 1).reserved, 0);
	}
}

/* The first of a turn fits beside what lapsed, the second only without it. */
static inline void one_turn_lets_go_between(void **state)
{
	struct client *c = *state;
	char name[32];
	struct str scope = scope_new(c, name);
	struct store_limit l = budget_of("usd/month", 100, 60);
	struct store_reservation lost = reservation_of(scope, &l, 1), r[4];
	struct waited w[4];
	assert_int_equal(ask_reserve(c, &lost, NULL), STORE_OK);
	c->pass(c, c->ttl_ms + 100);
	l.amount = 30;
	for (int i = 0; i < 4; i++) {
		r[i] = reservation_of(scope, &l, 1);
		waited_init(c, &w[i]);
		store_reserve(c->store, &w[i].call, &r[i], &w[i].answer);
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(wait_for(&w[i]), i < 3 ? STORE_OK : STORE_REFUSED);
	assert_int_equal(ask_usage(c, &r[0], 0).reserved, 90);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask_settle(c, &r[i], &(int64_t){ 10 }, false), STORE_OK);
	assert_int_equal(ask_usage(c, &r[0], 0).reserved, 0);
	assert_int_equal(ask_usage(c, &r[0], 0).spent, 30);
}

#define STORE_SUITE(setup, teardown) \
	cmocka_unit_test_setup_teardown(settles_less_and_more, setup, teardown), \
	cmocka_unit_test_setup_teardown(says_who_refuses_and_when, setup, teardown), \
	cmocka_unit_test_setup_teardown(refusal_touches_nothing, setup, teardown), \
	cmocka_unit_test_setup_teardown(admits_exactly_what_fits, setup, teardown), \
	cmocka_unit_test_setup_teardown(slots_come_back, setup, teardown), \
	cmocka_unit_test_setup_teardown(window_slides, setup, teardown), \
	cmocka_unit_test_setup_teardown(tokens_are_reserved_then_spent, setup, teardown), \
	cmocka_unit_test_setup_teardown(reservations_lapse, setup, teardown), \
	cmocka_unit_test_setup_teardown(renewal_keeps_and_revives, setup, teardown), \
	cmocka_unit_test_setup_teardown(counts_what_was_not_reserved, setup, teardown), \
	cmocka_unit_test_setup_teardown(periods_begin_anew, setup, teardown), \
	cmocka_unit_test_setup_teardown(a_period_of_a_wrong_clock_is_let_go, setup, teardown), \
	cmocka_unit_test_setup_teardown(seeds_raise_only, setup, teardown), \
	cmocka_unit_test_setup_teardown(broken_records_stand_alone, setup, teardown), \
	cmocka_unit_test_setup_teardown(amounts_keep_their_bounds, setup, teardown), \
	cmocka_unit_test_setup_teardown(scopes_and_keys_are_bytes, setup, teardown), \
	cmocka_unit_test_setup_teardown(as_many_limits_as_may_be, setup, teardown), \
	cmocka_unit_test_setup_teardown(values_come_and_go, setup, teardown), \
	cmocka_unit_test_setup_teardown(needs_no_listener, setup, teardown), \
	cmocka_unit_test_setup_teardown(one_turn_is_as_many, setup, teardown), \
	cmocka_unit_test_setup_teardown(one_turn_lets_go_between, setup, teardown)

#endif
