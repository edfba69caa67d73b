/*
 * work_pool_test.c: results come back to their loop, and what nobody waits for is dropped once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <semaphore.h>

#include "base/loop.h"
#include "base/work_pool.h"

enum { JOBS = 5 };

struct job {
	sem_t *gate;		/* it waits for; NULL: for nothing */
	atomic_bool ran;
	atomic_int dropped;
	int done;
};

static struct loop loop;
static sem_t gate, begun;
static int left;

static void *run(void *input)
{
	struct job *j = input;
	if (j->gate) {
		sem_post(&begun);
		sem_wait(j->gate);
	}
	j->ran = true;
	return j;
}

static void drop(void *job)
{
	((struct job *)job)->dropped++;
}

static void done(void *owner, void *output)
{
	struct job *j = output;
	assert_ptr_equal(owner, &left);
	j->done++;
	if (--left == 0)
		loop_stop(&loop);
}

static struct work *start(struct work_pool *p, struct job *j)
{
	struct work_job job = { .run = run, .input = j, .drop = drop, .done = done, .owner = &left };
	return work_start(p, &loop, &job);
}

static int open_all(void **state)
{
	(void)state;
	sem_init(&gate, 0, 0);
	sem_init(&begun, 0, 0);
	return loop_open(&loop) ? 0 : -1;
}

static int close_all(void **state)
{
	(void)state;
	loop_close(&loop);
	return 0;
}

static void results_come_back(void **state)
{
	static struct work_pool pool = WORK_POOL_INIT(pool, 2, NULL, NULL);
	struct job jobs[JOBS] = { { .gate = NULL } };
	(void)state;
	left = JOBS;
	for (int i = 0; i < JOBS; i++)
		assert_non_null(start(&pool, &jobs[i]));
	loop_run(&loop);
	for (int i = 0; i < JOBS; i++)
		assert_true(jobs[i].ran && jobs[i].done == 1 && jobs[i].dropped == 0);
}

static void what_was_cancelled_is_dropped(void **state)
{
	static struct work_pool pool = WORK_POOL_INIT(pool, 1, NULL, NULL);
	struct job held = { .gate = &gate }, waiting = { .gate = NULL }, last = { .gate = NULL };
	(void)state;
	left = 1;
	work_cancel(start(&pool, &held));
	work_cancel(start(&pool, &waiting));
	assert_non_null(start(&pool, &last));
	sem_post(&gate);
	loop_run(&loop);
	assert_true(held.ran && held.dropped == 1 && held.done == 0);
	assert_true(waiting.dropped == 1 && waiting.done == 0);
	assert_true(last.done == 1 && last.dropped == 0);
	sem_wait(&begun);
}

/* One runs, the others wait: those are dropped at once, the one when it is through. */
static void a_loop_that_closes_waits_for_nobody(void **state)
{
	static struct work_pool pool = WORK_POOL_INIT(pool, 1, NULL, NULL);
	static struct job held, waiting[JOBS];
	(void)state;
	held.gate = &gate;
	assert_non_null(start(&pool, &held));
	for (int i = 0; i < JOBS; i++)
		assert_non_null(start(&pool, &waiting[i]));
	sem_wait(&begun);
	work_close(&pool, &loop);
	for (int i = 0; i < JOBS; i++)
		assert_true(!waiting[i].ran && waiting[i].dropped == 1);
	assert_int_equal(held.dropped, 0);
	sem_post(&gate);
	while (!held.dropped)
		sched_yield();
	assert_true(held.ran && held.done == 0);
}

static void a_full_queue_takes_nothing(void **state)
{
	static struct work_pool pool = WORK_POOL_INIT(pool, 1, NULL, NULL);
	static struct job held, waiting;
	(void)state;
	held.gate = &gate;
	assert_non_null(start(&pool, &held));
	sem_wait(&begun);
	for (int i = 0; i < WORK_QUEUE; i++)
		assert_non_null(start(&pool, &waiting));
	assert_null(start(&pool, &waiting));
	work_close(&pool, &loop);
	assert_int_equal(waiting.dropped, WORK_QUEUE);
	sem_post(&gate);
	while (!held.dropped)
		sched_yield();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(results_come_back, open_all, close_all),
		cmocka_unit_test_setup_teardown(what_was_cancelled_is_dropped, open_all, close_all),
		cmocka_unit_test_setup_teardown(a_loop_that_closes_waits_for_nobody, open_all, close_all),
		cmocka_unit_test_setup_teardown(a_full_queue_takes_nothing, open_all, close_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
