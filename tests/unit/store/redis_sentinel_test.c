/*
 * redis_sentinel_test.c: real sentinels and servers: the master is found, and followed when it dies.
 */
#include "tests/unit/store/redis_server.h"
#include "tests/unit/store/store_client.h"

enum { SENTINELS = 3, SERVERS = 2 };

static struct redis_server servers[SERVERS];
static struct redis_server sentinels[SENTINELS];

static void sentinel_write(struct redis_server *s)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/sentinel.conf", s->folder);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "port %u\nbind 127.0.0.1\nunixsocket %s\ndir %s\nlogfile \"\"\n", s->port, s->path, s->folder);
	fprintf(f, "sentinel monitor mymaster 127.0.0.1 %u 2\n", servers[0].port);
	fprintf(f, "sentinel down-after-milliseconds mymaster 400\nsentinel failover-timeout mymaster 3000\n");
	fclose(f);
}

static void sentinel_start(struct redis_server *s)
{
	snprintf(s->folder, sizeof(s->folder), "/tmp/weir-sentinel-XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->path, sizeof(s->path), "%s/socket", s->folder);
	s->port = free_port();
	sentinel_write(s);
	char config[128];
	snprintf(config, sizeof(config), "%s/sentinel.conf", s->folder);
	redis_run(s, (const char *[]){ "redis-server", config, "--sentinel", NULL });
}

/* Until `command`, said to `s`, answers with `expected` in it. */
static void until_it_says(const struct redis_server *s, const char *command, const char *expected)
{
	for (int i = 0; i < 3000; i++) {
		if (strstr(redis_say(s, command), expected))
			return;
		usleep(10000);
	}
	fail_msg("%s never said %s, but %s", command, expected, redis_say(s, command));
}

static int start_all(void **state)
{
	char command[64];
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < SERVERS; i++)
		redis_server_open(&servers[i]);
	snprintf(command, sizeof(command), "REPLICAOF 127.0.0.1 %u", servers[0].port);
	redis_say(&servers[1], command);
	redis_say(&servers[1], "CONFIG SET repl-diskless-load swapdb");
	until_it_says(&servers[1], "INFO replication", "master_link_status:up");
	for (int i = 0; i < SENTINELS; i++)
		sentinel_start(&sentinels[i]);
	for (int i = 0; i < SENTINELS; i++) {
		until_it_says(&sentinels[i], "INFO sentinel", "sentinels=3");
		until_it_says(&sentinels[i], "INFO sentinel", "slaves=1");
	}
	return 0;
}

static int stop_all(void **state)
{
	(void)state;
	for (int i = 0; i < SENTINELS; i++)
		redis_server_close(&sentinels[i]);
	for (int i = 0; i < SERVERS; i++)
		redis_server_close(&servers[i]);
	return 0;
}

static void client_by_sentinel(struct client *c, const char *master)
{
	char url[200];
	memset(c, 0, sizeof(*c));
	/* The first of them is not there: the next is asked. */
	snprintf(url, sizeof(url), "redis+sentinel://127.0.0.1:1,127.0.0.1:%u,127.0.0.1:%u/%s", sentinels[0].port,
		 sentinels[1].port, master);
	client_open(c, &(struct store_options){ .url = str_c(url), .command_ms = 2000 });
}

static void master_is_found_and_followed(void **state)
{
	struct client c;
	(void)state;
	client_by_sentinel(&c, "mymaster");
	wait_until_up(&c);
	struct store_limit l = budget_of("usd/month", 1000, 5);
	struct store_reservation r = reservation_of(STR("team"), &l, 1), next = reservation_of(STR("team"), &l, 1);
	assert_int_equal(ask_reserve(&c, &r, NULL), STORE_OK);
	redis_say(&servers[0], "WAIT 1 5000");
	until_it_says(&servers[1], "EXISTS weir:{team}:live", ":1");

	redis_kill(&servers[0]);
	assert_int_equal(ask_settle(&c, &r, &(int64_t){ 3 }, false), STORE_DOWN);
	assert_int_equal(ask_reserve(&c, &next, NULL), STORE_DOWN);
	struct store_usage u = { .spent = -1 };
	for (int i = 0; i < 3000 && u.spent != 3; i++) {
		struct waited w;
		client_run_for(&c, 10);
		waited_init(&c, &w);
		store_peek(c.store, &w.call, &next, &w.answer);
		if (wait_for(&w) == STORE_OK)
			u = w.answer.used[0];
	}
	assert_int_equal(u.spent, 3);	/* what could not be settled was, once, on the new master */
	assert_int_equal(u.reserved, 0);
	assert_true(strstr(redis_say(&servers[1], "ROLE"), "master") != NULL);
	assert_int_equal(ask_reserve(&c, &next, NULL), STORE_OK);
	client_close(&c);
	redis_start(&servers[0]);
}

static void an_unknown_master_is_down(void **state)
{
	struct client c;
	struct waited w;
	(void)state;
	client_by_sentinel(&c, "nobody");
	client_run_for(&c, 500);
	assert_false(store_is_up(c.store));
	assert_int_equal(ask_get(&c, STR("k"), &w), STORE_DOWN);
	client_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unknown_master_is_down),
		cmocka_unit_test(master_is_found_and_followed),
	};
	return cmocka_run_group_tests_name("store: sentinel", tests, start_all, stop_all);
}
