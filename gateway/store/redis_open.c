/*
 * redis_open.c: how a link gets its connection: find the server, log in, choose the database, and see
 * that it is as fast as commands must be.
 *
 * With Sentinel each connection begins by asking one of the sentinels, the next one each time,
 * for the master, and the server found must say that it is one. So a link follows a failover by
 * losing its connection, or by the first error that says that nothing can be written.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/resolver.h"
#include "store/redis_link_parts.h"
#include "store/redis_wire.h"

#define OPEN_US SECOND_US	/* to connect and log in; nobody waits for it */

/* A lost connection without a word is told by link_lost(). */
static bool answer_good(struct redis_link *k, const struct redis_answer *a)
{
	bool opening = k->state == LINK_OPENING || k->state == LINK_ASKING;
	bool refused = a->kind == REDIS_ERROR || (a->kind == REDIS_LOST && !str_empty(a->text));
	if (opening && refused) {
		char why[200];
		snprintf(why, sizeof(why), "%.*s", STR_FMT(str_head(a->text, 180)));
		link_fail(k, why);
	}
	return opening && !refused && a->kind != REDIS_LOST;
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
	if (k->changed)
		k->changed(k->changed_arg, true);
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

static void step_send(struct redis_link *k, void (*answered)(struct redis_command *, const struct redis_answer *),
		      unsigned argc, const struct str *argv)
{
	struct buf wire = BUF_INIT(64 * 1024);
	struct redis_command *c = &k->steps[k->n_steps++];
	*c = (struct redis_command){ .answered = answered, .due_us = NO_DEADLINE };
	if (buf_reserve(&wire, wire_size(argc, argv)))
		wire.n = (size_t)(wire_command(wire.p, argc, argv) - wire.p);
	if (k->socket && (wire.n == 0 || !link_put(k, c, buf_str(&wire))))
		link_fail(k, "connection closed");
	if (wire.n)
		secret_wipe(wire.p, wire.n);
	buf_free(&wire);
}

/* A failover may not have reached the server that a sentinel names. Who may not ask for it believes it. */
static void on_role(struct redis_command *c, const struct redis_answer *a)
{
	struct redis_link *k = c->owner;
	if (k->state == LINK_OPENING && a->kind == REDIS_LIST && !str_eq(a->text, STR("master")))
		link_fail(k, "what a sentinel named is no master");
	else if (k->state == LINK_OPENING && a->kind != REDIS_LOST && ++k->steps_done == k->n_steps)
		probe_send(k);
}

static void auth_send(struct redis_link *k, struct str user, struct str password)
{
	if (!str_empty(password) && str_empty(user))
		step_send(k, on_step, 2, (struct str[]){ STR("AUTH"), password });
	else if (!str_empty(password))
		step_send(k, on_step, 3, (struct str[]){ STR("AUTH"), user, password });
}

static void steps_send(struct redis_link *k)
{
	const struct redis_url *u = &k->place->url;
	char db[12];
	int n = snprintf(db, sizeof(db), "%u", u->db);
	auth_send(k, u->user, u->password);
	if (u->n_sentinels > 0)
		step_send(k, on_role, 1, &STR("ROLE"));
	if (u->db > 0)
		step_send(k, on_step, 2, (struct str[]){ STR("SELECT"), str_of(db, (size_t)n) });
	step_send(k, on_step, 1, &STR("PING"));
}

/* Kept for the next connection, which begins when this one has been let go of. */
static void on_master(struct redis_command *c, const struct redis_answer *a)
{
	struct redis_link *k = c->owner;
	uint64_t port;
	if (!answer_good(k, a))
		return;
	if (a->kind != REDIS_LIST || str_empty(a->text) || a->text.n >= sizeof(k->master) ||
	    !str_u64(a->second, &port) || port == 0 || port > 65535) {
		link_fail(k, "a sentinel knows no master of that name");
		return;
	}
	struct redis_socket *s = k->socket;
	memcpy(k->master, a->text.p, a->text.n);
	k->master[a->text.n] = '\0';
	k->master_port = (uint16_t)port;
	k->socket = NULL;
	link_retry(k, 0);
	redis_socket_drop(s);
}

static void ask_send(struct redis_link *k)
{
	const struct redis_url *u = &k->place->url;
	auth_send(k, STR_NONE, u->sentinel_password);
	step_send(k, on_master, 3, (struct str[]){ STR("SENTINEL"), STR("get-master-addr-by-name"), u->master });
}

static void link_connect(struct redis_link *k, const struct redis_endpoint *to)
{
	char why[160];
	k->socket = redis_socket_open(k->loop, to, k, link_lost, why);
	if (!k->socket) {
		link_fail(k, why);
		return;
	}
	k->state = k->asking ? LINK_ASKING : LINK_OPENING;
	k->n_steps = k->steps_done = 0;
	timer_in(&k->timer, OPEN_US);
	if (k->asking)
		ask_send(k);
	else
		steps_send(k);
}

static void link_connect_tcp(struct redis_link *k, const struct address_set *set)
{
	const struct address *a = &set->a[k->turn++ % set->n];
	char ip[NI_MAXHOST];
	if (getnameinfo((const struct sockaddr *)&a->sa, a->length, ip, sizeof(ip), NULL, 0, NI_NUMERICHOST) != 0)
		link_fail(k, "its address cannot be written");
	else
		link_connect(k, &(struct redis_endpoint){ .ip = ip, .port = k->port, .tls = k->place->tls });
}

static void on_name(void *arg)
{
	struct redis_link *k = arg;
	struct address_set set;
	k->waiting_for_name = false;
	if (k->closed)
		free(k);
	else if (k->state != LINK_NAMING)
		return;
	else if (resolved_addresses(k->name, &set))
		link_connect_tcp(k, &set);
	else
		link_fail(k, "its name does not resolve");
}

static void link_dial(struct redis_link *k, struct str host, uint16_t port)
{
	struct address_set set;
	k->name = resolver_row(host, port);
	k->port = port;
	if (resolved_addresses(k->name, &set)) {
		link_connect_tcp(k, &set);
		return;
	}
	k->state = LINK_NAMING;
	timer_in(&k->timer, OPEN_US);
	if (!k->waiting_for_name)
		resolved_wait(k->waited_name = k->name, k->loop, on_name, k);
	k->waiting_for_name = true;
}

void link_open(struct redis_link *k)
{
	const struct redis_url *u = &k->place->url;
	k->asking = u->n_sentinels > 0 && k->master[0] == '\0';
	if (u->path.n) {
		link_connect(k, &(struct redis_endpoint){ .path = u->path.p });
	} else if (k->asking) {
		const struct redis_host *s = &u->sentinels[k->sentinel_turn++ % u->n_sentinels];
		link_dial(k, s->host, s->port);
	} else if (u->n_sentinels > 0) {
		struct str master = str_c(k->master);
		link_dial(k, master, k->master_port);
		k->master[0] = '\0';
	} else {
		link_dial(k, u->host, u->port);
	}
}
