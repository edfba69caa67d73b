/*
 * redis_call.c: one command's life in the shared store: sent, answered or lost, and each of its callers told, once.
 *
 * A caller is told at its deadline, and hears no more; its command lives on until Redis or the
 * connection says what became of it. A reservation granted after its caller left is given
 * back, also one of which nobody knows whether it was granted; that, and a settlement that was not confirmed,
 * is kept and delivered again: it is safe to repeat.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/redis_counters.h"
#include "store/redis_store_parts.h"

enum { CALL_SMALL = 768, CALL_ROOM = 6144, SPARE_MAX = 32, TEXT_MAX = 256 * 1024 };

static struct call *call_of(struct redis_command *c)
{
	return container_of(c, struct call, command);
}

/* What happened is told by it: never given up lightly, and safe to repeat. */
static bool settles(const struct call *x)
{
	return x->kind == CALL_SETTLE || x->kind == CALL_TALLY || x->kind == CALL_RETURN;
}

/* A caller's end of it; the call itself may live on. */
static void call_tell_one(struct call *x, unsigned i, enum store_result result, enum redis_ended how)
{
	struct store_call *c = x->callers[i];
	x->callers[i] = NULL;
	if (!c)
		return;
	counter_add(redis_counters.ended[how], 1);
	store_done(c, result);
}

static void call_tell(struct call *x, enum store_result result, enum redis_ended how)
{
	for (unsigned i = 0; i < x->n_callers; i++)
		call_tell_one(x, i, result, how);
}

/* Those of many limits are of a size that malloc() has no quick way for. */
void redis_call_release(struct call *x)
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
	redis_call_release(x);
}

/* What waits for long has no more room than it needs. */
struct call *redis_call_shrink(struct call *x)
{
	list_remove(&x->link);
	list_remove(&x->command.link);
	struct call *small = realloc(x, sizeof(*x) + x->wire.n);
	if (!small)
		abort();
	small->room = small->wire.room = small->wire.n;
	small->wire.p = small->bytes;
	list_init(&small->link);
	list_init(&small->command.link);
	return small;
}

/* Not sent, or lost: what may have happened or not. */
void redis_call_down(struct call *x)
{
	call_tell(x, STORE_DOWN, COUNT_DOWN);
	if (settles(x))
		redis_later_keep(x->store, x);
	else
		call_free(x);
}

/* A script goes with its digest, or with its text when Redis has lost it. */
bool redis_call_send(struct call *x)
{
	struct redis_route *route = x->store->route;
	if (x->store->closing)
		return false;	/* of a cluster some nodes are gone already */
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
	if (!redis_call_send(x))
		redis_call_down(x);
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
	redis_call_down(x);
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
		counter_add(redis_counters.lost, x->n_callers);
	call_tell(x, STORE_BROKEN, COUNT_BROKEN);
	call_free(x);
}

static enum store_result result_of(enum script_status status)
{
	static const enum store_result results[SCRIPT_STATUSES] = {
		[SCRIPT_DONE] = STORE_OK, [SCRIPT_REFUSED] = STORE_REFUSED, [SCRIPT_MISSING] = STORE_MISSING,
		[SCRIPT_BROKEN] = STORE_BROKEN, [SCRIPT_OTHERWISE] = STORE_OK,
	};
	return results[status];
}

static void page_answered(struct call *x, const struct redis_answer *a)
{
	struct redis_link *link = x->command.owner;
	if (a->kind != REDIS_TEXT) {
		redis_call_down(x);
		redis_link_distrust(link, "an answer is not what was asked for");
		return;
	}
	if (x->callers[0])
		x->callers[0]->value = a->text;
	call_tell(x, STORE_OK, COUNT_ANSWERED);
	call_free(x);
}

static void tell_item(struct call *x, const struct script_answer *out, unsigned i)
{
	struct store_answer *to = x->callers[i] ? x->callers[i]->answer : NULL;
	enum script_status status = script_answer_item(out, i, to);
	if (status == SCRIPT_OTHERWISE)
		counter_add(redis_counters.otherwise, 1);
	if (status == SCRIPT_BROKEN)
		tell_broken(x->store, STR("a settlement met records that are none of weir's"));
	call_tell_one(x, i, result_of(status), status == SCRIPT_BROKEN ? COUNT_BROKEN : COUNT_ANSWERED);
}

/* Each in turn. Of a reservation: `orphans` are those that were granted to who had left, if only while the others were told. */
static bool tell_items(struct call *x, const struct script_answer *out, bool orphans[CALL_CALLERS_MAX])
{
	bool any = false;
	for (unsigned i = 0; i < x->n_callers; i++) {
		orphans[i] = x->kind == CALL_RESERVE && !x->callers[i] && script_answer_item(out, i, NULL) == SCRIPT_DONE;
		any |= orphans[i];
		tell_item(x, out, i);
	}
	return any;
}

static void script_answered(struct call *x, const struct redis_answer *a)
{
	struct script_answer out;
	bool full = x->kind == CALL_RESERVE || x->kind == CALL_PEEK, orphans[CALL_CALLERS_MAX];
	if (a->kind != REDIS_TEXT || !script_answer_open(&out, a->text, x->wire.n_limits, x->n_callers, full)) {
		struct redis_link *link = x->command.owner;
		redis_call_down(x);
		redis_link_distrust(link, "an answer is not what was asked for");
		return;
	}
	x->store->store.ahead_us = out.now_us - clock_wall_us();
	if (!tell_items(x, &out, orphans)) {
		call_free(x);
		return;
	}
	script_wire_keep(&x->wire, orphans);
	x->n_callers = x->wire.n_items;
	become_return(x);
	if (!redis_call_send(x))
		redis_call_down(x);
}

static void value_answered(struct call *x, const struct redis_answer *a)
{
	bool found = a->kind == REDIS_TEXT, none = a->kind == REDIS_NIL;
	bool good = x->kind == CALL_GET ? found || none : x->kind == CALL_REMOVE ? a->kind == REDIS_NUMBER : found;
	if (!good) {
		struct redis_link *link = x->command.owner;
		redis_call_down(x);
		redis_link_distrust(link, "an answer is not what was asked for");
		return;
	}
	if (x->kind != CALL_PUT && x->kind != CALL_REMOVE && x->callers[0])
		x->callers[0]->value = a->text;
	call_tell(x, none ? STORE_MISSING : STORE_OK, COUNT_ANSWERED);
	call_free(x);
}

static void on_answered(struct redis_command *c, const struct redis_answer *a)
{
	struct call *x = call_of(c);
	struct redis_store *s = x->store;
	bool again = x->again;
	x->again = false;
	s->owed_in_flight -= again ? x->n_callers : 0;
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
		redis_later_deliver(s);
}

/* --- the contract --- */

struct call *redis_call_new(struct redis_store *s, struct store_call *c, enum call_kind kind, size_t bytes)
{
	struct call *x = call_take(s, bytes);
	x->command = (struct redis_command){ .answered = on_answered, .expired = on_expired };
	list_init(&x->command.link);
	x->store = s;
	x->callers[0] = c;
	x->n_callers = 1;
	x->kind = kind;
	x->with_text = x->again = false;
	x->hop = (struct redis_hop){ .hops = 0 };
	if (c)
		c->inner = x;
	list_init(&x->link);
	list_append(&s->calls, &x->link);
	counter_add(redis_counters.in_flight, 1);
	return x;
}

void redis_call_begin(struct call *x)
{
	if (!redis_call_send(x))
		redis_call_down(x);
}
