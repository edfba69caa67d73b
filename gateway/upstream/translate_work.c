/*
 * translate_work.c: jobs of the pool, each with all that it needs.
 */
#include "upstream/translate_work.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/work_pool.h"
#include "upstream/answer_check.h"

enum { THREADS = 2 };

static struct work_pool pool = WORK_POOL_INIT(pool, THREADS, NULL, NULL);

struct translate_work {
	struct work *work;
	struct translate *x;
	struct translate_answer answer;
	void (*requested)(void *owner, struct translate *x);	/* or: */
	void (*answered)(void *owner, struct translate *x, struct translate_answer *a);
	void *owner;
};

/* --- what is done --- */

void translate_answer_check(struct translate_answer *a)
{
	struct str body = buf_str(&a->body);
	a->dialect->read_usage(body, a->quirks, &a->usage);
	if (a->json)
		(void)answer_is_sound(body, &a->why);
}

void translate_answer_run(struct translate *x, struct translate_answer *a)
{
	if (!a->why && !translate_answer(x, buf_str(&a->body), &a->out))
		a->why = "the answer does not hold what was asked for";
}

static void *run(void *input)
{
	struct translate_work *w = input;
	if (w->requested) {
		translate_request(w->x);
		return w;
	}
	translate_answer_check(&w->answer);
	translate_answer_run(w->x, &w->answer);
	return w;
}

/* --- the way there and back --- */

static void drop(void *work)
{
	struct translate_work *w = work;
	translate_free(w->x);
	buf_free(&w->answer.body);
	buf_free(&w->answer.out);
	free(w);
}

static void done(void *owner, void *output)
{
	struct translate_work *w = output;
	(void)owner;
	if (w->requested)
		w->requested(w->owner, w->x);
	else
		w->answered(w->owner, w->x, &w->answer);
	free(w);
}

static struct translate_work *start(struct loop *l, const struct translate_work *what)
{
	struct translate_work *w = mem_alloc(sizeof(*w));
	struct work_job job = { .run = run, .input = w, .drop = drop, .done = done };
	*w = *what;
	w->work = work_start(&pool, l, &job);
	if (w->work)
		return w;
	free(w);
	return NULL;
}

struct translate_work *translate_work_request(struct loop *l, struct translate *x, void (*requested)(void *owner, struct translate *x),
					      void *owner)
{
	return start(l, &(struct translate_work){ .x = x, .requested = requested, .owner = owner });
}

struct translate_work *translate_work_answer(struct loop *l, struct translate *x, const struct translate_answer *a,
					     void (*answered)(void *owner, struct translate *x, struct translate_answer *a), void *owner)
{
	return start(l, &(struct translate_work){ .x = x, .answer = *a, .answered = answered, .owner = owner });
}

void translate_work_cancel(struct translate_work *w)
{
	work_cancel(w->work);
}

void translate_work_close(struct loop *l)
{
	work_close(&pool, l);
}
