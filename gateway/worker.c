/*
 * worker.c: one thread and everything it owns.
 *
 * A worker holds one reference to the snapshot in force and lends it to its transactions
 * with a count of its own, so no request touches a shared counter. Transactions are
 * recycled at the end of the loop's turn in which they ended.
 */
#include "worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "access/made_keys.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/txn.h"
#include "pipeline.h"
#include "limits/limits.h"
#include "metering/ledger.h"
#include "metering/shared_usage.h"
#include "plugin_host/plugin_host.h"
#include "store/worker_store.h"
#include "upstream/compare.h"
#include "upstream/fetch.h"
#include "upstream/forward.h"

enum { IDLE_TXNS_MAX = 256, SOCKETS_MAX = 16 };
static const int64_t DRAIN_LOOK_US = 3 * MS_US;

/* The worker's share in one snapshot. */
struct lease {
	struct snapshot *snapshot;
	unsigned lent;		/* to transactions, and one for the worker while in force */
};

struct worker {
	struct loop loop;
	pthread_t thread;
	struct worker_options options;
	struct edge_service service;
	struct listener *listeners[SOCKETS_MAX];
	unsigned n_listeners;
	struct lease *lease;
	struct list idle_txns, running_txns;
	unsigned n_idle;
	struct timer drain_timer;
	bool draining;
	_Atomic bool ended;
	pthread_barrier_t started;
	uint64_t id_prefix, id_next;
};

/* --- snapshots --- */

static struct lease *lease_new(struct snapshot *s)
{
	struct lease *l = mem_alloc(sizeof(*l));
	l->snapshot = s;
	l->lent = 1;
	return l;
}

static void lease_return(void *object)
{
	struct lease *l = object;
	if (--l->lent > 0)
		return;
	snapshot_unref(l->snapshot);
	free(l);
}

struct change {
	struct worker *worker;
	struct snapshot *snapshot;
};

static void on_reload(void *arg)
{
	struct change *c = arg;
	lease_return(c->worker->lease);
	c->worker->lease = lease_new(c->snapshot);
	free(c);
}

void worker_reload(struct worker *w, struct snapshot *s)
{
	struct change *c = mem_alloc(sizeof(*c));
	c->worker = w;
	c->snapshot = snapshot_ref(s);
	loop_post(&w->loop, on_reload, c);
}

/* --- transactions --- */

static void txn_recycle(struct loop_task *task)
{
	struct txn *t = container_of(task, struct txn, recycle);
	struct worker *w = t->worker;
	arena_clear(&t->arena);
	list_remove(&t->link);
	t->generation++;
	if (w->n_idle >= IDLE_TXNS_MAX) {
		free(t);
		return;
	}
	list_prepend(&w->idle_txns, &t->link);
	w->n_idle++;
}

static struct txn *txn_get(struct worker *w)
{
	if (list_empty(&w->idle_txns))
		return mem_alloc(sizeof(struct txn));
	struct txn *t = list_entry(w->idle_txns.next, struct txn, link);
	uint32_t generation = t->generation;
	list_remove(&t->link);
	w->n_idle--;
	memset(t, 0, sizeof(*t));
	t->generation = generation;
	return t;
}

/* req_ + the worker's random prefix + a count: unique, and nothing to ask the system for. */
static void write_id(struct worker *w, char *to)
{
	static const char hex[] = "0123456789abcdef";
	uint64_t parts[2] = { w->id_prefix, w->id_next++ };
	memcpy(to, "req_", 4);
	for (int i = 0; i < 32; i++)
		to[4 + i] = hex[parts[i / 16] >> (60 - 4 * (i % 16)) & 15];
	to[36] = '\0';
}

static struct txn *begin(void *owner, struct client *client)
{
	struct worker *w = owner;
	struct txn *t = txn_get(w);
	t->worker = w;
	t->loop = &w->loop;
	t->ops = &pipeline_ops;
	loop_task_init(&t->recycle, txn_recycle);
	t->client = client;
	t->began_us = loop_now(&w->loop);
	t->snapshot = w->lease->snapshot;
	w->lease->lent++;
	arena_own(&t->arena, w->lease, lease_return);
	write_id(w, t->id);
	list_append(&w->running_txns, &t->link);
	return t;
}

static const struct listen_settings *settings(void *owner)
{
	const struct worker *w = owner;
	return &w->lease->snapshot->settings.listen;
}

/* --- ending --- */

static bool is_idle(struct worker *w)
{
	if (!list_empty(&w->running_txns))
		return false;
	for (unsigned i = 0; i < w->n_listeners; i++)
		if (listener_connections(w->listeners[i]))
			return false;
	return true;
}

static void on_drain_timer(struct timer *t)
{
	struct worker *w = container_of(t, struct worker, drain_timer);
	if (is_idle(w))
		loop_stop(&w->loop);
	else
		timer_in(t, DRAIN_LOOK_US);
}

static void on_drain(void *arg)
{
	struct worker *w = arg;
	if (w->draining)
		return;
	w->draining = true;
	for (unsigned i = 0; i < w->n_listeners; i++)
		listener_drain(w->listeners[i]);
	timer_in(&w->drain_timer, 0);
}

void worker_drain(struct worker *w)
{
	loop_post(&w->loop, on_drain, w);
}

static void on_abort(void *arg)
{
	struct worker *w = arg;
	on_drain(w);
	list_each(link, &w->running_txns) {
		struct txn *t = list_entry(link, struct txn, link);
		if (t->state == TXN_DONE)
			continue;
		if (t->cancel)
			t->cancel(t);
		t->cut = t->answer.begun;
		txn_fail(t, ERR_DRAINING, "The gateway is shutting down.");
	}
	for (unsigned i = 0; i < w->n_listeners; i++)
		listener_drain(w->listeners[i]);
}

void worker_abort(struct worker *w)
{
	loop_post(&w->loop, on_abort, w);
}

bool worker_ended(const struct worker *w)
{
	return atomic_load(&w->ended);
}

/* --- the thread --- */

static void open_listeners(struct worker *w)
{
	w->service = (struct edge_service){ .loop = &w->loop, .owner = w, .begin = begin, .settings = settings };
	for (unsigned i = 0; i < w->options.n_sockets && i < SOCKETS_MAX; i++)
		w->listeners[w->n_listeners++] = listener_open(&w->service, &w->options.sockets[i]);
}

static void free_txns(struct list *all)
{
	while (!list_empty(all)) {
		struct txn *t = list_entry(all->next, struct txn, link);
		list_remove(&t->link);
		arena_clear(&t->arena);
		free(t);
	}
}

static void *thread_main(void *arg)
{
	struct worker *w = arg;
	counters_thread_begin();
	forward_open(&w->loop);
	compare_open(&w->loop, w, begin);
	fetch_open(&w->loop);
	plugin_host_open(&w->loop, &fetch_ops);
	worker_store_open(&w->loop);
	limits_open(&w->loop);
	ledger_thread_begin();
	timer_open(&w->drain_timer, &w->loop, on_drain_timer);
	open_listeners(w);
	pthread_barrier_wait(&w->started);
	loop_run(&w->loop);
	for (unsigned i = 0; i < w->n_listeners; i++)
		listener_close(w->listeners[i]);
	loop_run_deferred(&w->loop);
	free_txns(&w->running_txns);
	free_txns(&w->idle_txns);
	compare_close();
	timer_close(&w->drain_timer);
	forward_close();
	plugin_host_close(&w->loop);
	fetch_close();
	limits_close();
	shared_usage_thread_end();
	worker_store_close();
	made_keys_thread_end();
	lease_return(w->lease);
	digest_thread_end();
	arena_thread_end();
	counters_thread_end();
	atomic_store(&w->ended, true);
	return NULL;
}

struct worker *worker_start(const struct worker_options *o)
{
	struct worker *w = mem_alloc(sizeof(*w));
	w->options = *o;
	list_init(&w->idle_txns);
	list_init(&w->running_txns);
	w->lease = lease_new(snapshot_ref(o->snapshot));
	random_bytes(&w->id_prefix, sizeof(w->id_prefix));
	if (!loop_open(&w->loop)) {
		lease_return(w->lease);
		free(w);
		return NULL;
	}
	pthread_barrier_init(&w->started, NULL, 2);
	int error = pthread_create(&w->thread, NULL, thread_main, w);
	if (error) {
		loop_close(&w->loop);
		lease_return(w->lease);
		free(w);
		errno = error;
		return NULL;
	}
	pthread_barrier_wait(&w->started);
	return w;
}

void worker_wait(struct worker *w)
{
	pthread_join(w->thread, NULL);
	pthread_barrier_destroy(&w->started);
	loop_close(&w->loop);
	free(w);
}
