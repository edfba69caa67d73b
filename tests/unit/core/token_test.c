/*
 * token_test.c: rows by source, who holds a token, when it is fetched again.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/clock.h"
#include "core/token.h"

static struct token_source source(enum token_origin o, const char *id)
{
	struct token_source s = { .origin = o };
	s.field[TOKEN_ID] = str_c(id);
	s.field[TOKEN_SECRET] = STR("secret");
	return s;
}

static struct token *bearer(const char *text, int64_t left_us)
{
	return token_make(TOKEN_BEARER, STR_NONE, str_c(text), STR_NONE, clock_wall_us() + left_us);
}

static bool holds(struct live_token *l, const char *text)
{
	struct token *t = live_token_take(l, clock_wall_us());
	bool same = t && str_eq(t->secret, str_c(text));
	token_unref(t);
	return same;
}

static void a_row_for_each_source(void **state)
{
	struct token_source a = source(TOKEN_ENTRA, "a"), b = source(TOKEN_ENTRA, "b"), c = source(TOKEN_AWS_FILES, "a");
	struct live_token *first = live_token_of(&a, STR("x[0]")), *again = live_token_of(&a, STR("y[0]"));
	struct live_token *other = live_token_of(&b, STR("z[0]")), *kind = live_token_of(&c, STR("z[0]"));
	(void)state;
	assert_ptr_equal(first, again);
	assert_true(str_eq(live_token_label(again), STR("x[0]")));
	assert_true(other != first && kind != first && kind != other);
	live_token_unref(again);
	live_token_unref(other);
	live_token_unref(kind);
	assert_null(live_token_take(first, clock_wall_us()));
	live_token_unref(first);
}

static void given_ones_are_there_and_never_due(void **state)
{
	struct token_source a = source(TOKEN_GIVEN, "AKIA");
	struct live_token *l = live_token_of(&a, STR("x[0]"));
	int64_t us;
	bool failed;
	(void)state;
	assert_true(live_token_ready(l, &us, &failed) && !failed);
	struct token *t = live_token_take(l, clock_wall_us());
	assert_int_equal(t->kind, TOKEN_AWS);
	assert_true(str_eq(t->id, STR("AKIA")) && str_eq(t->secret, STR("secret")));
	assert_false(live_token_left(l, &us));
	assert_false(live_token_refuse(l, t));	/* there is no other one to get */
	assert_true(holds(l, "secret"));
	live_token_unref(l);
	token_unref(t);		/* outlives its row */
}

/* The old one serves until the new one is there; a failure leaves it. */
static void fetched_and_fetched_again(void **state)
{
	struct token_source a = source(TOKEN_ENTRA, "a");
	struct live_token *l = live_token_of(&a, STR("x[0]"));
	int64_t us;
	bool failed;
	(void)state;
	live_tokens_serve(true);
	assert_false(live_token_ready(l, &us, &failed) || failed);
	assert_ptr_equal(live_token_next(), l);
	assert_int_equal(live_token_fetched(l, NULL, 0), 1);
	assert_false(live_token_ready(l, &us, &failed));
	assert_true(failed && us > clock_us() + 100 * MS_US);	/* told, and not before it is tried again */
	assert_ptr_equal(live_token_next(), l);		/* after a pause of a second at most */
	assert_int_equal(live_token_fetched(l, bearer("one", 3 * SECOND_US), 0), 0);
	assert_true(live_token_ready(l, &us, &failed) && !failed && holds(l, "one"));
	assert_true(live_token_left(l, &us) && us > 0 && us <= 3 * SECOND_US);
	int64_t before = clock_us();
	assert_ptr_equal(live_token_next(), l);		/* ahead of its end */
	assert_true(clock_us() - before >= SECOND_US);
	assert_int_equal(live_token_fetched(l, NULL, 0), 1);
	assert_true(live_token_ready(l, &us, &failed) && failed);
	live_tokens_serve(false);
	assert_null(live_token_next());
	live_token_unref(l);
}

static void one_that_ended_is_not_taken(void **state)
{
	struct token_source a = source(TOKEN_ENTRA, "a");
	struct live_token *l = live_token_of(&a, STR("x[0]"));
	(void)state;
	live_tokens_serve(true);
	live_token_fetched(live_token_next(), bearer("old", -1), 0);
	assert_false(holds(l, "old"));
	live_tokens_serve(false);
	live_token_unref(l);
}

/* One early fetch a minute; another refusal is the credential's. */
static void a_refused_one_is_fetched_early(void **state)
{
	struct token_source a = source(TOKEN_ENTRA, "a");
	struct live_token *l = live_token_of(&a, STR("x[0]"));
	(void)state;
	live_tokens_serve(true);
	live_token_fetched(live_token_next(), bearer("one", 3600 * SECOND_US), 0);
	struct token *one = live_token_take(l, clock_wall_us());
	assert_true(live_token_refuse(l, one));
	assert_false(holds(l, "one"));
	live_token_fetched(live_token_next(), bearer("two", 3600 * SECOND_US), 0);
	assert_true(holds(l, "two"));
	assert_true(live_token_refuse(l, one));		/* the other one is there already */
	struct token *two = live_token_take(l, clock_wall_us());
	assert_false(live_token_refuse(l, two));
	assert_true(holds(l, "two"));
	token_unref(one);
	token_unref(two);
	live_tokens_serve(false);
	live_token_unref(l);
}

/* What was refused serves again when there is nothing else to be had. */
static void a_failed_early_fetch_forgives(void **state)
{
	struct token_source a = source(TOKEN_ENTRA, "a");
	struct live_token *l = live_token_of(&a, STR("x[0]"));
	(void)state;
	live_tokens_serve(true);
	live_token_fetched(live_token_next(), bearer("one", 3600 * SECOND_US), 0);
	struct token *one = live_token_take(l, clock_wall_us());
	assert_true(live_token_refuse(l, one));
	live_token_fetched(live_token_next(), NULL, 0);
	assert_true(holds(l, "one"));
	token_unref(one);
	live_tokens_serve(false);
	live_token_unref(l);
}

static void *take_many(void *arg)
{
	for (int i = 0; i < 20000; i++)
		token_unref(live_token_take(arg, clock_wall_us()));
	return NULL;
}

static void takers_and_a_publisher(void **state)
{
	struct token_source a = source(TOKEN_ENTRA, "a");
	struct live_token *l = live_token_of(&a, STR("x[0]"));
	pthread_t threads[3];
	(void)state;
	live_tokens_serve(true);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, take_many, l);
	for (int i = 0; i < 3; i++)
		live_token_fetched(live_token_next(), bearer(i % 2 ? "one" : "two", 1200 * MS_US), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	live_tokens_serve(false);
	live_token_unref(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_for_each_source),
		cmocka_unit_test(given_ones_are_there_and_never_due),
		cmocka_unit_test(fetched_and_fetched_again),
		cmocka_unit_test(one_that_ended_is_not_taken),
		cmocka_unit_test(a_refused_one_is_fetched_early),
		cmocka_unit_test(a_failed_early_fetch_forgives),
		cmocka_unit_test(takers_and_a_publisher),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
