/*
 * connection_pool.c: idle connections by place, and their end.
 *
 * One timer serves all idle connections: it looks for the oldest when that one is due,
 * so keeping and taking a connection never touches the timer heap.
 */
#include "upstream/connection_pool.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/tls.h"

enum { IDLE_PER_PLACE = 512 };

#define IDLE_US (55 * SECOND_US)	/* below the 60 s after which most balancers close */
#define AGE_US (600 * SECOND_US)	/* so that a name's new address is found */

struct pool_place {
	struct list link;
	struct list idle;
	unsigned n_idle, n_connections;
	uint16_t port;
	bool allow_private;
	struct tls_context *tls;
	char *host, *unix_path;
};

static struct list *bucket_of(struct connection_pool *p, const struct origin *o)
{
	return &p->buckets[(str_hash(o->host) + o->port) % POOL_BUCKETS];
}

static bool place_is(const struct pool_place *x, const struct origin *o)
{
	return x->port == o->port && x->tls == o->tls_context && x->allow_private == o->allow_private &&
		str_eq(str_c(x->host), o->host) && str_eq(str_c(x->unix_path), o->unix_path);
}

static struct pool_place *place_find(struct connection_pool *p, const struct origin *o)
{
	list_each(link, bucket_of(p, o)) {
		struct pool_place *x = list_entry(link, struct pool_place, link);
		if (place_is(x, o))
			return x;
	}
	return NULL;
}

static struct pool_place *place_new(struct connection_pool *p, const struct origin *o)
{
	struct pool_place *x = mem_alloc(sizeof(*x));
	list_init(&x->idle);
	x->port = o->port;
	x->allow_private = o->allow_private;
	x->tls = o->tls_context ? tls_ref(o->tls_context) : NULL;
	x->host = mem_copy(o->host);
	x->unix_path = mem_copy(o->unix_path);
	list_append(bucket_of(p, o), &x->link);
	return x;
}

static void place_leave(struct pool_place *x)
{
	if (--x->n_connections > 0)
		return;
	list_remove(&x->link);
	if (x->tls)
		tls_unref(x->tls);
	free(x->host);
	free(x->unix_path);
	free(x);
}

static void connection_unidle(struct connection *c)
{
	if (list_empty(&c->place_link))
		return;
	list_remove(&c->place_link);
	list_remove(&c->age_link);
	c->place->n_idle--;
}

/* Post-handshake messages of TLS are read and leave the connection fit. */
static void idle_ready(struct watch *w, bool readable, bool writable)
{
	struct connection *c = container_of(w, struct connection, watch);
	(void)readable, (void)writable;
	if (io_read(&c->io, w->loop->scratch, LOOP_SCRATCH) != IO_WANT_READ)
		connection_close(c);
}

static void sweep(struct timer *t)
{
	struct connection_pool *p = container_of(t, struct connection_pool, sweep);
	list_each(link, &p->idle) {
		struct connection *c = list_entry(link, struct connection, age_link);
		if (c->idle_since_us + IDLE_US > loop_now(p->loop)) {
			timer_at(t, c->idle_since_us + IDLE_US);
			return;
		}
		connection_close(c);
	}
}

void pool_open(struct connection_pool *p, struct loop *l)
{
	p->loop = l;
	list_init(&p->idle);
	for (unsigned i = 0; i < POOL_BUCKETS; i++)
		list_init(&p->buckets[i]);
	timer_open(&p->sweep, l, sweep);
}

void pool_close(struct connection_pool *p)
{
	timer_close(&p->sweep);
	list_each(link, &p->idle)
		connection_close(list_entry(link, struct connection, age_link));
}

struct connection *pool_take(struct connection_pool *p, const struct origin *o)
{
	struct pool_place *x = place_find(p, o);
	if (!x || list_empty(&x->idle))
		return NULL;
	struct connection *c = list_entry(x->idle.next, struct connection, place_link);
	connection_unidle(c);
	return c;
}

struct connection *connection_open(struct connection_pool *p, const struct origin *o, struct io io)
{
	struct connection *c = mem_alloc(sizeof(*c));
	struct pool_place *x = place_find(p, o);
	c->place = x ? x : place_new(p, o);
	c->place->n_connections++;
	c->io = io;
	c->opened_us = loop_now(p->loop);
	list_init(&c->place_link);
	list_init(&c->age_link);
	watch_open(&c->watch, p->loop, io.fd, idle_ready);
	watch_read(&c->watch, true);
	return c;
}

void connection_put(struct connection_pool *p, struct connection *c)
{
	int64_t now = loop_now(p->loop);
	if (c->place->n_idle >= IDLE_PER_PLACE || now - c->opened_us > AGE_US) {
		connection_close(c);
		return;
	}
	c->user = NULL;
	c->watch.ready = idle_ready;
	c->idle_since_us = now;
	watch_write(&c->watch, false);
	watch_read(&c->watch, true);
	list_prepend(&c->place->idle, &c->place_link);
	list_append(&p->idle, &c->age_link);
	c->place->n_idle++;
	if (!timer_pending(&p->sweep))
		timer_at(&p->sweep, now + IDLE_US);
}

void connection_close(struct connection *c)
{
	connection_unidle(c);
	watch_close(&c->watch);
	io_close(&c->io);
	place_leave(c->place);
	free(c);
}
