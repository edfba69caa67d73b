/*
 * redis_store_parts.h: a call of the shared store under way; between redis_store.c and redis_values.c only.
 */
#ifndef WEIR_STORE_REDIS_STORE_PARTS_H
#define WEIR_STORE_REDIS_STORE_PARTS_H

#include "store/redis_command.h"
#include "store/redis_home.h"
#include "store/redis_owed.h"
#include "store/redis_route.h"

struct redis_store {
	struct store store;
	struct redis_home *home;
	struct redis_route *route;
	struct list calls;		/* under way */
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
	size_t room;
	char bytes[];
};

static inline struct redis_store *redis_store_of(const struct store *s)
{
	return container_of(s, struct redis_store, store);
}

/* `bytes` of room for its command behind it. */
struct call *redis_call_new(struct redis_store *s, struct store_call *c, enum call_kind kind, size_t bytes);
void redis_call_begin(struct call *x);

void redis_value_get(struct store *s, struct store_call *c, struct str key);
void redis_value_put(struct store *s, struct store_call *c, struct str key, struct str value, int64_t ttl_ms);
void redis_value_remove(struct store *s, struct store_call *c, struct str key);
void redis_value_eval(struct store *s, struct store_call *c, const struct store_script *e);

#endif
