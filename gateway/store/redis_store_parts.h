/*
 * redis_store_parts.h: a call of the shared store under way; between redis_store.c, redis_call.c, redis_later.c and redis_values.c only.
 */
#ifndef WEIR_STORE_REDIS_STORE_PARTS_H
#define WEIR_STORE_REDIS_STORE_PARTS_H

#include "store/redis_command.h"
#include "store/redis_home.h"
#include "store/redis_owed.h"
#include "store/redis_route.h"

enum { OPEN_SETTLEMENTS, OPEN_RESERVATIONS, OPEN_LISTS };

struct redis_store {
	struct store store;
	struct redis_home *home;
	struct redis_route *route;
	struct list calls;		/* under way */
	struct list open[OPEN_LISTS];	/* not sent yet, in this order: others of this turn about the same limits may join */
	unsigned n_open;
	struct loop_task send;		/* them */
	struct list spare;		/* calls for the next ones */
	unsigned n_spare;
	struct list owed;		/* settlements not confirmed, the oldest first */
	struct owed_sums sums;		/* and what was used while it was away */
	unsigned n_owed, owed_in_flight;
	bool closing, up;
	struct timer retry;		/* of what is owed while its connection stands */
	uint64_t teller, told;		/* of sums: who this is, and how many were told */
	int64_t broken_told_us;		/* when the log last heard of an answer that is an error */
};

enum call_kind { CALL_RESERVE, CALL_PEEK, CALL_SCRIPT, CALL_SETTLE, CALL_RETURN, CALL_TALLY, CALL_PAGE, CALL_GET, CALL_PUT, CALL_REMOVE, CALL_EVAL };

enum { CALL_CALLERS_MAX = 32 };

/* One command, of one caller or of several who ask the same script about the same limits. */
struct call {
	struct redis_command command;
	struct list link;		/* of `calls`, `open` or `owed` */
	struct redis_store *store;
	struct store_call *callers[CALL_CALLERS_MAX];	/* each NULL once told, or when nobody asked */
	unsigned n_callers;		/* for each of the wire's items one */
	enum call_kind kind;
	enum redis_script script;
	bool with_text;			/* the script itself was sent */
	bool again;			/* a settlement delivered again */
	unsigned slot;
	struct redis_hop hop;
	struct script_wire wire;
	size_t room;
	char bytes[];
};

static inline struct redis_store *redis_store_of(const struct store *s)
{
	return container_of(s, struct redis_store, store);
}

/* Of one caller, or NULL; with at least `bytes` of room for its command behind it. */
struct call *redis_call_new(struct redis_store *s, struct store_call *c, enum call_kind kind, size_t bytes);
/* Sends it, or ends it. */
void redis_call_begin(struct call *x);
bool redis_call_send(struct call *x) must_check;
/* Not sent, or lost: its callers are told; what must not be lost is kept. */
void redis_call_down(struct call *x);
void redis_call_release(struct call *x);
/* Whose callers were told; it may be elsewhere then, and is in no list. */
struct call *redis_call_shrink(struct call *x) must_check;

void redis_later_open(struct redis_store *s);
void redis_later_close(struct redis_store *s);	/* what was not delivered is lost, and counted */
/* What was sent and not confirmed; what was not sent at all goes into sums. */
void redis_later_keep(struct redis_store *s, struct call *x);
void redis_later_settle(struct redis_store *s, const struct store_reservation *r, const int64_t *real);
void redis_later_tally(struct redis_store *s, const struct store_tally *t);
void redis_later_deliver(struct redis_store *s);
struct call *redis_sum_call(struct redis_store *s, const struct owed_sum *sum);

void redis_value_get(struct store *s, struct store_call *c, struct str key);
void redis_value_put(struct store *s, struct store_call *c, struct str key, struct str value, int64_t ttl_ms);
void redis_value_remove(struct store *s, struct store_call *c, struct str key);
void redis_value_eval(struct store *s, struct store_call *c, const struct store_script *e);

#endif
