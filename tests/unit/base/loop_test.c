/*
 * loop_test.c: many timers in one heap: moved, stopped, closed out of each other's callbacks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/loop.h"

enum { MANY = 2000 };

static struct loop loop;
static struct timer many[MANY];
static int64_t wanted[MANY];
static unsigned fired, expected;

static void stop_after_all(void)
{
	if (++fired == expected)
		loop_stop(&loop);
}

static void note(struct timer *t)
{
	int64_t due = wanted[t - many];
	assert_true(due > 0 && due <= loop_now(&loop) + MS_US);
	wanted[t - many] = 0;
	stop_after_all();
}

static void set(unsigned i, int64_t in_us)
{
	wanted[i] = loop_now(&loop) + in_us;
	timer_in(&many[i], in_us);
}

static void open_many(void (*fire)(struct timer *))
{
	assert_true(loop_open(&loop));
	for (unsigned i = 0; i < MANY; i++)
		timer_open(&many[i], &loop, fire);
	fired = expected = 0;
}

static void close_many(void)
{
	for (unsigned i = 0; i < MANY; i++)
		timer_close(&many[i]);
	assert_int_equal(loop.n_timers, 0);
	loop_close(&loop);
}

static void each_fires_once_and_not_early_however_it_was_moved(void **state)
{
	(void)state;
	open_many(note);
	srand(7);
	for (unsigned i = 0; i < MANY; i++)
		set(i, rand() % 40 * MS_US);
	for (unsigned i = 0; i < MANY; i += 3)
		set(i, rand() % 60 * MS_US);	/* earlier or later */
	expected = MANY;
	for (unsigned i = 0; i < MANY; i += 5) {
		wanted[i] = 0;
		timer_stop(&many[i]);
		expected--;
	}
	loop_run(&loop);
	assert_int_equal(fired, expected);
	close_many();
}

/* The first to fire closes all others but the last. */
static void close_others(struct timer *t)
{
	for (unsigned i = 0; i < MANY - 1; i++)
		if (&many[i] != t && fired == 0)
			timer_close(&many[i]);
	stop_after_all();
}

static void a_timer_may_close_others(void **state)
{
	(void)state;
	open_many(close_others);
	for (unsigned i = 0; i < MANY; i++)
		set(i, (i == MANY - 1 ? 8 : 1) * MS_US);
	expected = 2;
	loop_run(&loop);
	assert_int_equal(fired, 2);
	close_many();
}

static void set_again(struct timer *t)
{
	timer_in(t, 0);
	stop_after_all();
}

static void a_timer_that_is_always_due_does_not_hold_the_loop(void **state)
{
	(void)state;
	open_many(set_again);
	timer_in(&many[0], 0);
	expected = 100;
	loop_run(&loop);
	assert_true(fired >= expected);
	close_many();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fires_once_and_not_early_however_it_was_moved),
		cmocka_unit_test(a_timer_may_close_others),
		cmocka_unit_test(a_timer_that_is_always_due_does_not_hold_the_loop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
