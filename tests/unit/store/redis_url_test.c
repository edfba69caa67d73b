/*
 * redis_url_test.c: how a Redis may be named, and what is said of names that are none.
 */
#include "store/redis_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "store/store.h"

struct good {
	const char *text, *host, *path, *user, *password;
	unsigned port, db;
	bool tls;
};

static const struct good goods[] = {
	{ "redis://localhost", "localhost", "", "", "", 6379, 0, false },
	{ "redis://localhost/", "localhost", "", "", "", 6379, 0, false },
	{ "REDIS://10.0.0.1:7000/15", "10.0.0.1", "", "", "", 7000, 15, false },
	{ "redis://[::1]:7000/2", "::1", "", "", "", 7000, 2, false },
	{ "redis://[::1]", "::1", "", "", "", 6379, 0, false },
	{ "rediss://r.example.com:6380", "r.example.com", "", "", "", 6380, 0, true },
	{ "redis://:secret@r:1/0", "r", "", "", "secret", 1, 0, false },
	{ "redis://user:p%40s%3as%2F%25@r", "r", "", "user", "p@s:s/%", 6379, 0, false },
	{ "redis://user:p@s/s?@r/4", "r", "", "user", "p@s/s?", 6379, 4, false },
	{ "redis://r?db=7", "r", "", "", "", 6379, 7, false },
	{ "redis+unix:///run/redis.sock", "", "/run/redis.sock", "", "", 0, 0, false },
	{ "redis+unix:///run/redis.sock?db=3", "", "/run/redis.sock", "", "", 0, 3, false },
	{ "redis+unix://u:p@/run/a%20b", "", "/run/a b", "u", "p", 0, 0, false },
};

static void good_ones(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(goods); i++) {
		const struct good *g = &goods[i];
		struct arena a = ARENA_INIT;
		struct redis_url u;
		const char *wrong = redis_url_parse(&a, str_c(g->text), &u);
		if (wrong)
			fail_msg("%s: %s", g->text, wrong);
		assert_true(str_eq(u.host, str_c(g->host)));
		assert_true(str_eq(u.path, str_c(g->path)));
		assert_true(str_eq(u.user, str_c(g->user)));
		assert_true(str_eq(u.password, str_c(g->password)));
		assert_int_equal(u.port, g->port);
		assert_int_equal(u.db, g->db);
		assert_int_equal(u.tls, g->tls);
		arena_clear(&a);
	}
}

static void bad_ones(void **state)
{
	static const struct str bad[] = {
		STR_INIT("redis"), STR_INIT("redis:"), STR_INIT("redis://"), STR_INIT("redis:///0"), STR_INIT("http://r"),
		STR_INIT("redis://r:"), STR_INIT("redis://r:0"), STR_INIT("redis://r:65536"), STR_INIT("redis://r:6x"),
		STR_INIT("redis://a:b:1"), STR_INIT("redis://::1"), STR_INIT("redis://[::1"), STR_INIT("redis://[::1]x"),
		STR_INIT("redis://r/x"), STR_INIT("redis://r/-1"), STR_INIT("redis://r/99999999999999999999"),
		STR_INIT("redis://user@r"), STR_INIT("redis://user:@r"), STR_INIT("redis://u:%zz@r"),
		STR_INIT("redis://u:%00@r"), STR_INIT("redis://r?x=1"), STR_INIT("redis://r?db=1&db=2"),
		STR_INIT("redis://r r"), STR_INIT("redis://r\0r"), STR_INIT("redis://r\n"), STR_INIT("redis+unix://"),
		STR_INIT("redis+unix://path"), STR_INIT("redis+unix:///p?db=x"), STR_INIT("redis+unix://host/p"),
		STR_INIT("redis://a,b"), STR_INIT("redis+cluster://"), STR_INIT("redis+cluster://a/3"),
		STR_INIT("redis+cluster://a,b?db=1"), STR_INIT("redis+sentinel://a:26379"),
		STR_INIT("redis+sentinel://a:26379/"), STR_INIT("redis+sentinel:///m"), STR_INIT("redis+sentinel://a,,b/m"),
		STR_INIT("redis+sentinel://a:x/m"), STR_INIT("redis+sentinel://a/m/x"), STR_INIT("redis+sentinel://a/m?x=y"),
		STR_INIT("redis+sentinel://a/m?sentinel_password="), STR_INIT("redis+sentinel://1,2,3,4,5,6,7,8,9/m"),
	};
	(void)state;
	for (size_t i = 0; i < array_len(bad); i++)
		if (!store_url_check(bad[i]))
			fail_msg("taken: %s", bad[i].p);
	char path[300] = "redis+unix:///";
	memset(path + 14, 'p', sizeof(path) - 15);
	assert_non_null(store_url_check(str_of(path, sizeof(path) - 1)));
	assert_null(store_url_check(STR("memory")));
	assert_null(store_url_check(STR("redis://localhost")));
}

static void sentinels(void **state)
{
	struct arena a = ARENA_INIT;
	struct redis_url u;
	(void)state;
	assert_null(redis_url_parse(&a, STR("redis+sentinel://u:p@a,[::2]:5,c:7/my-master/4?sentinel_password=s%26"), &u));
	assert_int_equal(u.n_sentinels, 3);
	assert_true(str_eq(u.sentinels[0].host, STR("a")) && u.sentinels[0].port == 26379);
	assert_true(str_eq(u.sentinels[1].host, STR("::2")) && u.sentinels[1].port == 5);
	assert_true(str_eq(u.sentinels[2].host, STR("c")) && u.sentinels[2].port == 7);
	assert_true(str_eq(u.master, STR("my-master")) && u.db == 4);
	assert_true(str_eq(u.password, STR("p")) && str_eq(u.sentinel_password, STR("s&")));
	assert_null(redis_url_parse(&a, STR("redis+sentinel://a:26379/m?db=2"), &u));
	assert_int_equal(u.db, 2);
	assert_null(redis_url_parse(&a, STR("redis+cluster://u:p@a,b:7001/0"), &u));
	assert_int_equal(u.n_seeds, 2);
	assert_true(str_eq(u.seeds[0].host, STR("a")) && u.seeds[0].port == 6379);
	assert_true(str_eq(u.seeds[1].host, STR("b")) && u.seeds[1].port == 7001);
	arena_clear(&a);
}

/* A message never repeats the URL: there may be a password in it. */
static void says_what_is_wrong(void **state)
{
	struct buf why = BUF_INIT(2000);
	(void)state;
	struct store_options o = { .url = STR("redis://u:hunter2@a:port") };
	assert_null(store_home_open(&o, &why));
	assert_false(str_has(buf_str(&why), STR("hunter2")));
	buf_free(&why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones),
		cmocka_unit_test(bad_ones),
		cmocka_unit_test(sentinels),
		cmocka_unit_test(says_what_is_wrong),
	};
	return cmocka_run_group_tests_name("store: URLs", tests, NULL, NULL);
}
