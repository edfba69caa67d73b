/*
 * work_pool.c: a queue and its threads.
 */
#include "base/work_pool.h"

#include <stdlib.h>

#include "base/loop.h"
#include "base/mem.h"

struct work {
	struct list link;
	struct work_pool *pool;
	struct loop *loop;			/* NULL: it was closed */
	struct work_job job;
	void *output;
	bool cancelled;				/* of the loop's thread alone */
};

static void drop(struct work *w, void *what)
{
	if (w->job.drop && what)
		w->job.drop(what);
}

static void on_done(void *arg)
{
	struct work *w = arg;
	pthread_mutex_lock(&w->pool->lock);
	list_remove(&w->link);
	pthread_mutex_unlock(&w->pool->lock);
	if (w->cancelled)
		drop(w, w->output);
	else
		w->job.done(w->job.owner, w->output);
	free(w);
}

static struct work *take(struct work_pool *p)
{
	while (list_empty(&p->queue)) {
		p->n_idle++;
		pthread_cond_wait(&p->filled, &p->lock);
		p->n_idle--;
	}
	struct work *w = list_entry(p->queue.next, struct work, link);
	list_remove(&w->link);
	p->n_queued--;
	list_append(&p->running, &w->link);
	return w;
}

/* Under the lock, so that the loop is not closed in between. */
static void give_back(struct work *w)
{
	if (w->loop) {
		list_append(&w->pool->back, &w->link);
		loop_post(w->loop, on_done, w);
		return;
	}
	drop(w, w->output);
	free(w);
}

static void *thread_main(void *arg)
{
	struct work_pool *p = arg;
	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct work *w = take(p);
		pthread_mutex_unlock(&p->lock);
		if (p->begin)
			p->begin(w->job.whose);
		w->output = w->job.run(w->job.input);
		if (p->end)
			p->end();
		pthread_mutex_lock(&p->lock);
		list_remove(&w->link);
		give_back(w);
	}
	return NULL;
}

static bool start_thread(struct work_pool *p)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, thread_main, p) != 0)
		return false;
	pthread_detach(thread);
	p->n_threads++;
	return true;
}

struct work *work_start(struct work_pool *p, struct loop *l, const struct work_job *job)
{
	struct work *w = mem_alloc(sizeof(*w));
	*w = (struct work){ .pool = p, .loop = l, .job = *job };
	pthread_mutex_lock(&p->lock);
	bool good = p->n_queued < WORK_QUEUE;
	if (good && p->n_queued >= p->n_idle && p->n_threads < p->threads_max)
		good = start_thread(p) || p->n_threads > 0;
	if (good) {
		list_append(&p->queue, &w->link);
		p->n_queued++;
		pthread_cond_signal(&p->filled);
	}
	pthread_mutex_unlock(&p->lock);
	if (good)
		return w;
	free(w);
	return NULL;
}

void work_cancel(struct work *w)
{
	w->cancelled = true;
}

/* What is queued or back is dropped here, what runs by its thread when it is through. */
void work_close(struct work_pool *p, struct loop *l)
{
	struct list *gone[] = { &p->queue, &p->back };
	pthread_mutex_lock(&p->lock);
	for (unsigned g = 0; g < array_len(gone); g++)
		list_each(link, gone[g]) {
			struct work *w = list_entry(link, struct work, link);
			if (w->loop != l)
				continue;
			p->n_queued -= gone[g] == &p->queue;
			list_remove(&w->link);
			drop(w, gone[g] == &p->queue ? w->job.input : w->output);
			free(w);
		}
	list_each(link, &p->running) {
		struct work *w = list_entry(link, struct work, link);
		if (w->loop == l)
			w->loop = NULL;
	}
	pthread_mutex_unlock(&p->lock);
}
