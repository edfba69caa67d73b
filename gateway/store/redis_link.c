/*
 * redis_link.c: when to connect, whom to believe, when to give up.
 *
 * A command may leave while the first connection is still being made, and while one that stood for
 * a while is being made anew; its deadline runs either way. After a failure nothing leaves until
 * a new connection has logged in and answered a probe as fast as a command must be.
 */
#include "store/redis_link_parts.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/resolver.h"

enum { FAILURES_MAX = 5, BACKOFF_FIRST_MS = 50, BACKOFF_DOUBLINGS = 5, BACKOFF_MOST_MS = 1000 };

#define STEADY_US SECOND_US	/* a connection that stood this long is trusted to come back */
#define TELL_US (2 * SECOND_US)	/* a failure and its end: two lines in two seconds */
#define TOO_LATE INT64_C(-1)

/* --- failing --- */

/* One line for a failure and all that follow from it, of all workers, until something was answered. */
static void link_tell(struct redis_link *k, const char *why)
{
	int64_t now = loop_now(k->loop), last = atomic_load(&k->place->told_us);
	if (now - last < TELL_US || atomic_load(&k->place->told_down) ||
	    !atomic_compare_exchange_strong(&k->place->told_us, &last, now))
		return;
	atomic_store(&k->place->told_down, true);
	log_warn("store: %s: %s; requests follow on_store_failure", k->place->name, why);
}

static int64_t backoff_us(const struct redis_link *k)
{
	unsigned doublings = k->attempts < BACKOFF_DOUBLINGS ? k->attempts : BACKOFF_DOUBLINGS;
	uint64_t most = (uint64_t)BACKOFF_FIRST_MS << doublings;
	if (most > BACKOFF_MOST_MS)
		most = BACKOFF_MOST_MS;
	return (int64_t)(most / 2 + random_u64() % (most / 2 + 1)) * MS_US;
}

void link_retry(struct redis_link *k, int64_t after_us)
{
	bool was_up = k->state == LINK_UP;
	k->state = LINK_DOWN;
	timer_in(&k->timer, after_us);
	if (was_up && k->changed)
		k->changed(k->changed_arg, false);
}

void link_fail(struct redis_link *k, const char *why)
{
	struct redis_socket *s = k->socket;
	link_tell(k, why);
	k->trusted = false;
	k->failures = 0;
	k->socket = NULL;
	link_retry(k, backoff_us(k));
	k->attempts++;
	if (s)
		redis_socket_drop(s);
}

/* Anew only from the loop: the old connection's commands have not been told yet. */
void link_lost(struct redis_link *k, const char *why)
{
	bool steady = k->state == LINK_UP && loop_now(k->loop) - k->up_us >= STEADY_US;
	k->socket = NULL;
	if (!steady) {
		link_fail(k, why);
		return;
	}
	k->trusted = true;
	link_retry(k, 0);
}

/* --- judging answers --- */

enum consequence {
	PASSES,		/* down for this command, and no sign of worse */
	COUNTS,		/* a failure like others */
	ANEW,		/* another connection may find a better server */
};

struct verdict {
	struct str text;
	enum consequence then;
};

/* Errors that say that Redis is not able, whatever was asked; behind "ERR" in older versions' scripts. */
static const struct verdict unable[] = {
	{ STR_INIT("LOADING"), ANEW }, { STR_INIT("MASTERDOWN"), ANEW }, { STR_INIT("READONLY"), ANEW },
	{ STR_INIT("NOAUTH"), ANEW }, { STR_INIT("WRONGPASS"), ANEW }, { STR_INIT("MOVED"), ANEW },
	{ STR_INIT("ASK "), ANEW }, { STR_INIT("CLUSTERDOWN"), ANEW }, { STR_INIT("OOM "), COUNTS },
	{ STR_INIT("NOPERM"), COUNTS }, { STR_INIT("BUSY"), COUNTS }, { STR_INIT("MISCONF"), COUNTS },
	{ STR_INIT("NOREPLICAS"), COUNTS }, { STR_INIT("ERR max number of clients"), ANEW },
	{ STR_INIT("ERR unknown command"), COUNTS },
	{ STR_INIT("TRYAGAIN"), PASSES },	/* a cluster's slot that is moving takes no scripts */
};

static const struct verdict *verdict_on(struct str error, bool cluster)
{
	if (str_starts(error, STR("ERR Error running script"))) {
		ptrdiff_t at = str_find(error, STR(": -"));
		error = str_skip(error, at < 0 ? error.n : (size_t)at + 3);
	}
	if (cluster && (str_starts(error, STR("MOVED")) || str_starts(error, STR("ASK"))))
		return NULL;
	for (size_t i = 0; i < array_len(unable); i++)
		if (str_starts(error, unable[i].text))
			return &unable[i];
	return NULL;
}

static void link_count_failure(struct redis_link *k, const char *why, bool now)
{
	if (k->state == LINK_UP || k->state == LINK_OPENING)
		if (++k->failures >= FAILURES_MAX || now)
			link_fail(k, why);
}

static void link_good(struct redis_link *k)
{
	k->failures = k->attempts = 0;
	if (atomic_load_explicit(&k->place->told_down, memory_order_relaxed) &&
	    atomic_exchange(&k->place->told_down, false))
		log_info("store: %s answers again", k->place->name);
}

static void on_heard(struct redis_command *c, const struct redis_answer *a)
{
	struct redis_link *k = c->owner;
	const struct verdict *v = a->kind == REDIS_ERROR ? verdict_on(a->text, k->place->cluster) : NULL;
	struct redis_answer judged = *a;
	bool ours = !c->expired;
	list_remove(&c->link);
	k->n_in_flight--;
	if (v) {
		char why[200];
		snprintf(why, sizeof(why), "%.*s", STR_FMT(str_head(a->text, 180)));
		judged.kind = REDIS_LOST;
		if (!ours && v->then != PASSES)
			link_count_failure(k, why, v->then == ANEW);
	} else if (a->kind != REDIS_LOST && !ours && c->due_us != TOO_LATE && k->state == LINK_UP) {
		link_good(k);
	}
	c->answered(c, &judged);
}

/* --- deadlines --- */

static void on_deadline(struct timer *t)
{
	struct redis_link *k = container_of(t, struct redis_link, deadline);
	bool late = false;
	while (!list_empty(&k->in_flight)) {
		struct redis_command *c = list_entry(k->in_flight.next, struct redis_command, link);
		if (c->due_us > loop_now(k->loop)) {
			timer_at(&k->deadline, c->due_us);
			break;
		}
		list_remove(&c->link);
		c->due_us = TOO_LATE;
		k->failures++;
		late = true;
		if (c->expired)
			c->expired(c);
	}
	if (late && k->failures >= FAILURES_MAX && k->socket)
		link_fail(k, "no answer in time");
}

static void in_flight_add(struct redis_link *k, struct redis_command *c)
{
	struct list *before = k->in_flight.prev;
	while (before != &k->in_flight && list_entry(before, struct redis_command, link)->due_us > c->due_us)
		before = before->prev;
	list_prepend(before, &c->link);
	timer_at(&k->deadline, list_entry(k->in_flight.next, struct redis_command, link)->due_us);
}

bool link_put(struct redis_link *k, struct redis_command *c, struct str wire)
{
	c->owner = k;
	c->heard = on_heard;
	list_init(&c->link);
	if (!redis_socket_send(k->socket, c, wire))
		return false;
	k->n_in_flight++;
	if (c->due_us != NO_DEADLINE)
		in_flight_add(k, c);
	return true;
}

bool redis_link_send(struct redis_link *k, struct redis_command *c, struct str wire)
{
	bool open = k->state == LINK_UP || (k->state == LINK_OPENING && k->trusted);
	if (!open || !k->socket || k->n_in_flight >= REDIS_IN_FLIGHT_MAX)
		return false;
	if (c->due_us == 0)
		c->due_us = loop_now(k->loop) + k->place->command_us;
	return link_put(k, c, wire);
}

static void on_timer(struct timer *t)
{
	struct redis_link *k = container_of(t, struct redis_link, timer);
	if (k->state == LINK_DOWN)
		link_open(k);
	else if (k->state == LINK_NAMING)
		link_fail(k, "its name does not resolve");
	else if (k->state == LINK_ASKING)
		link_fail(k, "a sentinel does not answer");
	else if (k->state == LINK_OPENING)
		link_fail(k, "no answer");
}

/* --- the contract --- */

struct redis_link *redis_link_open(struct redis_place *p, struct loop *l)
{
	struct redis_link *k = mem_alloc(sizeof(*k));
	k->place = p;
	k->loop = l;
	k->trusted = true;
	list_init(&k->in_flight);
	timer_open(&k->timer, l, on_timer);
	timer_open(&k->deadline, l, on_deadline);
	link_open(k);
	return k;
}

void redis_link_watch(struct redis_link *k, void (*changed)(void *arg, bool up), void *arg)
{
	k->changed = changed;
	k->changed_arg = arg;
}

void redis_link_close(struct redis_link *k)
{
	struct redis_socket *s = k->socket;
	if (k->state == LINK_UP && k->changed)
		k->changed(k->changed_arg, false);
	k->changed = NULL;
	k->state = LINK_DOWN;
	k->socket = NULL;
	if (s)
		redis_socket_drop(s);
	timer_close(&k->timer);
	timer_close(&k->deadline);
	k->closed = true;
	if (!k->waiting_for_name || resolved_unwait(k->waited_name, k))
		free(k);
}

void redis_link_distrust(struct redis_link *k, const char *why)
{
	if (k->socket)
		link_fail(k, why);
}

bool redis_link_up(const struct redis_link *k)
{
	return k->state == LINK_UP;
}
