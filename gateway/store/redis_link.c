/*
 * redis_link.c: when to connect, whom to believe, when to give up.
 *
 * A command may leave while the first connection is still being made, and while one that stood for
 * a while is being made anew; its deadline runs either way. After a failure nothing leaves until
 * a new connection has logged in and answered a probe as fast as a command must be.
 */
#include "store/redis_link.h"

#include <netdb.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/resolver.h"
#include "store/redis_wire.h"

enum { FAILURES_MAX = 5, BACKOFF_FIRST_MS = 50, BACKOFF_DOUBLINGS = 5, BACKOFF_MOST_MS = 1000, STEPS_MAX = 3 };

#define OPEN_US SECOND_US	/* to connect and log in; nobody waits for it */
#define STEADY_US SECOND_US	/* a connection that stood this long is trusted to come back */
#define TELL_US (2 * SECOND_US)	/* a failure and its end: two lines in two seconds */
#define NO_DEADLINE INT64_MAX
#define TOO_LATE INT64_C(-1)

enum link_state {
	LINK_DOWN,	/* until `timer` fires */
	LINK_NAMING,	/* its name is being resolved */
	LINK_OPENING,	/* connecting, logging in, probing */
	LINK_UP,
};

struct redis_link {
	struct redis_place *place;
	struct loop *loop;
	enum link_state state;
	struct redis_socket *socket;
	struct resolved *name;
	struct list in_flight;		/* by deadline; what has expired is in it no more */
	struct timer timer, deadline;
	struct redis_command steps[STEPS_MAX], probe;
	unsigned n_steps, steps_done, n_in_flight;
	unsigned attempts, failures;	/* since the last good answer */
	unsigned turn;			/* among the addresses of a name */
	int64_t up_us;			/* since when */
	bool trusted;			/* commands may be sent while opening */
	bool waiting_for_name, closed;
	void (*on_up)(void *arg);
	void *on_up_arg;
};

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

static void link_retry(struct redis_link *k, int64_t after_us)
{
	k->state = LINK_DOWN;
	timer_in(&k->timer, after_us);
}

static void link_fail(struct redis_link *k, const char *why)
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
static void on_lost(struct redis_link *k, const char *why)
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

struct verdict {
	struct str text;
	bool anew;	/* another connection may find a better server */
};

/* Errors that say that Redis is not able, whatever was asked; behind "ERR" in older versions' scripts. */
static const struct verdict unable[] = {
	{ STR_INIT("LOADING"), true }, { STR_INIT("MASTERDOWN"), true }, { STR_INIT("READONLY"), true },
	{ STR_INIT("NOAUTH"), true }, { STR_INIT("WRONGPASS"), true }, { STR_INIT("MOVED"), true },
	{ STR_INIT("ASK "), true }, { STR_INIT("CLUSTERDOWN"), true }, { STR_INIT("OOM "), false },
	{ STR_INIT("NOPERM"), false }, { STR_INIT("BUSY"), false }, { STR_INIT("MISCONF"), false },
	{ STR_INIT("NOREPLICAS"), false }, { STR_INIT("TRYAGAIN"), false },
	{ STR_INIT("ERR max number of clients"), true }, { STR_INIT("ERR unknown command"), false },
};

static const struct verdict *verdict_on(struct str error)
{
	if (str_starts(error, STR("ERR Error running script"))) {
		ptrdiff_t at = str_find(error, STR(": -"));
		error = str_skip(error, at < 0 ? error.n : (size_t)at + 3);
	}
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
	const struct verdict *v = a->kind == REDIS_ERROR ? verdict_on(a->text) : NULL;
	struct redis_answer judged = *a;
	bool ours = !c->expired;
	list_remove(&c->link);
	k->n_in_flight--;
	if (v) {
		char why[200];
		snprintf(why, sizeof(why), "%.*s", STR_FMT(str_head(a->text, 180)));
		judged.kind = REDIS_LOST;
		if (!ours)
			link_count_failure(k, why, v->anew);
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

static bool link_put(struct redis_link *k, struct redis_command *c, struct str wire)
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

/* --- opening: log in, choose the database, then be as fast as commands must be --- */

/* A lost connection without a word is told by on_lost(). */
static bool answer_good(struct redis_link *k, const struct redis_answer *a)
{
	bool refused = a->kind == REDIS_ERROR || (a->kind == REDIS_LOST && !str_empty(a->text));
	if (k->state == LINK_OPENING && refused) {
		char why[200];
		snprintf(why, sizeof(why), "%.*s", STR_FMT(str_head(a->text, 180)));
		link_fail(k, why);
	}
	return k->state == LINK_OPENING && a->kind != REDIS_LOST;
}

static void on_probe(struct redis_command *c, const struct redis_answer *a)
{
	struct redis_link *k = c->owner;
	if (!answer_good(k, a))
		return;
	if (loop_now(k->loop) > c->due_us) {
		link_fail(k, "answers take too long");
		return;
	}
	k->state = LINK_UP;
	k->up_us = loop_now(k->loop);
	k->trusted = false;
	timer_stop(&k->timer);
	if (k->on_up)
		k->on_up(k->on_up_arg);
}

static void probe_send(struct redis_link *k)
{
	k->probe = (struct redis_command){ .answered = on_probe };
	k->probe.due_us = NO_DEADLINE;
	if (!link_put(k, &k->probe, STR("*1\r\n$4\r\nPING\r\n")))
		link_fail(k, "connection closed");
	k->probe.due_us = loop_now(k->loop) + k->place->command_us;
}

static void on_step(struct redis_command *c, const struct redis_answer *a)
{
	struct redis_link *k = c->owner;
	if (answer_good(k, a) && ++k->steps_done == k->n_steps)
		probe_send(k);
}

static void step_send(struct redis_link *k, unsigned argc, const struct str *argv)
{
	struct buf wire = BUF_INIT(64 * 1024);
	struct redis_command *c = &k->steps[k->n_steps++];
	*c = (struct redis_command){ .answered = on_step, .due_us = NO_DEADLINE };
	if (buf_reserve(&wire, wire_size(argc, argv)))
		wire.n = (size_t)(wire_command(wire.p, argc, argv) - wire.p);
	if (k->socket && (wire.n == 0 || !link_put(k, c, buf_str(&wire))))
		link_fail(k, "connection closed");
	if (wire.n)
		secret_wipe(wire.p, wire.n);
	buf_free(&wire);
}

static void steps_send(struct redis_link *k)
{
	const struct redis_url *u = &k->place->url;
	char db[12];
	int n = snprintf(db, sizeof(db), "%u", u->db);
	k->n_steps = k->steps_done = 0;
	if (!str_empty(u->password) && str_empty(u->user))
		step_send(k, 2, (struct str[]){ STR("AUTH"), u->password });
	else if (!str_empty(u->password))
		step_send(k, 3, (struct str[]){ STR("AUTH"), u->user, u->password });
	if (u->db > 0)
		step_send(k, 2, (struct str[]){ STR("SELECT"), str_of(db, (size_t)n) });
	step_send(k, 1, &STR("PING"));
}

static void link_connect(struct redis_link *k, const struct redis_endpoint *to)
{
	char why[160];
	k->socket = redis_socket_open(k->loop, to, k, on_lost, why);
	if (!k->socket) {
		link_fail(k, why);
		return;
	}
	k->state = LINK_OPENING;
	timer_in(&k->timer, OPEN_US);
	steps_send(k);
}

static void link_connect_tcp(struct redis_link *k, const struct address_set *set)
{
	const struct address *a = &set->a[k->turn++ % set->n];
	char ip[NI_MAXHOST];
	if (getnameinfo((const struct sockaddr *)&a->sa, a->length, ip, sizeof(ip), NULL, 0, NI_NUMERICHOST) != 0)
		link_fail(k, "its address cannot be written");
	else
		link_connect(k, &(struct redis_endpoint){ .ip = ip, .port = k->place->url.port, .tls = k->place->tls });
}

static void link_free(struct redis_link *k)
{
	free(k);
}

static void on_name(void *arg)
{
	struct redis_link *k = arg;
	struct address_set set;
	k->waiting_for_name = false;
	if (k->closed)
		link_free(k);
	else if (k->state != LINK_NAMING)
		return;
	else if (resolved_addresses(k->name, &set))
		link_connect_tcp(k, &set);
	else
		link_fail(k, "its name does not resolve");
}

static void link_open(struct redis_link *k)
{
	const struct redis_url *u = &k->place->url;
	struct address_set set;
	if (u->path.n) {
		link_connect(k, &(struct redis_endpoint){ .path = u->path.p });
		return;
	}
	if (!k->name)
		k->name = resolver_row(u->host, u->port);
	if (resolved_addresses(k->name, &set)) {
		link_connect_tcp(k, &set);
		return;
	}
	k->state = LINK_NAMING;
	timer_in(&k->timer, OPEN_US);
	if (!k->waiting_for_name)
		resolved_wait(k->name, k->loop, on_name, k);
	k->waiting_for_name = true;
}

static void on_timer(struct timer *t)
{
	struct redis_link *k = container_of(t, struct redis_link, timer);
	if (k->state == LINK_DOWN)
		link_open(k);
	else if (k->state == LINK_NAMING)
		link_fail(k, "its name does not resolve");
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

void redis_link_on_up(struct redis_link *k, void (*up)(void *arg), void *arg)
{
	k->on_up = up;
	k->on_up_arg = arg;
}

void redis_link_close(struct redis_link *k)
{
	struct redis_socket *s = k->socket;
	k->state = LINK_DOWN;
	k->socket = NULL;
	k->on_up = NULL;
	if (s)
		redis_socket_drop(s);
	timer_close(&k->timer);
	timer_close(&k->deadline);
	k->closed = true;
	if (!k->waiting_for_name || resolved_unwait(k->name, k))
		link_free(k);
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
