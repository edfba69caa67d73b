/*
 * redis_store.c: the store shared by replicas: calls become commands, answers become results.
 *
 * A caller is told at its deadline, and hears no more; its command lives on until Redis or the
 * connection says what became of it. A reservation granted after its caller left is given
 * back, also one of which nobody knows whether it was granted; that, and a settlement that was not confirmed,
 * is kept and delivered again: it is safe to repeat.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/redis_command.h"
#include "store/redis_counters.h"
#include "store/redis_home.h"
#include "store/redis_route.h"
#include "store/redis_wire.h"

enum { OWED_AT_ONCE = 100, TEXT_MAX = 256 * 1024 };

static const int64_t RETRY_US = SECOND_US;

#define VALUE_PREFIX STR("weir:v:")

struct redis_store {
	struct store store;
	struct redis_home *home;
	struct redis_route *route;
	struct list calls;		/* under way */
	struct list owed;		/* settlements not confirmed, the oldest first */
	unsigned n_owed, owed_in_flight;
	bool closing, up;
	struct timer retry;		/* of what is owed while its connection stands */
	uint64_t teller, told;		/* of sums: who this is, and how many were told */
	int64_t broken_told_us;		/* when the log last heard of an answer that is an error */
};

enum call_kind { CALL_RESERVE, CALL_PEEK, CALL_SCRIPT, CALL_SETTLE, CALL_RETURN, CALL_TALLY, CALL_PAGE, CALL_GET, CALL_PUT, CALL_REMOVE, CALL_EVAL };

struct call {
	struct redis_command command;
	struct list link;		/* of `calls` or `owed` */
	struct redis_store *store;
	struct store_call *caller;	/* NULL once told, or when nobody asked */
	enum call_kind kind;
	unsigned n;			/* limits */
	enum redis_script script;
	bool with_text;			/* the script itself was sent */
	bool again;			/* a settlement delivered again */
	unsigned slot;
	struct redis_hop hop;
	struct script_wire wire;
	char bytes[];
};

/* --- calls --- */

static struct call *call_of(struct redis_command *c)
{
	return container_of(c, struct call, command);
}

static struct redis_store *store_of(const struct store *s)
{
	return container_of(s, struct redis_store, store);
}

/* What happened is told by it: never given up lightly, and safe to repeat. */
static bool settles(const struct call *x)
{
	return x->kind == CALL_SETTLE || x->kind == CALL_TALLY || x->kind == CALL_RETURN;
}

/* The caller's end of it; the call itself may live on. */
static void call_tell(struct call *x, enum store_result result, enum redis_ended how)
{
	struct store_call *c = x->caller;
	x->caller = NULL;
	if (!c)
		return;
	counter_add(redis_counters.ended[how], 1);
	store_done(c, result);
}

static void call_free(struct call *x)
{
	counter_add(redis_counters.in_flight, -1);
	list_remove(&x->link);
	free(x);
}

static void owed_drop(struct redis_store *s, struct call *x)
{
	counter_add(redis_counters.lost, 1);
	counter_add(redis_counters.owed, -1);
	s->n_owed--;
	list_remove(&x->link);
	free(x);
}

static void owed_keep(struct redis_store *s, struct call *x)
{
	list_remove(&x->link);
	list_append(&s->owed, &x->link);
	if (!timer_pending(&s->retry))
		timer_in(&s->retry, RETRY_US);
	counter_add(redis_counters.in_flight, -1);
	counter_add(redis_counters.owed, 1);
	if (++s->n_owed <= STORE_OWED_MAX)
		return;
	log_error("store: %s: more than %d settlements wait for it; the oldest are given up", s->home->place.name,
		  STORE_OWED_MAX);
	owed_drop(s, list_entry(s->owed.next, struct call, link));
}

/* Not sent, or lost: what may have happened or not. */
static void call_down(struct call *x)
{
	struct redis_store *s = x->store;
	bool keep = settles(x);
	if (keep)
		owed_keep(s, x);
	call_tell(x, STORE_DOWN, COUNT_DOWN);
	if (!keep)
		call_free(x);
}

/* A script goes with its digest, or with its text when Redis has lost it. */
static bool call_send(struct call *x)
{
	struct redis_route *route = x->store->route;
	if (!x->with_text)
		return redis_route_send(route, &x->command, str_of(x->wire.p, x->wire.n), x->slot, &x->hop);
	struct buf wire = BUF_INIT(TEXT_MAX);
	bool sent = script_wire_with_text(&x->wire, redis_scripts[x->script], &wire) &&
		    redis_route_send(route, &x->command, buf_str(&wire), x->slot, &x->hop);
	buf_free(&wire);
	return sent;
}

static void on_expired(struct redis_command *c)
{
	call_tell(call_of(c), STORE_DOWN, COUNT_LATE);
}

/* --- answers --- */

static bool lost_script(const struct call *x, const struct redis_answer *a)
{
	return x->kind < CALL_GET && a->kind == REDIS_ERROR && str_starts(a->text, STR("NOSCRIPT")) && !x->with_text;
}

/*
 * True: the answer made it go once more, to another node or with the script's text, or ended it because
 * it could not.
 */
static bool call_resend(struct call *x, const struct redis_answer *a)
{
	bool followed = redis_route_follow(x->store->route, &x->command, a, &x->hop);
	if (!followed && !lost_script(x, a))
		return false;
	x->with_text = !followed || x->with_text;
	if (x->command.due_us < 0)
		x->command.due_us = 0;	/* nobody waits any more */
	if (!call_send(x))
		call_down(x);
	return true;
}

/* What reserved now gives back: its caller left before it was granted. */
static void become_return(struct call *x)
{
	x->kind = CALL_RETURN;
	x->script = REDIS_CARE;
	script_wire_change(&x->wire, 'L', x->store->home->sha[REDIS_CARE]);
	x->with_text = false;
	x->hop.hops = 0;
	x->command.due_us = 0;
}

/* Answered by nobody: it may be granted where nobody heard. Settlements need the room more: else it lapses. */
static void call_lost(struct call *x, const struct redis_answer *a)
{
	const struct redis_store *s = x->store;
	if (x->kind == CALL_RESERVE && str_empty(a->text) && !s->closing && s->n_owed < STORE_OWED_MAX / 2) {
		call_tell(x, STORE_DOWN, COUNT_DOWN);
		become_return(x);
	}
	call_down(x);
}

/* Now and again: every request may meet the same one. */
static void tell_broken(struct redis_store *s, struct str what)
{
	int64_t now = loop_now(s->store.loop);
	if (s->broken_told_us && now - s->broken_told_us < SECOND_US)
		return;
	s->broken_told_us = now;
	log_error("store: %s: %.*s", s->home->place.name, STR_FMT(str_head(what, 300)));
}

static void call_broken(struct call *x, const struct redis_answer *a)
{
	tell_broken(x->store, a->text);
	if (settles(x) && x->kind != CALL_RETURN)
		counter_add(redis_counters.lost, 1);
	call_tell(x, STORE_BROKEN, COUNT_BROKEN);
	call_free(x);
}

static enum store_result result_of(int64_t status)
{
	return status == 0 ? STORE_OK : status == 1 ? STORE_REFUSED : status == 2 ? STORE_MISSING : STORE_BROKEN;
}

static void page_answered(struct call *x, const struct redis_answer *a)
{
	struct redis_link *link = x->command.owner;
	if (a->kind != REDIS_TEXT) {
		call_down(x);
		redis_link_distrust(link, "an answer is not what was asked for");
		return;
	}
	if (x->caller)
		x->caller->value = a->text;
	call_tell(x, STORE_OK, COUNT_ANSWERED);
	call_free(x);
}

static void script_answered(struct call *x, const struct redis_answer *a)
{
	struct redis_store *s = x->store;
	struct redis_link *link = x->command.owner;
	struct store_answer unread, *answer = x->caller && x->caller->answer ? x->caller->answer : &unread;
	struct script_answer out;
	bool full = x->kind == CALL_RESERVE || x->kind == CALL_PEEK;
	if (a->kind != REDIS_TEXT || !script_answer_read(a->text, x->n, &out, full ? answer : NULL)) {
		call_down(x);
		redis_link_distrust(link, "an answer is not what was asked for");
		return;
	}
	s->store.ahead_us = out.now_us - clock_wall_us();
	if (x->kind == CALL_RESERVE && !x->caller && out.status == 0) {
		become_return(x);
		if (!call_send(x))
			call_down(x);
		return;
	}
	if (x->kind == CALL_TALLY && out.otherwise)
		counter_add(redis_counters.otherwise, 1);
	if (out.status > 2)
		tell_broken(s, STR("a settlement met records that are none of weir's"));
	call_tell(x, result_of(out.status), out.status > 2 ? COUNT_BROKEN : COUNT_ANSWERED);
	call_free(x);
}

static void value_answered(struct call *x, const struct redis_answer *a)
{
	bool found = a->kind == REDIS_TEXT, none = a->kind == REDIS_NIL;
	bool good = x->kind == CALL_GET ? found || none : x->kind == CALL_REMOVE ? a->kind == REDIS_NUMBER : found;
	if (!good) {
		struct redis_link *link = x->command.owner;
		call_down(x);
		redis_link_distrust(link, "an answer is not what was asked for");
		return;
	}
	if (x->kind != CALL_PUT && x->kind != CALL_REMOVE && x->caller)
		x->caller->value = a->text;
	call_tell(x, none ? STORE_MISSING : STORE_OK, COUNT_ANSWERED);
	call_free(x);
}

static void owed_deliver(struct redis_store *s);

static void on_answered(struct redis_command *c, const struct redis_answer *a)
{
	struct call *x = call_of(c);
	struct redis_store *s = x->store;
	bool again = x->again;
	x->again = false;
	s->owed_in_flight -= again;
	if (a->kind == REDIS_LOST) {
		call_lost(x, a);
	} else if (!call_resend(x, a)) {
		if (a->kind == REDIS_ERROR)
			call_broken(x, a);
		else if (x->kind == CALL_PAGE)
			page_answered(x, a);
		else if (x->kind >= CALL_GET)
			value_answered(x, a);
		else
			script_answered(x, a);
	}
	if (again && a->kind != REDIS_LOST)
		owed_deliver(s);
}

/* --- settlements that wait --- */

static bool owed_send(struct redis_store *s, struct call *x)
{
	x->command.due_us = 0;
	x->with_text = false;
	x->hop.hops = 0;
	if (!call_send(x))
		return false;
	list_remove(&x->link);
	list_append(&s->calls, &x->link);
	x->again = true;
	s->n_owed--;
	s->owed_in_flight++;
	counter_add(redis_counters.owed, -1);
	counter_add(redis_counters.in_flight, 1);
	return true;
}

/* A few at a time, so that requests do not wait behind them. */
static void owed_deliver(struct redis_store *s)
{
	while (!s->closing && redis_route_up(s->route) && !list_empty(&s->owed) && s->owed_in_flight < OWED_AT_ONCE)
		if (!owed_send(s, list_entry(s->owed.next, struct call, link)))
			break;
}

/* A slot that moves, or a Redis out of memory, takes none for a while, and its connection stands. */
static void on_retry(struct timer *t)
{
	struct redis_store *s = container_of(t, struct redis_store, retry);
	owed_deliver(s);
	if (s->n_owed > 0)
		timer_in(t, RETRY_US);
}

/* --- calls of the script --- */

static struct call *call_new(struct redis_store *s, struct store_call *c, enum call_kind kind, size_t bytes)
{
	struct call *x = malloc(sizeof(*x) + bytes);
	if (!x)
		abort();
	x->command = (struct redis_command){ .answered = on_answered, .expired = on_expired };
	x->store = s;
	x->caller = c;
	x->kind = kind;
	x->n = 0;
	x->with_text = x->again = false;
	x->hop = (struct redis_hop){ .hops = 0 };
	if (c)
		c->inner = x;
	list_init(&x->link);
	list_append(&s->calls, &x->link);
	counter_add(redis_counters.in_flight, 1);
	return x;
}

/* A key of the scope, as far as its slot is concerned. */
static struct str scope_tag(char to[SCOPE_PREFIX_MAX + 1], struct str scope)
{
	struct str prefix = script_prefix(to, scope);
	to[prefix.n] = '}';
	return str_of(to, prefix.n + 1);
}

static void script_call(struct store *store, struct store_call *c, enum call_kind kind, struct script_call *what)
{
	struct redis_store *s = store_of(store);
	what->ttl_us = s->home->ttl_us;
	struct call *x = call_new(s, c, kind, script_wire_size(what));
	x->n = what->n;
	x->script = what->script;
	script_wire_write(&x->wire, x->bytes, what, s->home->sha[what->script]);
	char prefix[SCOPE_PREFIX_MAX + 1];
	x->slot = s->home->place.url.n_seeds ? redis_route_slot(s->route, scope_tag(prefix, what->scope)) : 0;
	if (!call_send(x))
		call_down(x);
}

static void on_reserve(struct store *s, struct store_call *c, const struct store_reservation *r, bool peek)
{
	struct script_call what = {
		.script = REDIS_RESERVE, .op = peek ? 'P' : 'R', .scope = r->scope, .id = r->id,
		.limits = r->limits, .n = r->n,
	};
	script_call(s, c, peek ? CALL_PEEK : CALL_RESERVE, &what);
}

static void on_settle(struct store *s, struct store_call *c, const struct store_reservation *r, const int64_t *real,
		      bool unreserved)
{
	struct script_call what = {
		.script = REDIS_SETTLE, .op = unreserved ? 'C' : 'S', .scope = r->scope, .id = r->id,
		.limits = r->limits, .n = r->n, .amounts = real,
	};
	script_call(s, c, CALL_SETTLE, &what);
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

static void tally_send(struct redis_store *s, struct store_call *c, enum call_kind kind, const struct tally_call *what)
{
	char key[TALLY_KEY_MAX];
	struct call *x = call_new(s, c, kind, tally_wire_size(what));
	x->script = REDIS_TALLY;
	tally_wire_write(&x->wire, x->bytes, what, s->home->sha[REDIS_TALLY]);
	x->slot = s->home->place.url.n_seeds ? redis_route_slot(s->route, tally_key(key, what->day)) : 0;
	if (!call_send(x))
		call_down(x);
}

static void on_tally(struct store *store, const struct store_tally *t)
{
	struct redis_store *s = store_of(store);
	const struct tally_call what = { .day = t->day, .t = t, .teller = s->teller, .serial = s->told++ };
	tally_send(s, NULL, CALL_TALLY, &what);
}

static void on_tally_read(struct store *s, struct store_call *c, int64_t day)
{
	const struct tally_call what = { .day = day };
	tally_send(store_of(s), c, CALL_PAGE, &what);
}

/* --- values --- */

static void plain_call(struct redis_store *s, struct store_call *c, enum call_kind kind, unsigned n, const struct str *argv,
		       struct str key)
{
	struct call *x = call_new(s, c, kind, wire_size(n, argv));
	x->wire.p = x->bytes;
	x->wire.n = (size_t)(wire_command(x->bytes, n, argv) - x->bytes);
	x->slot = redis_route_slot(s->route, key);
	if (!call_send(x))
		call_down(x);
}

static void value_call(struct store *store, struct store_call *c, enum call_kind kind, unsigned n, struct str *argv)
{
	char key[STORE_KEY_MAX + 16];
	size_t prefix = VALUE_PREFIX.n;
	memcpy(key, VALUE_PREFIX.p, prefix);
	memcpy(key + prefix, argv[1].p, argv[1].n);
	argv[1] = str_of(key, prefix + argv[1].n);
	plain_call(store_of(store), c, kind, n, argv, argv[1]);
}

static void on_get(struct store *s, struct store_call *c, struct str key)
{
	value_call(s, c, CALL_GET, 2, (struct str[]){ STR("GET"), key });
}

static void on_put(struct store *s, struct store_call *c, struct str key, struct str value, int64_t ttl_ms)
{
	char ttl[24];
	int64_t most = INT64_C(1000) * 86400 * 3650;
	int n = snprintf(ttl, sizeof(ttl), "%lld", (long long)(ttl_ms < most ? ttl_ms : most));
	struct str argv[] = { STR("SET"), key, value, STR("PX"), str_of(ttl, (size_t)n) };
	value_call(s, c, CALL_PUT, array_len(argv), argv);
}

static void on_remove(struct store *s, struct store_call *c, struct str key)
{
	value_call(s, c, CALL_REMOVE, 2, (struct str[]){ STR("DEL"), key });
}

static void on_eval(struct store *store, struct store_call *c, const struct store_script *e)
{
	struct str argv[3 + STORE_SCRIPT_KEYS + STORE_SCRIPT_ARGS];
	char count = (char)('0' + e->n_keys);
	unsigned n = 0;
	argv[n++] = STR("EVAL");
	argv[n++] = str_c(e->text);
	argv[n++] = str_of(&count, 1);
	for (unsigned i = 0; i < e->n_keys; i++)
		argv[n++] = e->keys[i];
	for (unsigned i = 0; i < e->n_args; i++)
		argv[n++] = e->args[i];
	plain_call(store_of(store), c, CALL_EVAL, n, argv, e->keys[0]);
}

/* --- the rest of the contract --- */

static void on_cancel(struct store *s, struct store_call *c)
{
	struct call *x = c->inner;
	(void)s;
	x->caller = NULL;
	c->inner = NULL;
}

static bool on_is_up(const struct store *s)
{
	return redis_route_up(store_of(s)->route);
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
	owed_deliver(s);
}

static void on_close(struct store *store)
{
	struct redis_store *s = store_of(store);
	s->closing = true;
	note_up(s, false);
	redis_route_close(s->route);
	atomic_fetch_sub(&s->home->home.opened, 1);
	if (s->n_owed > 0)
		log_error("store: %s: %u settlements were not delivered", s->home->place.name, s->n_owed);
	while (!list_empty(&s->owed))
		owed_drop(s, list_entry(s->owed.next, struct call, link));
	timer_close(&s->retry);
	free(s);
}

static const struct store_ops redis_ops = {
	.reserve = on_reserve, .settle = on_settle, .renew = on_renew, .seed = on_seed,
	.tally = on_tally, .tally_read = on_tally_read, .get = on_get, .put = on_put, .remove = on_remove, .eval = on_eval,
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
	list_init(&s->owed);
	timer_open(&s->retry, l, on_retry);
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
