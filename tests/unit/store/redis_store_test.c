/*
 * redis_store_test.c: the contract on a real redis-server, and what is particular to it: scripts,
 * logging in, records that others wrote, errors that mean it is not able.
 */
#include "tests/unit/store/redis_server.h"
#include "tests/unit/store/store_suite.h"

static struct redis_server server;

static void pass(struct client *c, int64_t ms)
{
	client_run_for(c, ms);
}

static int open_client(void **state, const char *url)
{
	static struct client c;
	static unsigned serial;
	memset(&c, 0, sizeof(c));
	c.serial = serial += 1000;
	client_open(&c, &(struct store_options){ .url = str_c(url), .ttl_ms = 1500, .command_ms = 5000 });
	c.pass = pass;
	c.server = &server;
	wait_until_up(&c);
	*state = &c;
	return 0;
}

static int setup(void **state)
{
	char url[200];
	snprintf(url, sizeof(url), "redis+unix://%s", server.path);
	return open_client(state, url);
}

static int setup_tcp(void **state)
{
	char url[200];
	snprintf(url, sizeof(url), "redis://127.0.0.1:%u/3", server.port);
	return open_client(state, url);
}

static int teardown(void **state)
{
	client_close(*state);
	return 0;
}

static int start_server(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	redis_server_open(&server);
	return 0;
}

static int stop_server(void **state)
{
	(void)state;
	redis_server_close(&server);
	return 0;
}

static bool says(const char *command, const char *expected)
{
	const char *answer = redis_say(&server, command);
	bool as_expected = strstr(answer, expected) != NULL;
	if (!as_expected)
		fprintf(stderr, "%s: %s\n", command, answer);
	return as_expected;
}

static void script_is_loaded_again(void **state)
{
	struct client *c = *state;
	char name[32];
	struct str scope = scope_new(c, name);
	struct store_limit l = budget_of("usd/month", 1000, 1);
	struct waited w[50];
	struct store_reservation r[50];
	assert_true(says("SCRIPT FLUSH", "+OK"));
	for (int i = 0; i < 50; i++) {
		waited_init(c, &w[i]);
		r[i] = reservation_of(scope, &l, 1);
		store_reserve(c->store, &w[i].call, &r[i], &w[i].answer);
	}
	for (int i = 0; i < 50; i++)
		assert_int_equal(wait_for(&w[i]), STORE_OK);
	assert_int_equal(ask_usage(c, r, 0).reserved, 50);
}

static void database_is_chosen(void **state)
{
	struct client *c = *state;
	assert_int_equal(ask_put(c, STR("where am I"), STR("three"), 60000), STORE_OK);
	assert_true(says("EXISTS \"weir:v:where am I\"", ":0"));
	assert_true(strstr(store_home_name(c->home), "/3") != NULL);
}

static void nothing_is_left_but_counts(void **state)
{
	struct client *c = *state;
	struct store_limit l[3] = {
		budget_of("usd", 1000, 5), window_of("t/1", STORE_WINDOW, 1, 100, 9), slots_of("at once", 9),
	};
	struct store_reservation r = reservation_of(STR("tidy"), l, 3);
	assert_int_equal(ask_reserve(c, &r, NULL), STORE_OK);
	assert_true(says("ZCARD weir:{tidy}:live", ":1"));
	assert_int_equal(ask_settle(c, &r, (int64_t[]){ 1, 2, 0 }, false), STORE_OK);
	assert_true(says("EXISTS weir:{tidy}:live", ":0"));
	/* What counts in no period to come vanishes by itself. */
	static const char *const passing[] = { "TTL weir:{tidy}:l:t/1", "TTL \"weir:{tidy}:l:at once\"" };
	for (size_t i = 0; i < array_len(passing); i++) {
		long ttl = 0;
		assert_int_equal(sscanf(redis_say(&server, passing[i]), ":%ld", &ttl), 1);
		assert_true(ttl > 0 && ttl <= 86400);
	}
}

static void garbage_is_told_from_records(void **state)
{
	struct client *c = *state;
	static const char *const garbage[] = {
		"SET weir:{g}:l:bad nonsense", "LPUSH weir:{g}:l:bad 1", "SET weir:{g}:l:bad \"\"",
		"SET weir:{g}:l:bad \"\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff12345678901234567890abcd\"",
	};
	struct store_limit l[2] = { budget_of("good", 1000, 5), budget_of("bad", 1000, 5) };
	for (size_t i = 0; i < array_len(garbage); i++) {
		redis_say(&server, "DEL weir:{g}:l:bad weir:{g}:l:good");
		redis_say(&server, garbage[i]);
		struct store_reservation both = reservation_of(STR("g"), l, 2), good = reservation_of(STR("g"), l, 1);
		assert_int_equal(ask_reserve(c, &both, NULL), STORE_BROKEN);
		assert_true(says("EXISTS weir:{g}:l:good", ":0"));
		assert_int_equal(ask_reserve(c, &good, NULL), STORE_OK);
		assert_true(store_is_up(c->store));
	}
	/* Broken while reserved: the good one is settled all the same. */
	redis_say(&server, "DEL weir:{g}:l:bad weir:{g}:l:good");
	struct store_reservation r = reservation_of(STR("g"), l, 2);
	assert_int_equal(ask_reserve(c, &r, NULL), STORE_OK);
	redis_say(&server, "SET weir:{g}:l:bad nonsense");
	assert_int_equal(ask_settle(c, &r, (int64_t[]){ 3, 3 }, false), STORE_BROKEN);
	struct store_reservation good = reservation_of(STR("g"), l, 1);
	assert_int_equal(ask_usage(c, &good, 0).spent, 3);
	assert_int_equal(ask_usage(c, &good, 0).reserved, 0);
	struct waited w;
	redis_say(&server, "LPUSH weir:v:list 1");
	assert_int_equal(ask_get(c, STR("list"), &w), STORE_BROKEN);
}

static void a_flush_is_seen(void **state)
{
	struct client *c = *state;
	char name[32];
	struct str scope = scope_new(c, name);
	struct store_limit l = budget_of("usd/month", 1000, 5);
	struct store_reservation r = reservation_of(scope, &l, 1), next = reservation_of(scope, &l, 1);
	struct store_answer a;
	assert_int_equal(ask_reserve(c, &r, &a), STORE_OK);
	redis_say(&server, "FLUSHALL");
	assert_int_equal(ask_reserve(c, &next, &a), STORE_OK);
	assert_true(a.used[0].fresh);
	assert_int_equal(ask_seed(c, scope, &l, 700), STORE_OK);
	assert_int_equal(ask_usage(c, &r, 0).spent, 700);
	assert_int_equal(ask_settle(c, &r, &(int64_t){ 5 }, false), STORE_MISSING);
	assert_int_equal(ask_usage(c, &r, 0).reserved, 5);
}

static void cancelled_reservations_go_back(void **state)
{
	struct client *c = *state;
	char name[32];
	struct str scope = scope_new(c, name);
	struct store_limit l[2] = { budget_of("usd/month", 1000, 5), window_of("r", STORE_REQUESTS, 3600, 9, 1) };
	struct store_reservation r = reservation_of(scope, l, 2);
	struct waited w;
	waited_init(c, &w);
	store_reserve(c->store, &w.call, &r, &w.answer);
	store_cancel(c->store, &w.call);
	store_cancel(c->store, &w.call);
	for (int i = 0; i < 1000 && (ask_usage(c, &r, 0).fresh || ask_usage(c, &r, 0).reserved); i++)
		client_run_for(c, 1);
	assert_int_equal(w.times, 0);
	assert_int_equal(ask_usage(c, &r, 0).reserved, 0);
	assert_int_equal(ask_usage(c, &r, 1).spent, 0);
	assert_false(ask_usage(c, &r, 0).fresh);
}

/* Who leaves takes nothing from those who asked with it. */
static void one_turn_without_some(void **state)
{
	struct client *c = *state;
	char name[32];
	struct str scope = scope_new(c, name);
	struct store_limit l[2] = { budget_of("usd/month", 1000, 5), window_of("requests/3600", STORE_REQUESTS, 3600, 100, 1) };
	static struct store_reservation r[TURN];
	static struct waited w[TURN];
	for (int i = 0; i < TURN; i++) {
		r[i] = reservation_of(scope, l, 2);
		waited_init(c, &w[i]);
		store_reserve(c->store, &w[i].call, &r[i], &w[i].answer);
	}
	for (int i = 0; i < TURN; i += 4)
		store_cancel(c->store, &w[i].call);
	for (int i = 0; i < TURN; i++)
		assert_int_equal(i % 4 ? wait_for(&w[i]) : STORE_OK, STORE_OK);
	for (int i = 0; i < 1000 && ask_usage(c, r, 0).reserved != TURN * 3 / 4 * 5; i++)
		client_run_for(c, 1);
	assert_int_equal(ask_usage(c, r, 0).reserved, TURN * 3 / 4 * 5);
	assert_int_equal(ask_usage(c, r, 1).spent, TURN * 3 / 4);
	for (int i = 0; i < TURN; i++) {
		assert_int_equal(w[i].times, i % 4 != 0);
		assert_int_equal(ask_settle(c, &r[i], (int64_t[]){ 1, 1 }, false), i % 4 ? STORE_OK : STORE_MISSING);
	}
}

struct leaver {
	struct store_call call;
	struct client *client;
	struct store_call *other;
};

static void leaves_with_another(struct store_call *call)
{
	struct leaver *x = container_of(call, struct leaver, call);
	store_cancel(x->client->store, x->other);
}

/* One connection has many requests: when the first hears its answer and all are ended, what the others got goes back. */
static void who_leaves_while_another_is_told(void **state)
{
	struct client *c = *state;
	char name[32];
	struct str scope = scope_new(c, name);
	struct store_limit l[2] = { budget_of("usd/month", 1000, 5), window_of("requests/3600", STORE_REQUESTS, 3600, 100, 1) };
	struct store_reservation r[2] = { reservation_of(scope, l, 2), reservation_of(scope, l, 2) };
	struct waited other;
	struct leaver first = { .call.done = leaves_with_another, .client = c, .other = &other.call };
	struct store_answer a;
	waited_init(c, &other);
	store_reserve(c->store, &first.call, &r[0], &a);
	store_reserve(c->store, &other.call, &r[1], &other.answer);
	for (int i = 0; i < 200 && ask_usage(c, r, 0).reserved != 5; i++)
		client_run_for(c, 1);
	assert_int_equal(ask_usage(c, r, 0).reserved, 5);
	assert_int_equal(ask_usage(c, r, 1).spent, 1);
	assert_int_equal(other.times, 0);
	assert_int_equal(first.call.result, STORE_OK);
}

/* Nor is anything changed where the reservations are kept in what is none of ours. */
static void sets_of_others_change_nothing(void **state)
{
	struct client *c = *state;
	struct store_limit l[2] = { budget_of("usd", 100, 40), slots_of("at once", 9) };
	struct store_reservation lost = reservation_of(STR("sets"), l, 2), next = reservation_of(STR("sets"), l, 2);
	redis_say(&server, "SET weir:{sets}:live nonsense");
	assert_int_equal(ask_reserve(c, &next, NULL), STORE_BROKEN);
	assert_true(says("EXISTS weir:{sets}:l:usd", ":0"));
	redis_say(&server, "DEL weir:{sets}:live");
	assert_int_equal(ask_reserve(c, &lost, NULL), STORE_OK);
	redis_say(&server, "SET weir:{sets}:lapsed nonsense");
	c->pass(c, c->ttl_ms + 100);
	l[0].amount = 61;
	for (int i = 0; i < 2; i++)
		assert_int_equal(ask_reserve(c, &next, NULL), STORE_BROKEN);
	redis_say(&server, "DEL weir:{sets}:lapsed");
	assert_int_equal(ask_reserve(c, &next, NULL), STORE_OK);
	assert_int_equal(ask_usage(c, &next, 0).reserved, 61);
}

/* A window's record: reserved, the newest sub-bucket, the sum, 17 counts. What is more than can be counted is in neither. */
static void a_sum_is_that_of_its_counts(void **state)
{
	struct client *c = *state;
	struct store_limit l = window_of("t", STORE_WINDOW, 1, INT64_MAX, 0);
	struct store_reservation r = reservation_of(STR("full"), &l, 1);
	int64_t record[20], sum = 0;
	assert_int_equal(ask_settle(c, &r, (int64_t[]){ STORE_AMOUNT_MAX - 2 }, true), STORE_OK);
	c->pass(c, 70);		/* another sub-bucket */
	r = reservation_of(STR("full"), &l, 1);
	assert_int_equal(ask_settle(c, &r, (int64_t[]){ 9 }, true), STORE_OK);
	const char *told = redis_say(&server, "GET weir:{full}:l:t");
	assert_true(strncmp(told, "$160\r\n", 6) == 0);
	memcpy(record, told + 6, sizeof(record));
	for (int i = 3; i < 20; i++)
		sum += record[i];
	assert_true(record[2] == sum && (sum == STORE_AMOUNT_MAX || sum == 9));
}

/* Not able to write: down, nothing done by halves; the settlement is kept and arrives. */
static void not_able(void **state, const char *break_it, const char *mend_it)
{
	struct client *c = *state;
	char name[32];
	struct str scope = scope_new(c, name);
	struct store_limit l[2] = { budget_of("usd/month", 1000, 5), slots_of("at once", 9) };
	struct store_reservation r = reservation_of(scope, l, 2), next = reservation_of(scope, l, 2);
	assert_int_equal(ask_reserve(c, &r, NULL), STORE_OK);
	redis_say(&server, break_it);
	for (int i = 0; i < 10; i++)
		assert_int_equal(ask_reserve(c, &next, NULL), STORE_DOWN);
	assert_int_equal(ask_settle(c, &r, (int64_t[]){ 4, 0 }, false), STORE_DOWN);
	assert_true(says(mend_it, "+OK"));
	struct store_answer a = { 0 };
	for (int i = 0; i < 2000 && a.used[0].spent != 4; i++) {
		struct waited w;
		client_run_for(c, 5);
		waited_init(c, &w);
		store_peek(c->store, &w.call, &r, &w.answer);
		if (wait_for(&w) == STORE_OK)
			a = w.answer;
	}
	assert_int_equal(a.used[0].spent, 4);
	assert_int_equal(a.used[0].reserved, 0);
	assert_int_equal(a.used[1].reserved, 0);
}

static void out_of_memory(void **state)
{
	not_able(state, "CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0");
}

static void read_only(void **state)
{
	not_able(state, "CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0");
}

static void a_replica(void **state)
{
	not_able(state, "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE");
}

/* Several processes are several homes: what they race for is in Redis alone. */
static void replicas_admit_exactly_what_fits(void **state)
{
	enum { REPLICAS = 3 };
	struct client *c = *state;
	struct store *stores[REPLICAS] = { c->store };
	struct store_home *homes[REPLICAS] = { c->home };
	char url[200];
	snprintf(url, sizeof(url), "redis://127.0.0.1:%u/0", server.port);
	for (int i = 1; i < REPLICAS; i++) {
		homes[i] = store_home_open(&(struct store_options){ .url = str_c(url), .command_ms = 5000 }, NULL);
		stores[i] = store_open(homes[i], &c->loop);
	}
	client_run_for(c, 300);
	for (int round = 0; round < ROUNDS; round++) {
		static struct waited w[RACERS];
		char name[32];
		struct str scope = scope_new(c, name);
		struct store_limit l = budget_of("usd/month", ADMITTED, 1);
		unsigned granted = 0;
		for (int i = 0; i < RACERS; i++) {
			struct store_reservation r = reservation_of(scope, &l, 1);
			waited_init(c, &w[i]);
			store_reserve(stores[i % REPLICAS], &w[i].call, &r, &w[i].answer);
		}
		for (int i = 0; i < RACERS; i++)
			granted += wait_for(&w[i]) == STORE_OK;
		assert_int_equal(granted, ADMITTED);
	}
	for (int i = 1; i < REPLICAS; i++) {
		assert_true(store_is_up(stores[i]));
		store_close(stores[i]);
		store_home_close(homes[i]);
	}
}

/* --- logging in --- */

static struct store *store_for(struct client *c, const char *url)
{
	memset(c, 0, sizeof(*c));
	client_open(c, &(struct store_options){ .url = str_c(url), .ttl_ms = 1500, .command_ms = 5000 });
	c->serial = 900000;
	return c->store;
}

static void users_log_in(void **state)
{
	struct client c;
	char url[300];
	(void)state;
	assert_true(says("ACL SETUSER alice on >p@ss:w/rd ~weir:* +@all", "+OK"));
	snprintf(url, sizeof(url), "redis://alice:p%%40ss%%3Aw%%2Frd@127.0.0.1:%u/1", server.port);
	store_for(&c, url);
	wait_until_up(&c);
	assert_int_equal(ask_put(&c, STR("k"), STR("v"), 60000), STORE_OK);
	assert_null(strstr(store_home_name(c.home), "alice"));
	assert_null(strstr(store_home_name(c.home), "rd@"));
	client_close(&c);
}

static void who_may_not_is_down(void **state)
{
	struct client c;
	char url[300];
	struct waited w;
	(void)state;
	snprintf(url, sizeof(url), "redis+unix://alice:wrong@%s?db=1", server.path);
	store_for(&c, url);
	client_run_for(&c, 300);
	assert_false(store_is_up(c.store));
	assert_int_equal(ask_get(&c, STR("k"), &w), STORE_DOWN);
	client_close(&c);

	assert_true(says("ACL SETUSER bob on >secret ~other:* +@all", "+OK"));
	snprintf(url, sizeof(url), "redis://bob:secret@127.0.0.1:%u", server.port);
	store_for(&c, url);
	wait_until_up(&c);
	assert_int_equal(ask_get(&c, STR("k"), &w), STORE_DOWN);
	client_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_SUITE(setup, teardown),
		cmocka_unit_test_setup_teardown(settles_less_and_more, setup_tcp, teardown),
		cmocka_unit_test_setup_teardown(database_is_chosen, setup_tcp, teardown),
		cmocka_unit_test_setup_teardown(script_is_loaded_again, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_left_but_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(garbage_is_told_from_records, setup, teardown),
		cmocka_unit_test_setup_teardown(a_flush_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(cancelled_reservations_go_back, setup, teardown),
		cmocka_unit_test_setup_teardown(one_turn_without_some, setup, teardown),
		cmocka_unit_test_setup_teardown(who_leaves_while_another_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(sets_of_others_change_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_sum_is_that_of_its_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(out_of_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(read_only, setup, teardown),
		cmocka_unit_test_setup_teardown(a_replica, setup, teardown),
		cmocka_unit_test_setup_teardown(replicas_admit_exactly_what_fits, setup, teardown),
		cmocka_unit_test(users_log_in),
		cmocka_unit_test(who_may_not_is_down),
	};
	return cmocka_run_group_tests_name("store: redis", tests, start_server, stop_server);
}
