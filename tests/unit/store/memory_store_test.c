/*
 * memory_store_test.c: the contract in memory, under a clock of the test's, and what only memory can
 * show: bounds, and threads that race.
 */
#include "tests/unit/store/store_suite.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/digest.h"

static _Atomic int64_t now_us = 1000 * 1000000;

static int64_t test_clock(void)
{
	return atomic_load(&now_us);
}

static void pass(struct client *c, int64_t ms)
{
	(void)c;
	now_us += ms * MS_US;
}

static int open_client(void **state, struct store_options o)
{
	static struct client c;
	memset(&c, 0, sizeof(c));
	o.url = STR("memory");
	o.clock = test_clock;
	client_open(&c, &o);
	c.pass = pass;
	c.ttl_ms = STORE_TTL_S * 1000;
	*state = &c;
	return 0;
}

static int setup(void **state)
{
	return open_client(state, (struct store_options){ 0 });
}

static int setup_small(void **state)
{
	return open_client(state, (struct store_options){ .memory_limits_max = 100, .memory_values_max = 64 * 1024 });
}

#ifndef __SANITIZE_ADDRESS__
static int setup_16_mib(void **state)
{
	return open_client(state, (struct store_options){ .memory_values_max = 16 * 1024 * 1024 });
}
#endif

static int teardown(void **state)
{
	client_close(*state);
	return 0;
}

/* However requests come, no span of time holds more than the limit. */
static void no_span_holds_more(void **state)
{
	enum { STEPS = 4000, LIMIT = 40, SPAN = 7 };
	struct client *c = *state;
	struct store_limit l = window_of("requests/7", STORE_REQUESTS, SPAN, LIMIT, 1);
	static int64_t granted[STEPS];
	unsigned n = 0, most = 0;
	for (int i = 0; i < STEPS; i++) {
		now_us += (int64_t)(random_u64() % (random_u64() % 20 ? 100000 : 9000000));
		struct store_reservation r = reservation_of(STR("spans"), &l, 1);
		if (ask_reserve(c, &r, NULL) != STORE_OK)
			continue;
		granted[n++] = now_us;
		unsigned within = 0;
		while (within < n && granted[n - 1 - within] > now_us - SPAN * SECOND_US)
			within++;
		assert_true(within <= LIMIT);
		most = within > most ? within : most;
	}
	assert_int_equal(most, LIMIT);
}

static void a_clock_set_back_frees_and_locks_nothing(void **state)
{
	struct client *c = *state;
	struct store_limit l = window_of("requests/60", STORE_REQUESTS, 60, 3, 1);
	struct store_reservation r = reservation_of(STR("back"), &l, 1);
	now_us += 7200 * SECOND_US;
	for (int i = 0; i < 3; i++) {
		r = reservation_of(STR("back"), &l, 1);
		assert_int_equal(ask_reserve(c, &r, NULL), STORE_OK);
	}
	now_us -= 3600 * SECOND_US;
	r = reservation_of(STR("back"), &l, 1);
	assert_int_equal(ask_reserve(c, &r, NULL), STORE_REFUSED);
	now_us += 64 * SECOND_US;
	assert_int_equal(ask_reserve(c, &r, NULL), STORE_OK);
}

/* What was spent before a restart counts until it is a span old, and at most a part of one longer. */
static void what_is_restored_has_its_age(void **state)
{
	struct client *c = *state;
	struct store_limit l = window_of("usd/160", STORE_WINDOW, 160, 100, 1);
	struct store_reservation r = reservation_of(STR("restored"), &l, 1);
	store_restore(c->store, STR("restored"), &l, 40, 150 * SECOND_US);
	store_restore(c->store, STR("restored"), &l, 30, 0);
	store_restore(c->store, STR("restored"), &l, 20, 181 * SECOND_US);	/* too old to count */
	assert_int_equal(ask_usage(c, &r, 0).spent, 70);
	now_us += 10 * SECOND_US - 1;
	assert_int_equal(ask_usage(c, &r, 0).spent, 70);
	now_us += 11 * SECOND_US;
	assert_int_equal(ask_usage(c, &r, 0).spent, 30);
	now_us += 139 * SECOND_US - 1;
	assert_int_equal(ask_usage(c, &r, 0).spent, 30);
	now_us += 12 * SECOND_US;
	assert_int_equal(ask_usage(c, &r, 0).spent, 0);
}

static void dead_limits_make_room(void **state)
{
	struct client *c = *state;
	char key[16];
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		struct store_limit l = window_of(key, STORE_REQUESTS, 1, 3, 1);
		char scope[16];
		snprintf(scope, sizeof(scope), "s%d", i % 7);
		struct store_reservation r = reservation_of(str_c(scope), &l, 1);
		assert_int_equal(ask_reserve(c, &r, NULL), STORE_OK);
		assert_int_equal(ask_settle(c, &r, &(int64_t){ 1 }, false), STORE_OK);
		pass(c, 50);
	}
}

/* Names that callers make up are kept from the last eighth of the room; dead limits do not count. */
static void a_crowded_store_says_so(void **state)
{
	struct client *c = *state;
	char key[32];
	for (int i = 0; i < 400; i++) {
		bool live = i >= 300;
		snprintf(key, sizeof(key), "requests/%d", i);
		struct store_limit l = window_of(key, STORE_REQUESTS, live ? 60 : 1, 5, 1);
		struct store_reservation r = reservation_of(STR("crowd"), &l, 1);
		assert_int_equal(ask_reserve(c, &r, NULL), STORE_OK);
		now_us += live ? 0 : 200 * SECOND_US;		/* its reservation has lapsed */
		assert_int_equal(store_crowded(c->store), i >= 384);
	}
}

static void what_counts_is_never_dropped(void **state)
{
	struct client *c = *state;
	char keys[101][16];
	struct store_limit l[101];
	for (int i = 0; i < 101; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%d", i);
		l[i] = budget_of(keys[i], 100, 10);
		struct store_reservation r = reservation_of(STR("full"), &l[i], 1);
		enum store_result got = ask_reserve(c, &r, NULL);
		assert_int_equal(got, i < 100 ? STORE_OK : STORE_DOWN);
		if (got == STORE_OK)
			assert_int_equal(ask_settle(c, &r, &(int64_t){ 1 }, false), STORE_OK);
	}
	for (int i = 0; i < 100; i++) {
		struct store_reservation r = reservation_of(STR("full"), &l[i], 1);
		assert_int_equal(ask_usage(c, &r, 0).spent, 1);
	}
	struct store_limit both[2] = { l[0], l[100] };
	struct store_reservation r = reservation_of(STR("full"), both, 2);
	assert_int_equal(ask_reserve(c, &r, NULL), STORE_DOWN);
	r.limits = l;
	r.n = 1;
	assert_int_equal(ask_usage(c, &r, 0).reserved, 0);
}

static void values_are_bounded(void **state)
{
	struct client *c = *state;
	static char value[1000];
	struct waited w;
	char key[16];
	unsigned kept = 0;
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(ask_put(c, str_c(key), str_of(value, sizeof(value)), 60000), STORE_OK);
	}
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		kept += ask_get(c, str_c(key), &w) == STORE_OK;
	}
	assert_true(kept > 16 && kept <= 64);
	assert_int_equal(ask_get(c, STR("k999"), &w), STORE_OK);
	static char huge[100000];
	assert_int_equal(ask_put(c, STR("k999"), str_of(huge, sizeof(huge)), 60000), STORE_OK);
	assert_int_equal(ask_get(c, STR("k999"), &w), STORE_MISSING);
}

/* Those that are asked for again stay, however many come that are asked for once. */
static void values_that_are_read_stay(void **state)
{
	struct client *c = *state;
	static char value[200];
	struct waited w;
	char key[16];
	assert_int_equal(ask_put(c, STR("wanted"), str_of(value, sizeof(value)), 60000), STORE_OK);
	assert_int_equal(ask_get(c, STR("wanted"), &w), STORE_OK);
	for (int i = 0; i < 5000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(ask_put(c, str_c(key), str_of(value, sizeof(value)), 60000), STORE_OK);
	}
	assert_int_equal(ask_get(c, STR("wanted"), &w), STORE_OK);
	assert_int_equal(ask_get(c, STR("k0"), &w), STORE_MISSING);
}

/* Also where all of them are read: the protected make way, too. */
static void values_that_are_all_read_are_bounded(void **state)
{
	struct client *c = *state;
	static char value[1000];
	struct waited w;
	char key[16];
	unsigned kept = 0;
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(ask_put(c, str_c(key), str_of(value, sizeof(value)), 60000), STORE_OK);
		assert_int_equal(ask_get(c, str_c(key), &w), STORE_OK);
	}
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		kept += ask_get(c, str_c(key), &w) == STORE_OK;
	}
	assert_true(kept > 16 && kept <= 64);
}

/* --- threads --- */

enum { THREADS = 4, TURNS = 20 };

struct racer {
	pthread_t thread;
	struct store_home *home;
	pthread_barrier_t *start;
	unsigned granted[TURNS];
};

struct inline_call {
	struct store_call call;
	struct store_answer answer;
	unsigned times;
};

static void inline_done(struct store_call *c)
{
	container_of(c, struct inline_call, call)->times++;
}

static bool race_once(struct store *s, int turn, int i)
{
	char scope[16], key[16];
	snprintf(scope, sizeof(scope), "race %d", turn);
	snprintf(key, sizeof(key), "value %d", i % 5);
	struct store_limit l[3] = {
		budget_of("usd", 20, 1), window_of("requests/60", STORE_REQUESTS, 60, 1000, 1), slots_of("at once", 1000),
	};
	struct store_reservation r = reservation_of(str_c(scope), l, 3);
	struct inline_call reserve = { .call.done = inline_done }, get = { .call.done = inline_done };
	store_reserve(s, &reserve.call, &r, &reserve.answer);
	store_get(s, &get.call, str_c(key));
	store_put(s, NULL, str_c(key), str_c(scope), i % 3 ? 60000 : 0);
	bool granted = reserve.call.result == STORE_OK;
	if (granted)
		store_settle(s, NULL, &r, (int64_t[]){ 1, 1, 0 }, i % 2);
	return granted && reserve.times == 1 && get.times == 1;
}

static void *racer_main(void *arg)
{
	struct racer *r = arg;
	struct store *s = store_open(r->home, NULL);
	for (int turn = 0; turn < TURNS; turn++) {
		pthread_barrier_wait(r->start);
		for (int i = 0; i < 50; i++)
			r->granted[turn] += race_once(s, turn, i);
	}
	store_close(s);
	return NULL;
}

static void threads_admit_exactly_what_fits(void **state)
{
	struct client *c = *state;
	static struct racer racers[THREADS];
	pthread_barrier_t start;
	pthread_barrier_init(&start, NULL, THREADS);
	memset(racers, 0, sizeof(racers));
	for (int i = 0; i < THREADS; i++) {
		racers[i].home = c->home;
		racers[i].start = &start;
		assert_int_equal(pthread_create(&racers[i].thread, NULL, racer_main, &racers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(racers[i].thread, NULL);
	for (int turn = 0; turn < TURNS; turn++) {
		unsigned granted = 0;
		for (int i = 0; i < THREADS; i++)
			granted += racers[i].granted[turn];
		assert_int_equal(granted, 20);
	}
	pthread_barrier_destroy(&start);
}

#ifndef __SANITIZE_ADDRESS__	/* whose allocator keeps no such count */
static size_t allocated(void)
{
	struct mallinfo2 m = mallinfo2();
	return m.uordblks + m.hblkhd;
}

static void put_of_size(struct client *c, unsigned i, size_t n)
{
	static char bytes[512 * 1024];
	char key[32];
	int k = snprintf(key, sizeof(key), "value/%u", i);
	store_put(c->store, NULL, str_of(key, (size_t)k), str_of(bytes, n), 3600000);
}

/* By the allocator's own count: what values cost beside their bytes, and what the tables take, is part of the bound. */
static void values_of_all_sizes_are_bounded(void **state)
{
	enum { MOST = 16 * 1024 * 1024 };
	struct client *c = *state;
	size_t before = allocated(), most = 0;
	uint64_t seed = 7;
	for (unsigned i = 0; i < 150000; i++) {	/* many small ones first, then ever larger ones */
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		size_t shift = 1 + i / 15000 * 2;
		put_of_size(c, i, (size_t)(seed >> 40) % ((size_t)1 << (shift < 19 ? shift : 19)));
		size_t now = allocated() - before;
		most = now > most ? now : most;
		if (now > MOST)
			fail_msg("%zu bytes at value %u", now, i);
	}
	if (most <= MOST / 2)		/* and is used */
		fail_msg("%zu bytes at most", most);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_SUITE(setup, teardown),
		cmocka_unit_test_setup_teardown(no_span_holds_more, setup, teardown),
		cmocka_unit_test_setup_teardown(a_clock_set_back_frees_and_locks_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_restored_has_its_age, setup, teardown),
		cmocka_unit_test_setup_teardown(dead_limits_make_room, setup_small, teardown),
		cmocka_unit_test_setup_teardown(a_crowded_store_says_so, setup_small, teardown),
		cmocka_unit_test_setup_teardown(what_counts_is_never_dropped, setup_small, teardown),
		cmocka_unit_test_setup_teardown(values_are_bounded, setup_small, teardown),
		cmocka_unit_test_setup_teardown(values_that_are_read_stay, setup_small, teardown),
		cmocka_unit_test_setup_teardown(values_that_are_all_read_are_bounded, setup_small, teardown),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test_setup_teardown(values_of_all_sizes_are_bounded, setup_16_mib, teardown),
#endif
		cmocka_unit_test_setup_teardown(threads_admit_exactly_what_fits, setup, teardown),
	};
	return cmocka_run_group_tests_name("store: memory", tests, NULL, NULL);
}
