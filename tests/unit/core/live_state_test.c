/*
 * live_state_test.c: places and their queue, sessions, shares, running means.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/clock.h"
#include "core/affinity.h"
#include "core/live.h"
#include "core/slots.h"

/* --- places --- */

enum { WORKERS = 4, ROUNDS = 400, PLACES = 3 };

static _Atomic int inside, most_inside, served;

struct waiter {
	struct loop loop;
	struct live_target *target;
	struct slot_ticket *ticket;
	struct loop_task task;
	struct timer timer;
	int left;
};

static void next(struct waiter *w);

static void work(struct waiter *w)
{
	int n = atomic_fetch_add(&inside, 1) + 1, most = atomic_load(&most_inside);
	while (n > most && !atomic_compare_exchange_weak(&most_inside, &most, n))
		;
	timer_in(&w->timer, 100);
}

static void on_done(struct timer *t)
{
	struct waiter *w = container_of(t, struct waiter, timer);
	atomic_fetch_sub(&inside, 1);
	atomic_fetch_add(&served, 1);
	slot_release(w->target);
	w->left--;
	loop_defer(&w->loop, &w->task);
}

static void on_granted(void *owner, struct live_target *t)
{
	struct waiter *w = owner;
	assert_ptr_equal(t, w->target);
	w->ticket = NULL;
	work(w);
}

static void on_task(struct loop_task *t)
{
	next(container_of(t, struct waiter, task));
}

static void stop(void *arg)
{
	loop_stop(arg);
}

static void next(struct waiter *w)
{
	if (w->left <= 0) {
		loop_post(&w->loop, stop, &w->loop);	/* behind what was granted to somebody who left */
	} else if (slot_claim(w->target, PLACES)) {
		work(w);
	} else if (w->left % 7 == 0) {	/* now and then somebody leaves the queue again */
		struct slot_ticket *t = slot_wait(w->target, PLACES, &w->loop, 100, on_granted, w);
		if (t)
			slot_leave(t);
		w->left--;
		loop_defer(&w->loop, &w->task);
	} else {
		w->ticket = slot_wait(w->target, PLACES, &w->loop, 100, on_granted, w);
		assert_non_null(w->ticket);
	}
}

static void begin(void *arg)
{
	next(arg);
}

static void *run(void *arg)
{
	struct waiter *w = arg;
	loop_run(&w->loop);
	return NULL;
}

static void places_are_shared_by_threads_and_none_is_lost(void **state)
{
	static struct waiter all[2 * WORKERS];
	struct live_target *target = live_target(STR("slots/model"));
	pthread_t threads[2 * WORKERS];
	(void)state;
	for (int i = 0; i < 2 * WORKERS; i++) {
		struct waiter *w = &all[i];
		assert_true(loop_open(&w->loop));
		w->target = target;
		w->left = ROUNDS;
		loop_task_init(&w->task, on_task);
		timer_open(&w->timer, &w->loop, on_done);
		loop_post(&w->loop, begin, w);
	}
	for (int i = 0; i < 2 * WORKERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run, &all[i]), 0);
	for (int i = 0; i < 2 * WORKERS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 2 * WORKERS; i++) {
		loop_run_deferred(&all[i].loop);
		timer_close(&all[i].timer);
		loop_close(&all[i].loop);
	}
	assert_true(atomic_load(&most_inside) <= PLACES);
	assert_true(atomic_load(&served) > ROUNDS);
	assert_int_equal(atomic_load(&target->waiting), 0);
	assert_int_equal(atomic_load(&target->in_flight), 0);
}

static void a_queue_is_bounded(void **state)
{
	struct live_target *t = live_target(STR("bounded/model"));
	struct loop l;
	(void)state;
	assert_true(loop_open(&l));
	assert_true(slot_claim(t, 1));
	assert_false(slot_claim(t, 1));
	struct slot_ticket *one = slot_wait(t, 1, &l, 1, on_granted, NULL);
	assert_non_null(one);
	assert_null(slot_wait(t, 1, &l, 1, on_granted, NULL));
	slot_leave(one);
	slot_release(t);
	assert_true(slot_claim(t, 1));
	slot_release(t);
	assert_true(slot_claim(t, 0));	/* without limit */
	slot_release(t);
	loop_close(&l);
}

/* --- sessions --- */

static void sessions_are_remembered_for_a_while(void **state)
{
	struct live_target *a = live_target(STR("home/a")), *b = live_target(STR("home/b"));
	uint64_t one = affinity_session(STR("key"), STR("m"), STR("1")), other = affinity_session(STR("key2"), STR("m"), STR("1"));
	int64_t now = 10 * SECOND_US;
	(void)state;
	assert_true(one && other && one != other);
	assert_null(affinity_find(one, now));
	affinity_note(one, a, now);
	affinity_note(other, b, now);
	assert_ptr_equal(affinity_find(one, now + SECOND_US), a);
	assert_ptr_equal(affinity_find(other, now + SECOND_US), b);
	affinity_note(one, b, now);
	assert_ptr_equal(affinity_find(one, now), b);
	assert_null(affinity_find(one, now + 3601 * SECOND_US));
	assert_null(affinity_find(0, now));
	for (uint64_t i = 1; i < 200000; i++)	/* more than there is room for: bounded, and nothing breaks */
		affinity_note(i * 2654435761u + 1, a, now + (int64_t)i);
}

/* --- shares --- */

static void shares_follow_the_present(void **state)
{
	struct share s = { .n = 0 };
	(void)state;
	assert_false(share_exceeded(&s, STR("a"), 50));
	for (int i = 0; i < 100; i++)
		share_note(&s, i % 10 ? STR("a") : STR("b"));
	assert_true(share_exceeded(&s, STR("a"), 80));
	assert_false(share_exceeded(&s, STR("a"), 95));
	assert_false(share_exceeded(&s, STR("b"), 50));
	for (int i = 0; i < 3000; i++)
		share_note(&s, STR("b"));
	assert_false(share_exceeded(&s, STR("a"), 80));
	for (int i = 0; i < 100; i++) {	/* more providers than rows: not counted, not harmful */
		char name[8];
		int n = snprintf(name, sizeof(name), "p%d", i);
		share_note(&s, str_of(name, (size_t)n));
	}
	assert_false(share_allows_hedge(&s, 1, 5));
	share_note_cost(&s, 1000);
	assert_true(share_allows_hedge(&s, 50, 5));
	share_note_hedge(&s, 40);
	assert_false(share_allows_hedge(&s, 50, 5));
}

/* --- means --- */

static void means_fade(void **state)
{
	struct learned l = { .busy = ATOMIC_FLAG_INIT };
	uint32_t n;
	(void)state;
	assert_true(learned_output(&l, 100, &n) < 0 && learned_time(&l, 10) < 0 && learned_first(&l, true, 90) == 0);
	for (int i = 0; i < 300; i++)
		learned_note_length(&l, 100, 50);
	for (int i = 0; i < 300; i++)
		learned_note_length(&l, 100000, 900);
	assert_in_range((int)learned_output(&l, 120, &n), 49, 51);
	assert_in_range((int)learned_output(&l, 90000, &n), 899, 901);
	assert_true(learned_output(&l, 2000, &n) > 0 && n == 0);	/* never asked so: what is known of all */
	for (int i = 0; i < 40; i++)
		learned_note_stream(&l, i, 100000, 10, 200000);
	assert_in_range((int)learned_time(&l, 11), 299000, 301000);
	for (int i = 0; i < 40; i++)
		learned_note_stream(&l, i, 300000, 10, 200000);
	assert_true(learned_time(&l, 1) > 295000);
	assert_in_range((int)learned_first(&l, true, 99), 300000, 300000);
	assert_int_equal(learned_first(&l, false, 99), 0);
	learned_note_stream(&l, 0, -1, 10, 10);
	learned_note_length(&l, -5, -5);
	for (int i = 0; i < 60; i++)
		learned_note_plain(&l, i, 600000, 11);
	assert_in_range((int)learned_time(&l, 12), 560000, 640000);
	assert_true(learned_first(&l, false, 50) == 600000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_shared_by_threads_and_none_is_lost),
		cmocka_unit_test(a_queue_is_bounded),
		cmocka_unit_test(sessions_are_remembered_for_a_while),
		cmocka_unit_test(shares_follow_the_present),
		cmocka_unit_test(means_fade),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
