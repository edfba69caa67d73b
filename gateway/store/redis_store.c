/*
 * redis_store.c: the store shared by replicas: calls become commands, answers become results.
 *
 * A caller is told at its deadline, and hears no more; its command lives on until Redis or the
 * connection says what became of it. A reservation granted after its caller left is given
 * back, also one of which nobody knows whether it was granted; that, and a settlement that was not confirmed,
 * is kept and delivered again: it is safe to repeat.
 */
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/redis_counters.h"
#include "store/redis_store_parts.h"

enum { CALL_SMALL = 768, CALL_ROOM = 3072, SPARE_MAX = 64, OWED_AT_ONCE = 100, TEXT_MAX = 256 * 1024 };

static const int64_t RETRY_US = SECOND_US;

/* --- calls --- */

static struct call *call_of(struct redis_command *c)
{
	return container_of(c, struct call, command);
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

/* Those of many limits are of a size that malloc() has no quick way for. */
static void call_release(struct call *x)
{
	struct redis_store *s = x->store;
	list_remove(&x->link);
	if (x->room != CALL_ROOM || s->n_spare >= SPARE_MAX || s->closing) {
		free(x);
		return;
	}
	list_prepend(&s->spare, &x->link);
	s->n_spare++;
}

static struct call *call_take(struct redis_store *s, size_t bytes)
{
	bool usual = bytes > CALL_SMALL && bytes <= CALL_ROOM;
	struct call *x;
	if (usual && s->n_spare > 0) {
		x = list_entry(s->spare.next, struct call, link);
		list_remove(&x->link);
		s->n_spare--;
		return x;
	}
	size_t room = usual ? CALL_ROOM : bytes;
	x = malloc(sizeof(*x) + room);
	if (!x)
		abort();
	x->room = room;
	return x;
}

static void call_free(struct call *x)
{
	counter_add(redis_counters.in_flight, -1);
	call_release(x);
}

static void owed_drop(struct redis_store *s, struct call *x)
{
	counter_add(redis_counters.lost, 1);
	counter_add(redis_counters.owed, -1);
	s->n_owed--;
	call_release(x);
}

/* Once a minute of all workers: many follow. */
static void tell_given_up(const struct redis_store *s)
{
	static _Atomic int64_t told_us = INT64_MIN / 2;
	int64_t now = loop_now(s->store.loop), last = atomic_load(&told_us);
	if (now - last < 60 * SECOND_US || !atomic_compare_exchange_strong(&told_us, &last, now))
		return;
	log_error("store: %s: more than %d settlements wait for it; further ones are given up and counted in "
		  "weir_store_settlements_lost_total", s->home->place.name, STORE_OWED_MAX);
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
	tell_given_up(s);
	owed_drop(s, list_entry(s->owed.next, struct call, link));
}

/* `kept` as owed_sums_... said of it. */
static void sums_grown(struct redis_store *s, unsigned before, bool kept)
{
	counter_add(redis_counters.owed, (int64_t)s->sums.n - before);
	if (kept)
		return;
	counter_add(redis_counters.lost, 1);
	tell_given_up(s);
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
static void sum_send(struct redis_store *s, struct owed_sum *sum);

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
			return;
	while (!s->closing && redis_route_up(s->route) && s->sums.n > 0 && s->owed_in_flight < OWED_AT_ONCE)
		sum_send(s, owed_sums_take(&s->sums));
}

/* A slot that moves, or a Redis out of memory, takes none for a while, and its connection stands. */
static void on_retry(struct timer *t)
{
	struct redis_store *s = container_of(t, struct redis_store, retry);
	owed_deliver(s);
	if (s->n_owed > 0 || s->sums.n > 0)
		timer_in(t, RETRY_US);
}

/* --- calls of the script --- */

struct call *redis_call_new(struct redis_store *s, struct store_call *c, enum call_kind kind, size_t bytes)
{
	struct call *x = call_take(s, bytes);
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

static struct call *script_make(struct redis_store *s, struct store_call *c, enum call_kind kind, struct script_call *what)
{
	what->ttl_us = s->home->ttl_us;
	struct call *x = redis_call_new(s, c, kind, script_wire_size(what));
	x->n = what->n;
	x->script = what->script;
	script_wire_write(&x->wire, x->bytes, what, s->home->sha[what->script]);
	char prefix[SCOPE_PREFIX_MAX + 1];
	x->slot = s->home->place.url.n_seeds ? redis_route_slot(s->route, scope_tag(prefix, what->scope)) : 0;
	return x;
}

void redis_call_begin(struct call *x)
{
	if (!call_send(x))
		call_down(x);
}

static void script_call(struct store *s, struct store_call *c, enum call_kind kind, struct script_call *what)
{
	redis_call_begin(script_make(redis_store_of(s), c, kind, what));
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
	if (!unreserved || redis_route_up(redis_store_of(s)->route)) {
		script_call(s, c, CALL_SETTLE, &what);
		return;
	}
	unsigned before = redis_store_of(s)->sums.n;
	sums_grown(redis_store_of(s), before, owed_sums_settle(&redis_store_of(s)->sums, r, real));
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
	unsigned before = s->sums.n;
	if (redis_route_up(s->route))
		redis_call_begin(tally_told(s, t));
	else
		sums_grown(s, before, owed_sums_tally(&s->sums, t));
}

static void on_tally_read(struct store *s, struct store_call *c, int64_t day)
{
	const struct tally_call what = { .day = day };
	redis_call_begin(tally_make(redis_store_of(s), c, CALL_PAGE, &what));
}

/* From now on one settlement like others. */
static void sum_send(struct redis_store *s, struct owed_sum *sum)
{
	struct script_call what = {
		.script = REDIS_SETTLE, .op = 'C', .scope = sum->r.scope, .id = sum->r.id,
		.limits = sum->r.limits, .n = sum->r.n, .amounts = sum->real,
	};
	struct call *x = sum->is_tally ? tally_told(s, &sum->tally) : script_make(s, NULL, CALL_SETTLE, &what);
	counter_add(redis_counters.owed, -1);
	free(sum);
	x->again = call_send(x);
	s->owed_in_flight += x->again;
	if (!x->again)
		call_down(x);
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
	return redis_route_up(redis_store_of(s)->route);
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
	struct redis_store *s = redis_store_of(store);
	s->closing = true;
	note_up(s, false);
	redis_route_close(s->route);
	atomic_fetch_sub(&s->home->home.opened, 1);
	if (s->n_owed + s->sums.n > 0)
		log_error("store: %s: %u settlements were not delivered", s->home->place.name, s->n_owed + s->sums.n);
	for (struct owed_sum *sum; (sum = owed_sums_take(&s->sums)); free(sum)) {
		counter_add(redis_counters.lost, 1);
		counter_add(redis_counters.owed, -1);
	}
	while (!list_empty(&s->owed))
		owed_drop(s, list_entry(s->owed.next, struct call, link));
	list_each(link, &s->spare)
		free(list_entry(link, struct call, link));
	timer_close(&s->retry);
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
	list_init(&s->owed);
	list_init(&s->spare);
	owed_sums_open(&s->sums);
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
