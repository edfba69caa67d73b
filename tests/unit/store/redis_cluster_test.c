/*
 * redis_cluster_test.c: a cluster of three masters and three replicas: slots are found, followed when
 * they move, and come back when a master dies.
 */
#include "tests/unit/store/redis_server.h"
#include "tests/unit/store/store_client.h"

enum { NODES = 6, MASTERS = 3, SCOPES = 40, BUS = 10000 };

static struct redis_server nodes[NODES];
static char ids[NODES][41];

static bool is_free(unsigned port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is = bind(fd, (struct sockaddr *)&in, sizeof(in)) == 0;
	close(fd);
	return is;
}

static void node_start(struct redis_server *s)
{
	char port[8];
	snprintf(s->folder, sizeof(s->folder), "/tmp/weir-cluster-XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->path, sizeof(s->path), "%s/socket", s->folder);
	do
		s->port = (uint16_t)(10000 + rand() % 12000);	/* it and its bus below those that connections get */
	while (!is_free(s->port) || !is_free(s->port + BUS));
	snprintf(port, sizeof(port), "%u", s->port);
	redis_run(s, (const char *[]){ "redis-server", "--port", port, "--bind", "127.0.0.1", "--unixsocket", s->path,
				       "--dir", s->folder, "--save", "", "--cluster-enabled", "yes",
				       "--cluster-node-timeout", "1000", "--cluster-replica-validity-factor", "0", NULL });
}

static void node_stop(struct redis_server *s)
{
	if (s->pid)
		redis_kill(s);
	redis_folder_drop(s);
}

static const char *say(unsigned node, const char *format, ...) printf_like(2, 3);

static const char *say(unsigned node, const char *format, ...)
{
	char command[200];
	va_list args;
	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return redis_say(&nodes[node], command);
}

static void until_it_says(unsigned node, const char *command, const char *expected)
{
	for (int i = 0; i < 3000; i++) {
		if (strstr(say(node, "%s", command), expected))
			return;
		usleep(10000);
	}
	fail_msg("%s never said %s, but %s", command, expected, say(node, "%s", command));
}

static void cluster_join(void)
{
	for (unsigned i = 0; i < NODES; i++) {
		say(0, "CLUSTER MEET 127.0.0.1 %u", nodes[i].port);
		assert_int_equal(sscanf(say(i, "CLUSTER MYID"), "$40\r\n%40[0-9a-f]", ids[i]), 1);
	}
	for (unsigned i = 0; i < MASTERS; i++)
		say(i, "CLUSTER ADDSLOTSRANGE %u %u", i * 16384 / MASTERS, (i + 1) * 16384 / MASTERS - 1);
	for (unsigned i = 0; i < NODES; i++)
		until_it_says(i, "CLUSTER INFO", "cluster_known_nodes:6");
	for (unsigned i = MASTERS; i < NODES; i++) {
		for (unsigned j = 0; j < 500 && say(i, "CLUSTER REPLICATE %s", ids[i - MASTERS])[0] != '+'; j++)
			usleep(10000);
		until_it_says(i, "INFO replication", "master_link_status:up");
	}
	for (unsigned i = 0; i < NODES; i++)
		until_it_says(i, "CLUSTER INFO", "cluster_state:ok");
}

static int start_all(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	for (unsigned i = 0; i < NODES; i++)
		node_start(&nodes[i]);
	cluster_join();
	return 0;
}

static int stop_all(void **state)
{
	(void)state;
	for (unsigned i = 0; i < NODES; i++)
		node_stop(&nodes[i]);
	return 0;
}

static void client_of_cluster(struct client *c)
{
	char url[100];
	memset(c, 0, sizeof(*c));
	/* One that is not there, and a replica, which will name the masters. */
	snprintf(url, sizeof(url), "redis+cluster://127.0.0.1:1,127.0.0.1:%u", nodes[4].port);
	client_open(c, &(struct store_options){ .url = str_c(url), .command_ms = 3000 });
	wait_until_up(c);
}

static void every_slot_is_found(void **state)
{
	struct client c;
	struct waited w;
	(void)state;
	client_of_cluster(&c);
	struct store_limit l[3] = { budget_of("usd", 100, 60), slots_of("at once", 1), budget_of("{x}", 100, 1) };
	for (int i = 0; i < SCOPES; i++) {
		char scope[32], key[32];
		snprintf(scope, sizeof(scope), "{team} %d}", i);
		snprintf(key, sizeof(key), "v{%d}x", i);
		struct store_reservation r = reservation_of(str_c(scope), l, 3), next = reservation_of(str_c(scope), l, 3);
		assert_int_equal(ask_reserve(&c, &r, NULL), STORE_OK);
		assert_int_equal(ask_reserve(&c, &next, NULL), STORE_REFUSED);
		assert_int_equal(ask_settle(&c, &r, (int64_t[]){ 30, 0, 1 }, i % 2), STORE_OK);
		assert_int_equal(ask_usage(&c, &r, 0).spent, 30);
		assert_int_equal(ask_put(&c, str_c(key), str_c(scope), 60000), STORE_OK);
		assert_int_equal(ask_get(&c, str_c(key), &w), STORE_OK);
		assert_int_equal(ask_remove(&c, str_c(key)), STORE_OK);
	}
	for (unsigned i = 0; i < MASTERS; i++)
		assert_null(strstr(say(i, "DBSIZE"), ":0\r"));
	client_close(&c);
}

/*
 * From node 0 to node 1: while it moves Redis answers ASK, and runs no script that names keys which do not exist
 * yet; then MOVED.
 */
static void a_slot_that_moves_is_followed(void **state)
{
	struct client c;
	unsigned slot = 16384;
	char scope[32] = "", key[40];
	struct waited w;
	(void)state;
	for (int i = 0; slot >= 16384 / MASTERS; i++) {
		snprintf(scope, sizeof(scope), "mover%d", i);
		assert_int_equal(sscanf(say(0, "CLUSTER KEYSLOT weir:{%s}:live", scope), ":%u", &slot), 1);
	}
	client_of_cluster(&c);
	struct store_limit l = budget_of("usd", 100, 10);
	struct store_reservation r = reservation_of(str_c(scope), &l, 1);
	snprintf(key, sizeof(key), "{%s}", scope);
	assert_int_equal(ask_usage(&c, &r, 0).spent, 0);
	say(1, "CLUSTER SETSLOT %u IMPORTING %s", slot, ids[0]);
	say(0, "CLUSTER SETSLOT %u MIGRATING %s", slot, ids[1]);
	for (int i = 0; i < 20; i++)
		assert_int_equal(ask_reserve(&c, &r, NULL), STORE_DOWN);
	assert_int_equal(ask_put(&c, str_c(key), STR("value"), 60000), STORE_OK);
	assert_int_equal(ask_get(&c, str_c(key), &w), STORE_OK);
	for (unsigned i = 1; i < 4; i++)
		say(i % 3, "CLUSTER SETSLOT %u NODE %s", slot, ids[1]);
	assert_int_equal(ask_get(&c, str_c(key), &w), STORE_OK);
	assert_int_equal(ask_reserve(&c, &r, NULL), STORE_OK);
	assert_int_equal(ask_settle(&c, &r, &(int64_t){ 4 }, false), STORE_OK);
	assert_int_equal(ask_usage(&c, &r, 0).spent, 4);
	client_close(&c);
}

static void a_master_that_dies_is_replaced(void **state)
{
	struct client c;
	struct store_reservation r[SCOPES];
	char scopes[SCOPES][16];
	struct store_limit l = budget_of("usd", 100, 10);
	(void)state;
	client_of_cluster(&c);
	for (int i = 0; i < SCOPES; i++) {
		snprintf(scopes[i], sizeof(scopes[i]), "failover%d", i);
		r[i] = reservation_of(str_c(scopes[i]), &l, 1);
		assert_int_equal(ask_reserve(&c, &r[i], NULL), STORE_OK);
	}
	redis_kill(&nodes[2]);
	nodes[2].pid = 0;
	unsigned settled = 0;
	for (int i = 0; i < SCOPES; i++)
		settled += ask_settle(&c, &r[i], &(int64_t){ 7 }, true) == STORE_OK;
	assert_true(settled > 0 && settled < SCOPES);
	until_it_says(5, "ROLE", "master");
	for (int i = 0; i < SCOPES; i++) {
		struct waited w = { .times = 0 };
		for (int j = 0; j < 2000 && w.answer.used[0].spent != 7; j++) {
			waited_init(&c, &w);
			store_peek(c.store, &w.call, &r[i], &w.answer);
			if (wait_for(&w) != STORE_OK || w.answer.used[0].spent != 7)
				client_run_for(&c, 10);
		}
		assert_int_equal(w.answer.used[0].spent, 7);
	}
	client_close(&c);
}

int main(void)
{
	srand((unsigned)getpid());
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_slot_is_found),
		cmocka_unit_test(a_slot_that_moves_is_followed),
		cmocka_unit_test(a_master_that_dies_is_replaced),
	};
	return cmocka_run_group_tests_name("store: cluster", tests, start_all, stop_all);
}
