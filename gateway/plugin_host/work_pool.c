/*
 * work_pool.c: one queue, WORK_THREADS threads that start when first needed and stay.
 */
#include "plugin_host/work_pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "plugin_host/hooks.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static struct list queue = LIST_INIT(queue), running = LIST_INIT(running), back = LIST_INIT(back);
static unsigned n_queued, n_threads, n_idle;

static void drop(struct work *w, void *what)
{
	if (w->drop && what)
		w->drop(what);
}

static void on_done(void *arg)
{
	struct work *w = arg;
	pthread_mutex_lock(&lock);
	list_remove(&w->link);
	pthread_mutex_unlock(&lock);
	if (w->cancelled)
		drop(w, w->output);
	else
		w->done(w->owner, w->output);
	free(w);
}

static struct work *take(void)
{
	while (list_empty(&queue)) {
		n_idle++;
		pthread_cond_wait(&filled, &lock);
		n_idle--;
	}
	struct work *w = list_entry(queue.next, struct work, link);
	list_remove(&w->link);
	n_queued--;
	list_append(&running, &w->link);
	return w;
}

/* Under the lock, so that the loop is not closed in between. */
static void give_back(struct work *w)
{
	if (w->loop) {
		list_append(&back, &w->link);
		loop_post(w->loop, on_done, w);
		return;
	}
	drop(w, w->output);
	free(w);
}

static void *thread_main(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	for (;;) {
		struct work *w = take();
		pthread_mutex_unlock(&lock);
		hook_work_begin(w->whose);
		w->output = w->run(w->input);
		hook_work_end();
		pthread_mutex_lock(&lock);
		list_remove(&w->link);
		give_back(w);
	}
	return NULL;
}

static bool start_thread(void)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, thread_main, NULL) != 0)
		return false;
	pthread_detach(thread);
	n_threads++;
	return true;
}

struct work *work_start(struct loop *l, const struct plugin_record *whose, void *(*run)(void *), void *input, void (*drop_it)(void *),
			void (*done)(void *owner, void *output), void *owner)
{
	struct work *w = mem_alloc(sizeof(*w));
	*w = (struct work){ .loop = l, .whose = whose, .run = run, .input = input, .drop = drop_it, .done = done, .owner = owner };
	pthread_mutex_lock(&lock);
	bool good = n_queued < WORK_QUEUE;
	if (good && n_queued >= n_idle && n_threads < WORK_THREADS)
		good = start_thread() || n_threads > 0;
	if (good) {
		list_append(&queue, &w->link);
		n_queued++;
		pthread_cond_signal(&filled);
	}
	pthread_mutex_unlock(&lock);
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
void work_close(struct loop *l)
{
	struct list *gone[] = { &queue, &back };
	pthread_mutex_lock(&lock);
	for (unsigned g = 0; g < array_len(gone); g++)
		list_each(link, gone[g]) {
			struct work *w = list_entry(link, struct work, link);
			if (w->loop != l)
				continue;
			n_queued -= gone[g] == &queue;
			list_remove(&w->link);
			drop(w, gone[g] == &queue ? w->input : w->output);
			free(w);
		}
	list_each(link, &running) {
		struct work *w = list_entry(link, struct work, link);
		if (w->loop == l)
			w->loop = NULL;
	}
	pthread_mutex_unlock(&lock);
}
