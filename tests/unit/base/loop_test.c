/*
 * loop_test.c: many timers in one heap: moved, stopped, closed out of each other's callbacks; and what is put off within a turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

static char order[LOOP_SENDS + 8];
static struct loop_task tasks[LOOP_SENDS + 1], last;

static void note_send(struct loop_task *t)
{
	(void)t;
	strcat(order, "s");
}

static void note_rest(struct loop_task *t)
{
	strcat(order, "d");
	if (t == &last)
		loop_send(&loop, &tasks[0]);
}

static void sends_of_a_turn_go_together_and_before_what_is_put_off(void **state)
{
	(void)state;
	assert_true(loop_open(&loop));
	for (unsigned i = 0; i < array_len(tasks); i++)
		loop_task_init(&tasks[i], note_send);
	loop_task_init(&last, note_rest);
	loop_defer(&loop, &last);
	loop_send(&loop, &tasks[0]);
	loop_send(&loop, &tasks[0]);
	loop_send(&loop, &tasks[1]);
	loop_task_cancel(&tasks[1]);
	assert_string_equal(order, "");
	loop_run_deferred(&loop);
	assert_string_equal(order, "sds");
	order[0] = 0;
	for (unsigned i = 0; i < LOOP_SENDS; i++)
		loop_send(&loop, &tasks[i]);
	assert_int_equal(strlen(order), LOOP_SENDS);	/* so many are not kept waiting */
	loop_send(&loop, &tasks[LOOP_SENDS]);
	assert_int_equal(strlen(order), LOOP_SENDS);
	loop_run_deferred(&loop);
	assert_int_equal(strlen(order), LOOP_SENDS + 1);
	loop_close(&loop);
}

static unsigned turns;

static void put_off_again(struct loop_task *t)
{
	if (++turns < 3)
		loop_later(&loop, t);
	else
		loop_stop(&loop);
}

static void what_is_put_off_to_the_next_turn_wakes_it(void **state)
{
	struct loop_task task, never;
	(void)state;
	assert_true(loop_open(&loop));
	loop_task_init(&task, put_off_again);
	loop_task_init(&never, put_off_again);
	loop_later(&loop, &task);
	loop_later(&loop, &never);
	loop_task_cancel(&never);
	loop_run_deferred(&loop);
	assert_int_equal(turns, 0);	/* not in this one */
	loop_run(&loop);
	assert_int_equal(turns, 3);
	loop_close(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fires_once_and_not_early_however_it_was_moved),
		cmocka_unit_test(a_timer_may_close_others),
		cmocka_unit_test(what_is_put_off_to_the_next_turn_wakes_it),
		cmocka_unit_test(a_timer_that_is_always_due_does_not_hold_the_loop),
		cmocka_unit_test(sends_of_a_turn_go_together_and_before_what_is_put_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
