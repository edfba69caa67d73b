/*
 * redis_faults_test.c: Redis stopped, killed, restarted, slow, and talking nonsense. Every call is
 * answered once, whatever happens, and the store comes back by itself.
 */
#include "store/redis_link.h"
#include "tests/unit/store/fake_redis.h"
#include "tests/unit/store/redis_server.h"
#include "tests/unit/store/store_client.h"

#include <malloc.h>
#include <stdatomic.h>

enum { CROWD = 60 };

static struct waited crowd[CROWD];
static struct store_answer answers[CROWD];
static const struct store_limit one_slot = {
	.key = STR_INIT("slots"), .kind = STORE_CONCURRENT, .amount = 1, .limit = 1000000,
};

/* Calls of every kind at once. */
static void crowd_ask(struct client *c, unsigned n)
{
	static const int64_t real[1] = { 0 };
	for (unsigned i = 0; i < n; i++) {
		struct store_reservation r = reservation_of(STR("crowd"), &one_slot, 1);
		struct store_call *call = &crowd[i].call;
		waited_init(c, &crowd[i]);
		switch (i % 6) {
		case 0: store_reserve(c->store, call, &r, &answers[i]); break;
		case 1: store_get(c->store, call, STR("value")); break;
		case 2: store_put(c->store, call, STR("value"), STR("bytes"), 1000); break;
		case 3: store_settle(c->store, call, &r, real, i % 4 == 1); break;
		case 4: store_renew(c->store, call, &r); break;
		default: store_remove(c->store, call, STR("value")); break;
		}
	}
}

static unsigned crowd_wait(unsigned n, enum store_result result)
{
	unsigned same = 0;
	for (unsigned i = 0; i < n; i++) {
		same += wait_for(&crowd[i]) == result;
		assert_int_equal(crowd[i].times, 1);
		assert_null(crowd[i].call.inner);
	}
	return same;
}

/* waited_done() fails when it is called twice, so running on proves that nothing comes late. */
static void nothing_more(struct client *c)
{
	client_run_for(c, 100);
	for (unsigned i = 0; i < CROWD; i++)
		assert_true(crowd[i].times <= 1);
}

static void client_for(struct client *c, const char *path, int64_t ttl_ms)
{
	char url[200];
	memset(c, 0, sizeof(*c));
	snprintf(url, sizeof(url), "redis+unix://%s", path);
	client_open(c, &(struct store_options){ .url = str_c(url), .ttl_ms = ttl_ms });
}

static void until_it_answers(struct client *c, enum store_result expected)
{
	struct waited w;
	for (int i = 0; i < 2000; i++) {
		if (ask_get(c, STR("no such value"), &w) == expected)
			return;
		client_run_for(c, 5);
	}
	fail_msg("the store did not come back");
}

/* --- a real one --- */

static struct redis_server server;

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

static int64_t slots_taken(struct client *c)
{
	struct store_reservation r = reservation_of(STR("crowd"), &one_slot, 1);
	struct waited w;
	waited_init(c, &w);
	store_peek(c->store, &w.call, &r, &w.answer);
	return wait_for(&w) == STORE_OK ? w.answer.used[0].reserved : -1;
}

static void until_no_slot_is_taken(struct client *c)
{
	for (int i = 0; i < 2000 && slots_taken(c) != 0; i++) {
		struct store_reservation r = reservation_of(STR("crowd"), &one_slot, 1);
		ask_renew(c, &r);	/* sweeps what lapsed */
		client_run_for(c, 5);
	}
	assert_int_equal(slots_taken(c), 0);
}

static void stopped_and_continued(void **state)
{
	struct client c;
	struct waited w;
	(void)state;
	client_for(&c, server.path, 1000);
	wait_until_up(&c);
	kill(server.pid, SIGSTOP);
	crowd_ask(&c, CROWD);
	assert_int_equal(crowd_wait(CROWD, STORE_DOWN), CROWD);
	assert_false(store_is_up(c.store));

	/* The breaker is open: at once, without a turn of the loop. */
	waited_init(&c, &w);
	store_get(c.store, &w.call, STR("value"));
	assert_int_equal(w.times, 1);
	assert_int_equal(w.call.result, STORE_DOWN);

	kill(server.pid, SIGCONT);
	until_it_answers(&c, STORE_MISSING);
	nothing_more(&c);
	until_no_slot_is_taken(&c);
	client_close(&c);
}

static void killed_and_restarted(void **state)
{
	struct client c;
	(void)state;
	client_for(&c, server.path, 1000);
	for (int round = 0; round < 4; round++) {
		until_it_answers(&c, STORE_MISSING);
		crowd_ask(&c, CROWD);
		if (round % 2)
			loop_run_deferred(&c.loop);	/* what was asked is on its way */
		redis_kill(&server);
		crowd_wait(CROWD, STORE_DOWN);
		crowd_ask(&c, CROWD);
		crowd_wait(CROWD, STORE_DOWN);
		redis_start(&server);
	}
	until_it_answers(&c, STORE_MISSING);
	nothing_more(&c);
	client_close(&c);
}

static void connections_cut(void **state)
{
	struct client c;
	(void)state;
	client_for(&c, server.path, 1000);
	for (int round = 0; round < 3; round++) {
		until_it_answers(&c, STORE_MISSING);
		if (round == 2)
			client_run_for(&c, 1100);	/* one that stood for a while is made anew at once */
		crowd_ask(&c, CROWD);
		redis_say(&server, "CLIENT KILL TYPE normal SKIPME yes");
		crowd_wait(CROWD, STORE_OK);
	}
	until_it_answers(&c, STORE_MISSING);
	until_no_slot_is_taken(&c);
	client_close(&c);
}

/* One late answer opens no breaker; what it granted to nobody is given back, and the request with it. */
static void late_grants_go_back(void **state)
{
	struct client c;
	(void)state;
	client_for(&c, server.path, 0);
	until_it_answers(&c, STORE_MISSING);
	struct store_limit l[2] = { budget_of("usd", 100, 60), window_of("r", STORE_REQUESTS, 3600, 9, 1) };
	struct store_reservation r = reservation_of(STR("late"), l, 2);
	struct waited w;
	waited_init(&c, &w);
	redis_say(&server, "CLIENT PAUSE 150 ALL");
	store_reserve(c.store, &w.call, &r, &w.answer);
	assert_int_equal(wait_for(&w), STORE_DOWN);
	store_settle(c.store, NULL, &r, (int64_t[]){ 7, 1 }, true);	/* it went on all the same */
	struct store_usage u = { .spent = -1 };
	for (int i = 0; i < 2000 && !(u.spent == 7 && u.reserved == 0); i++) {
		client_run_for(&c, 5);
		waited_init(&c, &w);
		store_peek(c.store, &w.call, &r, &w.answer);
		if (wait_for(&w) == STORE_OK)
			u = w.answer.used[0];
	}
	assert_int_equal(u.spent, 7);
	assert_int_equal(u.reserved, 0);
	assert_int_equal(ask_usage(&c, &r, 1).spent, 1);
	client_close(&c);
}

static void more_than_may_be_under_way(void **state)
{
	enum { MANY = 2000 + REDIS_IN_FLIGHT_MAX };
	static struct waited many[MANY];
	struct client c;
	unsigned at_once = 0;
	(void)state;
	client_for(&c, server.path, 1000);
	until_it_answers(&c, STORE_MISSING);
	for (int i = 0; i < MANY; i++) {
		waited_init(&c, &many[i]);
		store_get(c.store, &many[i].call, STR("value"));
		at_once += many[i].times;
	}
	assert_true(at_once >= MANY - REDIS_IN_FLIGHT_MAX);
	for (int i = 0; i < MANY; i++)
		wait_for(&many[i]);
	client_close(&c);
}

/* hiredis sends by this one from version 1 on: here it is counted. */
static atomic_long sends;

ssize_t send(int fd, const void *p, size_t n, int flags)
{
	sends++;
	return sendto(fd, p, n, flags, NULL, 0);
}

/* Of write(2), by which it sent before; and the above. */
static long writes_so_far(void)
{
	char line[64];
	long n = -1;
	FILE *f = fopen("/proc/self/io", "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "syscw: %ld", &n) == 1)
			break;
	fclose(f);
	return n + sends;
}

/* Whatever comes first: what leaves at once, as a value that is looked for, waits for the scripts of the turn's end. */
static void one_write_for_a_turn(void **state)
{
	struct client c;
	struct waited first;
	(void)state;
	client_for(&c, server.path, 1000);
	until_it_answers(&c, STORE_MISSING);
	for (int round = 0; round < 4; round++) {
		waited_init(&c, &first);
		long before = writes_so_far();
		if (round % 2)
			store_get(c.store, &first.call, STR("no such value"));
		crowd_ask(&c, CROWD);
		assert_int_equal(writes_so_far() - before, 0);
		loop_run_deferred(&c.loop);
		assert_int_equal(writes_so_far() - before, 1);
		crowd_wait(CROWD, STORE_OK);
		client_run_for(&c, 20);
	}
	client_close(&c);
}

static void closed_while_asked(void **state)
{
	struct client c;
	(void)state;
	client_for(&c, server.path, 1000);
	until_it_answers(&c, STORE_MISSING);
	crowd_ask(&c, CROWD);
	loop_run_deferred(&c.loop);
	client_close(&c);
	for (unsigned i = 0; i < CROWD; i++) {
		assert_int_equal(crowd[i].times, 1);
		assert_int_equal(crowd[i].call.result, STORE_DOWN);
	}
	client_for(&c, "/nonexistent/socket", 1000);
	crowd_ask(&c, CROWD);
	assert_int_equal(crowd_wait(CROWD, STORE_DOWN), CROWD);
	client_close(&c);
	client_for(&c, server.path, 1000);	/* closed before it is open */
	crowd_ask(&c, CROWD);
	client_close(&c);
	assert_int_equal(crowd_wait(CROWD, STORE_DOWN), CROWD);
}

/* Who hears that it is the end settles what it has, and may ask for more. */
struct insistent {
	struct store_call call;
	struct client *client;
	struct waited settled, counted, reserved, got;
};

static void insists(struct store_call *call)
{
	struct insistent *x = container_of(call, struct insistent, call);
	struct store_reservation r = reservation_of(STR("crowd"), &one_slot, 1);
	struct store *s = x->client->store;
	store_settle(s, &x->counted.call, &r, (int64_t[]){ 0 }, true);
	store_reserve(s, &x->reserved.call, &r, &x->reserved.answer);
	store_get(s, &x->got.call, STR("value"));
	store_settle(s, &x->settled.call, &r, (int64_t[]){ 0 }, false);
}

static void asked_while_it_closes(void **state)
{
	struct client c;
	struct insistent x = { .call.done = insists, .client = &c };
	struct waited *later[] = { &x.settled, &x.counted, &x.reserved, &x.got };
	struct store_answer a;
	(void)state;
	client_for(&c, server.path, 1000);
	until_it_answers(&c, STORE_MISSING);
	for (size_t i = 0; i < array_len(later); i++)
		waited_init(&c, later[i]);
	struct store_reservation r = reservation_of(STR("crowd"), &one_slot, 1);
	store_reserve(c.store, &x.call, &r, &a);
	store_close(c.store);
	c.store = NULL;
	assert_int_equal(x.call.result, STORE_DOWN);
	for (size_t i = 0; i < array_len(later); i++) {
		assert_int_equal(later[i]->times, 1);
		assert_int_equal(later[i]->call.result, STORE_DOWN);
	}
	client_close(&c);
}

#ifndef __SANITIZE_ADDRESS__
/* Thousands of settlements may wait for Redis: each takes what it needs, and no call's usual room. */
static void what_waits_is_small(void **state)
{
	enum { MANY = 2000, EACH = 2048 };
	struct client c;
	char scope[32];
	struct store_limit l[4] = {
		budget_of("usd/month", 9, 1), budget_of("usd/day", 9, 1), window_of("tokens/60", STORE_WINDOW, 60, 9, 1), slots_of("at once", 9),
	};
	(void)state;
	client_for(&c, "/nonexistent/socket", 1000);
	size_t before = mallinfo2().uordblks;
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(scope, sizeof(scope), "waits %u", i);
		struct store_reservation r = reservation_of(str_c(scope), l, 4);
		store_settle(c.store, NULL, &r, (int64_t[]){ 1, 1, 1, 0 }, false);
	}
	loop_run_deferred(&c.loop);
	assert_in_range(mallinfo2().uordblks - before, MANY * 200, MANY * EACH);
	client_close(&c);
}
#endif

/* --- nonsense --- */

#define SAYS(text) .answer = "" text, .n = sizeof(text) - 1

static const struct fake_behaviour sane = { SAYS("$-1\r\n"), .runs_scripts = true };

static const struct fake_behaviour nonsense[] = {
	{ SAYS("+OK\r\n") },
	{ SAYS(":1\r\n") },
	{ SAYS("$-1\r\n") },
	{ SAYS("$5\r\nhello\r\n") },
	{ SAYS("$32\r\n01234567012345670123456701234567\r\n") },
	/* Of the right length for one that is settled, and of a status that there is not. */
	{ SAYS("$16\r\n01234567\x7f\0\0\0\0\0\0\0\r\n") },
	{ SAYS("$16\r\n01234567\1\0\0\0\0\0\0\0\r\n") },
	/* And for one that is granted, refused by a limit that it has not. */
	{ SAYS("$56\r\n01234567\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\x7f\0\0\0\0\0\0\0"
	       "012345670123456701234567\r\n") },
	{ SAYS("") },
	{ SAYS(""), .hang_up = true },
	{ SAYS("$100\r\nabc"), .hang_up = true },
	{ SAYS("$100\r\nabc") },
	{ SAYS("!what\r\n") },
	{ SAYS("\0\0\0\0") },
	{ SAYS("HTTP/1.1 400 Bad Request\r\n\r\n") },
	{ SAYS("*2147483647\r\n") },
	{ SAYS("*99999999999999999999\r\n") },
	{ SAYS("*0\r\n") },
	{ SAYS("*-1\r\n") },
	{ SAYS("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n") },
	{ SAYS("$2147483647\r\n") },
	{ SAYS("$-2\r\n") },
	{ SAYS("$5\r\nhelloXX") },
	{ SAYS("$-1\r\n$-1\r\n") },
	{ SAYS("+OK\r\n+OK\r\n+OK\r\n") },
	{ SAYS("-\r\n") },
	{ SAYS("-ERR unknown\r\n") },
	{ SAYS("-NOSCRIPT again and again\r\n") },
	{ SAYS("-LOADING in a moment\r\n") },
	{ SAYS("-MOVED 1 127.0.0.1:1\r\n") },
	{ SAYS("-WEIRBROKEN \xff\x1b[31m\r\n") },
	{ SAYS(":99999999999999999999999\r\n") },
	{ SAYS("$2000000000\r\n"), .flood = 80 << 20 },
	{ SAYS("+"), .flood = 80 << 20 },
	{ SAYS(",3.14\r\n#t\r\n%1\r\n+a\r\n:1\r\n") },
};

static void nonsense_is_survived(void **state)
{
	struct fake_redis fake;
	struct client c;
	(void)state;
	fake_redis_open(&fake, &sane);
	client_for(&c, fake.path, 1000);
	for (size_t i = 0; i < array_len(nonsense); i++) {
		fake.behaviour = &sane;
		until_it_answers(&c, STORE_MISSING);
		fake.behaviour = &nonsense[i];
		crowd_ask(&c, CROWD);
		crowd_wait(CROWD, STORE_DOWN);
		crowd_ask(&c, CROWD);
		crowd_wait(CROWD, STORE_DOWN);
	}
	fake.behaviour = &sane;
	until_it_answers(&c, STORE_MISSING);
	nothing_more(&c);
	client_close(&c);
	fake_redis_close(&fake);
}

/* Whoever does not even answer a PING is never asked anything else. */
static void nonsense_from_the_start(void **state)
{
	struct fake_redis fake;
	struct client c;
	(void)state;
	struct fake_behaviour mute[array_len(nonsense)];
	fake_redis_open(&fake, &nonsense[0]);
	client_for(&c, fake.path, 1000);
	for (size_t i = 7; i < array_len(nonsense); i += 3) {
		mute[i] = nonsense[i];
		mute[i].no_pings = true;
		mute[i].flood = 0;
		fake.behaviour = &mute[i];
		client_run_for(&c, 150);
		crowd_ask(&c, CROWD);
		crowd_wait(CROWD, STORE_DOWN);
	}
	fake.behaviour = &sane;
	until_it_answers(&c, STORE_MISSING);
	client_close(&c);
	fake_redis_close(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stopped_and_continued),
		cmocka_unit_test(killed_and_restarted),
		cmocka_unit_test(connections_cut),
		cmocka_unit_test(late_grants_go_back),
		cmocka_unit_test(more_than_may_be_under_way),
		cmocka_unit_test(one_write_for_a_turn),
		cmocka_unit_test(closed_while_asked),
		cmocka_unit_test(asked_while_it_closes),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(what_waits_is_small),
#endif
		cmocka_unit_test(nonsense_is_survived),
		cmocka_unit_test(nonsense_from_the_start),
	};
	return cmocka_run_group_tests_name("store: redis at fault", tests, start_server, stop_server);
}
