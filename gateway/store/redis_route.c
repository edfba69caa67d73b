/*
 * redis_route.c: one link, or one for each node of a cluster and a map of slots.
 */
#include "store/redis_route.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"

enum { SLOTS = 16384, NODES_MAX = 64, UNKNOWN = NODES_MAX };

struct node {
	struct redis_place place;	/* a cluster's: the common one's, with another address */
	struct redis_link *link;
	char host[256];
};

struct redis_route {
	struct redis_place *place;
	struct loop *loop;
	void (*changed)(void *arg, bool up);
	void *arg;
	struct node *nodes[NODES_MAX];
	unsigned n, turn;
	bool cluster;
	uint8_t map[SLOTS];		/* of nodes; UNKNOWN */
};

/* --- slots --- */

static unsigned crc16(struct str s)
{
	unsigned crc = 0;
	for (size_t i = 0; i < s.n; i++) {
		crc ^= (unsigned)(unsigned char)s.p[i] << 8;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
	}
	return crc & 0xffff;
}

unsigned redis_route_slot(const struct redis_route *r, struct str key)
{
	if (!r->cluster)
		return 0;
	ptrdiff_t open = str_chr(key, '{');
	struct str inside = open < 0 ? STR_NONE : str_skip(key, (size_t)open + 1);
	ptrdiff_t end = str_chr(inside, '}');
	return crc16(end > 0 ? str_head(inside, (size_t)end) : key) % SLOTS;
}

/* --- nodes --- */

static unsigned node_find(const struct redis_route *r, struct str host, uint16_t port)
{
	unsigned i = 0;
	while (i < r->n && !(r->nodes[i]->place.url.port == port && str_eq(r->nodes[i]->place.url.host, host)))
		i++;
	return i;
}

/* The node of that address, connected to when it is new; UNKNOWN when there are too many. */
static unsigned node_of(struct redis_route *r, struct str host, uint16_t port)
{
	unsigned i = node_find(r, host, port);
	if (i < r->n || r->n == NODES_MAX || host.n >= sizeof(r->nodes[0]->host))
		return i < r->n ? i : UNKNOWN;
	struct node *x = mem_alloc(sizeof(*x));
	r->nodes[r->n++] = x;
	memcpy(x->host, host.p, host.n);
	x->place.url = r->place->url;
	x->place.url.host = str_of(x->host, host.n);
	x->place.url.port = port;
	x->place.cluster = true;
	x->place.command_us = r->place->command_us;
	x->place.tls = r->place->tls;
	atomic_store(&x->place.told_us, INT64_MIN / 2);
	snprintf(x->place.name, sizeof(x->place.name), "redis cluster's node %s:%u", x->host, port);
	x->link = redis_link_open(&x->place, r->loop);
	redis_link_watch(x->link, r->changed, r->arg);
	return i;
}

struct redis_route *redis_route_open(struct redis_place *p, struct loop *l, void (*changed)(void *arg, bool up),
				     void *arg)
{
	struct redis_route *r = mem_alloc(sizeof(*r));
	*r = (struct redis_route){ .place = p, .loop = l, .changed = changed, .arg = arg, .cluster = p->url.n_seeds > 0 };
	memset(r->map, UNKNOWN, sizeof(r->map));
	for (unsigned i = 0; i < p->url.n_seeds; i++)
		node_of(r, p->url.seeds[i].host, p->url.seeds[i].port);
	if (r->cluster)
		return r;
	r->nodes[r->n++] = mem_alloc(sizeof(struct node));
	r->nodes[0]->link = redis_link_open(p, l);
	redis_link_watch(r->nodes[0]->link, changed, arg);
	return r;
}

void redis_route_close(struct redis_route *r)
{
	for (unsigned i = 0; i < r->n; i++)
		redis_link_close(r->nodes[i]->link);
	for (unsigned i = 0; i < r->n; i++)
		free(r->nodes[i]);
	free(r);
}

bool redis_route_up(const struct redis_route *r)
{
	for (unsigned i = 0; i < r->n; i++)
		if (redis_link_up(r->nodes[i]->link))
			return true;
	return false;
}

/* --- commands --- */

static void on_asking(struct redis_command *c, const struct redis_answer *a)
{
	(void)a;	/* what it made way for has an answer of its own */
	free(c);
}

static void on_asking_expired(struct redis_command *c)
{
	(void)c;
}

static bool send_asking(struct redis_command *c, struct str wire, struct redis_hop *hop)
{
	struct redis_link *to = hop->to;
	struct redis_command *asking = mem_alloc(sizeof(*asking));
	hop->to = NULL;
	asking->answered = on_asking;
	asking->expired = on_asking_expired;
	if (redis_link_send(to, asking, STR("*1\r\n$6\r\nASKING\r\n")))
		return redis_link_send(to, c, wire);
	free(asking);
	return false;
}

bool redis_route_send(struct redis_route *r, struct redis_command *c, struct str wire, unsigned slot,
		      struct redis_hop *hop)
{
	if (hop->to)
		return send_asking(c, wire, hop);
	if (!r->cluster)
		return redis_link_send(r->nodes[0]->link, c, wire);
	unsigned at = r->map[slot];
	if (at < r->n && redis_link_send(r->nodes[at]->link, c, wire))
		return true;
	if (hop->hops > 0)
		return false;	/* the node that was named is away */
	for (unsigned i = 0; i < r->n; i++)
		if (redis_link_send(r->nodes[r->turn++ % r->n]->link, c, wire))
			return true;
	return false;
}

/* "MOVED 3999 host:port", "ASK 3999 host:port"; without a host it is the one who says so. */
static bool hop_parse(struct redis_route *r, const struct redis_command *c, struct str text, uint64_t *slot,
		      unsigned *node)
{
	struct str part;
	uint64_t port;
	if (!str_split(&text, ' ', &part) || !str_split(&text, ' ', &part) || !str_u64(part, slot) || *slot >= SLOTS)
		return false;
	ptrdiff_t colon = str_rchr(text, ':');
	if (colon < 0 || !str_u64(str_skip(text, (size_t)colon + 1), &port) || port == 0 || port > 65535)
		return false;
	struct str host = str_head(text, (size_t)colon);
	for (unsigned i = 0; i < r->n && str_empty(host); i++)
		if (r->nodes[i]->link == c->owner)
			host = r->nodes[i]->place.url.host;
	*node = str_empty(host) ? UNKNOWN : node_of(r, host, (uint16_t)port);
	return *node != UNKNOWN;
}

bool redis_route_follow(struct redis_route *r, const struct redis_command *c, const struct redis_answer *a,
			struct redis_hop *hop)
{
	bool moved = a->kind == REDIS_ERROR && str_starts(a->text, STR("MOVED "));
	bool ask = a->kind == REDIS_ERROR && str_starts(a->text, STR("ASK "));
	uint64_t slot;
	unsigned node;
	if (!r->cluster || !(moved || ask) || hop->hops >= REDIS_HOPS_MAX || !hop_parse(r, c, a->text, &slot, &node))
		return false;
	hop->hops++;
	if (moved)
		r->map[slot] = (uint8_t)node;
	else
		hop->to = r->nodes[node]->link;
	return true;
}
