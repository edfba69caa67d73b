/*
 * subject_test.c: end users that callers make up are bounded in number, and those beyond are told.
 */
#include "limits/subject.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/counters.h"
#include "core/request.h"
#include "store/worker_store.h"

static const struct limit_rule each_user = { .per = LIMIT_USER, .unit = LIMIT_REQUESTS, .most = 5, .span_s = 60 };
static const struct limit_set set = { .scope = STR_INIT("key/web"), .rules = &each_user, .n = 1 };

static struct loop loop;
static struct store_home *home;

static int setup(void **state)
{
	struct buf why = BUF_INIT(256);
	const struct store_options o = { .url = STR("memory") };
	(void)state;
	counters_thread_begin();
	assert_true(loop_open(&loop));
	home = store_home_open(&o, &why);
	worker_store_use(home, home);
	worker_store_open(&loop);
	subject_open();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	subject_close();
	worker_store_close();
	store_home_close(home);
	loop_close(&loop);
	counters_thread_end();
	return 0;
}

static void assert_user(int i, const char *expected)
{
	char tags[64];
	struct request req = { .method = HTTP_POST };
	struct txn t = { .loop = &loop, .req = &req };
	snprintf(tags, sizeof(tags), "feature=x, user=u%d", i);
	req.header[RH_WEIR_TAGS] = str_c(tags);
	struct str user = subject_user(&t, &set);
	assert_int_equal(user.n, strlen(expected));
	assert_memory_equal(user.p, expected, user.n);
	arena_clear(&t.arena);
}

static void assert_metric(const char *text)
{
	struct buf b = BUF_INIT(16 << 20);
	assert_true(counters_render(&b, false));
	buf_addc(&b, '\0');
	if (!strstr(b.p, text))
		fail_msg("no \"%s\" in:\n%s", text, b.p);
	buf_free(&b);
}

static void users_beyond_the_ceiling_are_one(void **state)
{
	char name[16];
	(void)state;
	assert_metric("\nweir_end_users_other_total 0\n");
	for (int i = 0; i < USERS_MAX; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		assert_user(i, name);
	}
	for (int i = 0; i < 3; i++)
		assert_user(USERS_MAX + i, "other");
	assert_user(7, "u7");		/* who is known stays known */
	assert_metric("\nweir_end_users_other_total 3\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(users_beyond_the_ceiling_are_one, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
