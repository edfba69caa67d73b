/*
 * resolver.c: getaddrinfo() on threads of its own.
 *
 * One lock guards rows, queue and waiters; it is held for as long as copying a set takes,
 * never while resolving. Rows are made from configuration, so there are few and they stay.
 */
#include "base/resolver.h"

#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"

enum { THREADS = 2, STOP_WAIT_MS = 200 };

#define REFRESH_US (30 * SECOND_US)
#define TOO_OLD_US (300 * SECOND_US)
#define FAILED_FOR_US SECOND_US

struct resolved {
	struct list link;
	struct list queued;		/* in the queue, or its own */
	struct list waiters;
	char *host;
	uint16_t port;
	bool literal, pending, good;
	int64_t tried_us;		/* when the last attempt ended; 0: never */
	struct address_set set;		/* the last good one */
};

struct waiter {
	struct list link;
	struct loop *loop;
	void (*done)(void *arg);
	void *arg;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER, ended = PTHREAD_COND_INITIALIZER;
static struct list rows = LIST_INIT(rows), queue = LIST_INIT(queue);
static unsigned running;
static bool stopping;

/* --- looking up, without the lock --- */

static void set_add(struct address_set *set, const struct addrinfo *ai)
{
	if (set->n == RESOLVED_MAX || ai->ai_addrlen > sizeof(set->a[0].sa) ||
	    (ai->ai_family != AF_INET && ai->ai_family != AF_INET6))
		return;
	memcpy(&set->a[set->n].sa, ai->ai_addr, ai->ai_addrlen);
	set->a[set->n++].length = ai->ai_addrlen;
}

static bool look_up(const char *host, uint16_t port, int flags, struct address_set *set)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags }, *all;
	char service[8];
	snprintf(service, sizeof(service), "%u", port);
	set->n = 0;
	if (getaddrinfo(host, service, &hints, &all) != 0)
		return false;
	for (struct addrinfo *ai = all; ai; ai = ai->ai_next)
		set_add(set, ai);
	freeaddrinfo(all);
	return set->n > 0;
}

/* --- with the lock held --- */

static void row_queue(struct resolved *r)
{
	if (r->pending)
		return;
	r->pending = true;
	list_append(&queue, &r->queued);
	pthread_cond_signal(&work);
}

static void row_wake(struct resolved *r)
{
	list_each(link, &r->waiters) {
		struct waiter *w = list_entry(link, struct waiter, link);
		list_remove(&w->link);
		loop_post(w->loop, w->done, w->arg);
		free(w);
	}
}

static void row_resolve(struct resolved *r)
{
	struct address_set set;
	pthread_mutex_unlock(&lock);
	bool good = look_up(r->host, r->port, AI_ADDRCONFIG, &set);
	pthread_mutex_lock(&lock);
	if (good)
		r->set = set;
	r->good = r->good || good;
	r->tried_us = clock_us();
	r->pending = false;
	row_wake(r);
}

static void *resolver_thread(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	while (!stopping) {
		if (list_empty(&queue)) {
			pthread_cond_wait(&work, &lock);
			continue;
		}
		struct resolved *r = list_entry(queue.next, struct resolved, queued);
		list_remove(&r->queued);
		row_resolve(r);
	}
	running--;
	pthread_cond_broadcast(&ended);
	pthread_mutex_unlock(&lock);
	return NULL;
}

static struct resolved *row_find(struct str host, uint16_t port)
{
	list_each(link, &rows) {
		struct resolved *r = list_entry(link, struct resolved, link);
		if (r->port == port && str_ieq(str_c(r->host), host))
			return r;
	}
	return NULL;
}

static struct resolved *row_new(struct str host, uint16_t port)
{
	struct resolved *r = mem_alloc(sizeof(*r));
	r->host = mem_copy(host);
	r->port = port;
	list_init(&r->queued);
	list_init(&r->waiters);
	r->literal = r->good = look_up(r->host, port, AI_NUMERICHOST, &r->set);
	if (!r->literal)
		row_queue(r);
	list_append(&rows, &r->link);
	return r;
}

/* --- the contract --- */

bool resolver_start(void)
{
	pthread_attr_t detached;
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	pthread_mutex_lock(&lock);
	stopping = false;
	while (running < THREADS) {
		pthread_t t;
		if (pthread_create(&t, &detached, resolver_thread, NULL) != 0)
			break;
		running++;
	}
	bool some = running > 0;
	pthread_mutex_unlock(&lock);
	pthread_attr_destroy(&detached);
	return some;
}

void resolver_stop(void)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += STOP_WAIT_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&lock);
	stopping = true;
	pthread_cond_broadcast(&work);
	while (running > 0 && pthread_cond_timedwait(&ended, &lock, &until) == 0)
		;
	pthread_mutex_unlock(&lock);
}

struct resolved *resolver_row(struct str host, uint16_t port)
{
	pthread_mutex_lock(&lock);
	struct resolved *r = row_find(host, port);
	if (!r)
		r = row_new(host, port);
	pthread_mutex_unlock(&lock);
	return r;
}

static bool row_fresh(struct resolved *r)
{
	int64_t age = clock_us() - r->tried_us;
	if (r->literal)
		return true;
	if (age > REFRESH_US)
		row_queue(r);
	return r->good && age <= TOO_OLD_US;
}

bool resolved_addresses(struct resolved *r, struct address_set *out)
{
	pthread_mutex_lock(&lock);
	bool some = row_fresh(r);
	if (some)
		*out = r->set;
	pthread_mutex_unlock(&lock);
	return some;
}

void resolved_wait(struct resolved *r, struct loop *l, void (*done)(void *arg), void *arg)
{
	struct waiter *w = mem_alloc(sizeof(*w));
	*w = (struct waiter){ .loop = l, .done = done, .arg = arg };
	pthread_mutex_lock(&lock);
	list_append(&r->waiters, &w->link);
	bool over = r->literal || (r->tried_us && clock_us() - r->tried_us < FAILED_FOR_US);
	if (over && !r->pending)
		row_wake(r);
	else
		row_queue(r);
	pthread_mutex_unlock(&lock);
}

bool resolved_unwait(struct resolved *r, void *arg)
{
	bool found = false;
	pthread_mutex_lock(&lock);
	list_each(link, &r->waiters) {
		struct waiter *w = list_entry(link, struct waiter, link);
		if (w->arg != arg)
			continue;
		list_remove(&w->link);
		free(w);
		found = true;
	}
	pthread_mutex_unlock(&lock);
	return found;
}
