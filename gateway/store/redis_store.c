/*
 * redis_store.c: the store shared by replicas: calls become commands, answers become results.
 *
 * Reservations of one loop turn about the same limits become one command, and so do settlements: Redis then reads and
 * writes the records once for all of them, and each is judged on what those before it left.
 */
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/redis_counters.h"
#include "store/redis_store_parts.h"

enum { OPEN_MAX = 16 };

/* Who is told of the end may ask once more: nothing leaves then. */
static bool able(const struct redis_store *s)
{
	return !s->closing && redis_route_up(s->route);
}

/* A key of the scope, as far as its slot is concerned. */
static struct str scope_tag(char to[SCOPE_PREFIX_MAX + 1], struct str scope)
{
	struct str prefix = script_prefix(to, scope);
	to[prefix.n] = '}';
	return str_of(to, prefix.n + 1);
}

static struct call *script_make(struct redis_store *s, struct store_call *c, enum call_kind kind, struct script_call *what)
{
	what->ttl_us = s->home->ttl_us;
	struct call *x = redis_call_new(s, c, kind, script_wire_size(what));
	x->script = what->script;
	script_wire_write(&x->wire, x->bytes, x->room, what, s->home->sha[what->script]);
	char prefix[SCOPE_PREFIX_MAX + 1];
	x->slot = s->home->place.url.n_seeds ? redis_route_slot(s->route, scope_tag(prefix, what->scope)) : 0;
	return x;
}

/* --- one command of several callers --- */

static void open_send(struct redis_store *s, struct call *x)
{
	list_remove(&x->link);
	list_append(&s->calls, &x->link);
	s->n_open--;
	script_wire_close(&x->wire);
	redis_call_begin(x);
}

static void on_send(struct loop_task *t)
{
	struct redis_store *s = container_of(t, struct redis_store, send);
	for (unsigned i = 0; i < OPEN_LISTS; i++)
		while (!list_empty(&s->open[i]))
			open_send(s, list_entry(s->open[i].next, struct call, link));
}

static struct call *open_find(const struct list *open, const struct script_call *what)
{
	list_each(at, open) {
		struct call *x = list_entry(at, struct call, link);
		if (x->n_callers < CALL_CALLERS_MAX && script_wire_join(&x->wire, what))
			return x;
	}
	return NULL;
}

/* After those that wait: it may be about the same limits. */
static void script_call(struct store *store, struct store_call *c, enum call_kind kind, struct script_call *what)
{
	struct redis_store *s = redis_store_of(store);
	on_send(&s->send);
	struct call *x = script_make(s, c, kind, what);
	script_wire_close(&x->wire);
	redis_call_begin(x);
}

/* Sent at the turn's end, settlements first: they make room. */
static void script_call_together(struct store *store, struct store_call *c, enum call_kind kind, struct script_call *what)
{
	struct redis_store *s = redis_store_of(store);
	struct list *open = &s->open[kind == CALL_SETTLE ? OPEN_SETTLEMENTS : OPEN_RESERVATIONS];
	struct call *x = open_find(open, what);
	if (x) {
		x->callers[x->n_callers++] = c;
		if (c)
			c->inner = x;
		return;
	}
	x = script_make(s, c, kind, what);
	list_remove(&x->link);
	list_append(open, &x->link);
	loop_defer(s->store.loop, &s->send);
	if (++s->n_open > OPEN_MAX)
		on_send(&s->send);
}

static void on_reserve(struct store *s, struct store_call *c, const struct store_reservation *r, bool peek)
{
	struct script_call what = {
		.script = REDIS_RESERVE, .op = peek ? 'P' : 'R', .scope = r->scope, .id = r->id,
		.limits = r->limits, .n = r->n,
	};
	if (peek || !able(redis_store_of(s)))
		script_call(s, c, peek ? CALL_PEEK : CALL_RESERVE, &what);
	else
		script_call_together(s, c, CALL_RESERVE, &what);
}

static void on_settle(struct store *s, struct store_call *c, const struct store_reservation *r, const int64_t *real,
		      bool unreserved)
{
	struct script_call what = {
		.script = REDIS_SETTLE, .op = unreserved ? 'C' : 'S', .scope = r->scope, .id = r->id,
		.limits = r->limits, .n = r->n, .amounts = real,
	};
	if (!unreserved && !redis_store_of(s)->closing) {
		script_call_together(s, c, CALL_SETTLE, &what);
		return;
	}
	if (!unreserved || able(redis_store_of(s))) {
		script_call(s, c, CALL_SETTLE, &what);
		return;
	}
	redis_later_settle(redis_store_of(s), r, real);
	if (c)
		counter_add(redis_counters.ended[COUNT_DOWN], 1);
	store_done(c, STORE_DOWN);
}

static void on_renew(struct store *s, struct store_call *c, const struct store_reservation *r)
{
	struct script_call what = {
		.script = REDIS_CARE, .op = 'N', .scope = r->scope, .id = r->id,
		.limits = r->limits, .n = r->n,
	};
	script_call(s, c, CALL_SCRIPT, &what);
}

static void on_seed(struct store *s, struct store_call *c, struct str scope, const struct store_limit *budget,
		    int64_t spent)
{
	struct script_call what = {
		.script = REDIS_CARE, .op = 'D', .scope = scope, .limits = budget, .n = 1, .amounts = &spent,
	};
	script_call(s, c, CALL_SCRIPT, &what);
}

/* --- sums --- */

static struct call *tally_make(struct redis_store *s, struct store_call *c, enum call_kind kind, const struct tally_call *what)
{
	char key[TALLY_KEY_MAX];
	struct call *x = redis_call_new(s, c, kind, tally_wire_size(what));
	x->script = REDIS_TALLY;
	tally_wire_write(&x->wire, x->bytes, what, s->home->sha[REDIS_TALLY]);
	x->slot = s->home->place.url.n_seeds ? redis_route_slot(s->route, tally_key(key, what->day)) : 0;
	return x;
}

static struct call *tally_told(struct redis_store *s, const struct store_tally *t)
{
	const struct tally_call what = { .day = t->day, .t = t, .teller = s->teller, .serial = s->told++ };
	return tally_make(s, NULL, CALL_TALLY, &what);
}

static void on_tally(struct store *store, const struct store_tally *t)
{
	struct redis_store *s = redis_store_of(store);
	if (able(s))
		redis_call_begin(tally_told(s, t));
	else
		redis_later_tally(s, t);
}

static void on_tally_read(struct store *s, struct store_call *c, int64_t day)
{
	const struct tally_call what = { .day = day };
	redis_call_begin(tally_make(redis_store_of(s), c, CALL_PAGE, &what));
}

struct call *redis_sum_call(struct redis_store *s, const struct owed_sum *sum)
{
	struct script_call what = {
		.script = REDIS_SETTLE, .op = 'C', .scope = sum->r.scope, .id = sum->r.id,
		.limits = sum->r.limits, .n = sum->r.n, .amounts = sum->real,
	};
	if (sum->is_tally)
		return tally_told(s, &sum->tally);
	struct call *x = script_make(s, NULL, CALL_SETTLE, &what);
	script_wire_close(&x->wire);
	return x;
}

/* --- the rest of the contract --- */

static void on_cancel(struct store *s, struct store_call *c)
{
	struct call *x = c->inner;
	(void)s;
	for (unsigned i = 0; i < x->n_callers; i++)
		if (x->callers[i] == c)
			x->callers[i] = NULL;
	c->inner = NULL;
}

static bool on_is_up(const struct store *s)
{
	return able(redis_store_of(s));
}

/* In a cluster as long as one node can be asked. */
static void note_up(struct redis_store *s, bool up)
{
	if (up != s->up)
		atomic_fetch_add(&s->home->home.up, up ? 1U : -1U);
	s->up = up;
}

/* Learns the server's time, and has the script there before it is needed. */
static void on_changed(void *arg, bool up)
{
	struct redis_store *s = arg;
	counter_add(redis_counters.links_up, up ? 1 : -1);
	if (!s->closing)
		note_up(s, redis_route_up(s->route));
	if (!up)
		return;
	struct script_call what = { .script = REDIS_RESERVE, .op = 'P', .scope = STR("-") };
	script_call(&s->store, NULL, CALL_PEEK, &what);
	redis_later_deliver(s);
}

static void on_close(struct store *store)
{
	struct redis_store *s = redis_store_of(store);
	s->closing = true;
	on_send(&s->send);
	loop_task_cancel(&s->send);
	note_up(s, false);
	redis_route_close(s->route);
	atomic_fetch_sub(&s->home->home.opened, 1);
	redis_later_close(s);
	list_each(link, &s->spare)
		free(list_entry(link, struct call, link));
	free(s);
}

static const struct store_ops redis_ops = {
	.reserve = on_reserve, .settle = on_settle, .renew = on_renew, .seed = on_seed,
	.tally = on_tally, .tally_read = on_tally_read, .get = redis_value_get, .put = redis_value_put, .remove = redis_value_remove, .eval = redis_value_eval,
	.cancel = on_cancel, .is_up = on_is_up, .close = on_close,
};

static struct store *open_store(struct store_home *h, struct loop *l)
{
	struct redis_store *s = mem_alloc(sizeof(*s));
	s->store.ops = &redis_ops;
	s->store.loop = l;
	s->home = container_of(h, struct redis_home, home);
	s->store.ttl_us = s->home->ttl_us;
	s->teller = random_u64();
	list_init(&s->calls);
	for (unsigned i = 0; i < OPEN_LISTS; i++)
		list_init(&s->open[i]);
	loop_task_init(&s->send, on_send);
	list_init(&s->spare);
	redis_later_open(s);
	atomic_fetch_add(&s->home->home.opened, 1);
	s->route = redis_route_open(&s->home->place, l, on_changed, s);
	return &s->store;
}

struct store_home *redis_store_home(const struct store_options *o, struct buf *why)
{
	redis_counters_begin();
	struct redis_home *h = redis_home_open(o, why);
	if (!h)
		return NULL;
	h->home.open = open_store;
	return &h->home;
}
