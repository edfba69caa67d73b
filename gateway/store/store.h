/*
 * store.h: hot state that requests share: limits and budgets, reservations, byte values.
 *
 * Two kinds answer to this contract: memory, shared by the workers of one process, and Redis,
 * shared by replicas. A `store_home` is opened once a process; each worker opens a `store` of it
 * on its own loop and uses that from its own thread only.
 *
 * Every operation ends by one call of `done`, which may come before the operation's function
 * returns; with Redis it comes within a command's time. A store that is away answers STORE_DOWN, at
 * once while its breaker is open. What then happens is the caller's policy, not ours.
 *
 * SCOPE AND KEYS. A reservation names one scope: the team, or the key where there is no team.
 * All its limits live within it, so that one script touches one slot of a Redis Cluster (the
 * scope is the hash tag) and one lock in memory. The same key in two scopes is two limits. A
 * limit's key says who, what and per what, its kind and span included, for example
 * "key/web/tokens/60": a record written as one kind is broken when it is read as another.
 *
 * RESERVE AND SETTLE. Each limit has what is spent and what is reserved by live reservations;
 * a reservation is granted when spent + reserved + amount <= limit holds for each of its limits,
 * and then reserves in all of them; otherwise nothing changes. It ends by store_settle(), which
 * takes the reserved amounts away and adds the real ones, or lapses STORE_TTL_S after it
 * was made or last renewed. Settled twice is settled once; a settlement that comes up to an hour after
 * the lapse still counts what was spent. STORE_REQUESTS are spent when reserved and stay so.
 *
 * ORDER. What is asked of the same limits is taken in the order it was asked, but for this: of one loop turn a shared store may
 * take settlements before reservations, and what has to be sent once more comes behind what was asked meanwhile.
 */
#ifndef WEIR_STORE_STORE_H
#define WEIR_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/loop.h"
#include "base/str.h"

enum {
	STORE_LIMITS_MAX = 24,		/* of one reservation */
	STORE_KEY_MAX = 512,		/* bytes of a scope or a key */
	STORE_ID_SIZE = 16,
	STORE_TTL_S = 120,
	STORE_WINDOW_PARTS = 16,
	STORE_COMMAND_MS = 50,
};

/* Scripts count in doubles. Larger amounts and limits are taken for this one, negative ones for zero. */
#define STORE_AMOUNT_MAX ((INT64_C(1) << 53) - 1)
#define STORE_NEVER INT64_MAX		/* waiting does not help: the amount alone is above the limit */

enum store_kind {
	STORE_REQUESTS,		/* within any `span_s` seconds; spent when granted */
	STORE_WINDOW,		/* tokens or nano-dollars within any `span_s` seconds */
	STORE_CONCURRENT,	/* reserved only */
	STORE_BUDGET,		/* tokens or nano-dollars in a calendar period */
};

/*
 * Windows slide over 16 sub-buckets and count the oldest, of which a part has left, whole: so no
 * span of `span_s` seconds ever holds more than the limit.
 */
struct store_limit {
	struct str key;
	enum store_kind kind;
	int64_t amount;		/* to reserve */
	int64_t limit;
	int64_t span_s;		/* windows: 1 second to 400 days */
	/*
	 * Budgets: the period in Unix seconds of store_wall_us(). A later start than the recorded one
	 * begins a new period; an earlier one (a caller just behind) counts in the recorded period, but for one
	 * that has not begun and is not the next one: then the clock was wrong, and what it had made is let go.
	 */
	int64_t period_start;
	int64_t period_end;	/* 0: a total, without end */
};

struct store_reservation {
	struct str scope;
	uint8_t id[STORE_ID_SIZE];	/* random, the caller's: store_id_make() */
	const struct store_limit *limits;
	unsigned n;
};

enum store_result {
	STORE_OK,
	STORE_REFUSED,		/* reserve: a limit is reached; nothing was changed */
	STORE_MISSING,		/* get: no such value; settle, renew: no such reservation, or over already */
	STORE_DOWN,		/* not reached, not in time, or not able: what was asked may or may not have happened */
	STORE_BROKEN,		/* what is recorded under one of the keys is none of ours; the others are as they were */
};

struct store_usage {
	int64_t spent, reserved;	/* before this reservation when refused or asked, after it when granted */
	bool fresh;			/* nothing was recorded before: first use, a flush, an eviction. All of one turn may be told so */
};

struct store_answer {
	struct store_usage used[STORE_LIMITS_MAX];	/* in the order of the limits */
	unsigned refused_by;	/* of the limits reached the one with the longest wait */
	int64_t retry_us;	/* when to ask again; STORE_NEVER */
};

/* The caller's, untouched by it until `done` ran or store_cancel() returned. */
struct store_call {
	void (*done)(struct store_call *c);
	enum store_result result;
	struct store_answer *answer;	/* reserve, peek: the caller's, filled for STORE_OK and STORE_REFUSED */
	struct str value;		/* get: readable within done() only */
	void *inner;			/* the store's; NULL when nothing is under way */
};

struct store_home;
struct store;

struct store_options {
	struct str url;			/* "memory", redis://..., redis+unix://... and more: redis_url.h */
	const char *ca_file;		/* rediss: NULL is the system's trust */
	size_t memory_values_max;	/* bytes of values in memory; 0: 256 MiB */
	unsigned memory_limits_max;	/* limits in memory; 0: 500,000 */
	int64_t ttl_ms;			/* of reservations; 0: STORE_TTL_S. For tests */
	int64_t command_ms;		/* Redis: a command's time; 0: STORE_COMMAND_MS */
	int64_t (*clock)(void);		/* memory: NULL is clock_us(). For tests */
};

/* NULL when good, otherwise what is wrong with the URL, without the password; for `weir check`. */
const char *store_url_check(struct str url) must_check;

/* NULL on failure, with one line in `why`. A Redis that is away is no failure. */
struct store_home *store_home_open(const struct store_options *o, struct buf *why);
void store_home_close(struct store_home *h);	/* after the last of its stores */
/* "memory", or "redis at host:port/0": no credential in it. */
const char *store_home_name(const struct store_home *h);
/* "up": each of its stores reaches it; "down": none does; "partly". From any thread. */
const char *store_home_state(const struct store_home *h);

struct store *store_open(struct store_home *h, struct loop *l);
/*
 * Not from within done(). Calls under way end by STORE_DOWN first; settlements not yet delivered are
 * lost and counted.
 */
void store_close(struct store *s);
bool store_is_up(const struct store *s);
bool store_is_shared(const struct store *s);	/* by replicas: what is in it crosses a wire */

/* The store's own wall clock, by which all replicas agree on periods; Unix microseconds. */
int64_t store_wall_us(const struct store *s);

/* Little room is left for limits that were not used before: names that callers make up should not take it. */
bool store_crowded(const struct store *s);

/* Until the next part of a window of this span slides out: nothing of it is free again before. */
int64_t store_slide_us(const struct store *s, int64_t span_s);

/* How long a reservation lives that nobody renews. */
int64_t store_ttl_us(const struct store *s);

void store_id_make(uint8_t id[STORE_ID_SIZE]);

/* `r`, its limits and all they point to are copied: they may go when the function returns. */
void store_reserve(struct store *s, struct store_call *c, const struct store_reservation *r, struct store_answer *a);

/* What a reservation would be told, without making it: for remaining amounts. */
void store_peek(struct store *s, struct store_call *c, const struct store_reservation *r, struct store_answer *a);

/*
 * `r` as it was reserved, `real` as many amounts. `c` may be NULL. A settlement that meets a store
 * that is away is kept and delivered when it is back (c->result is STORE_DOWN nevertheless), up to
 * STORE_OWED_MAX a worker.
 *
 * `unreserved`: it was not granted, or nobody knows (STORE_DOWN and a policy that goes on): the amounts count
 * all the same, STORE_REQUESTS included, once for each id. While the store is away these are summed up by their limits, and are to
 * be told but once.
 */
enum { STORE_OWED_MAX = 10000 };
void store_settle(struct store *s, struct store_call *c, const struct store_reservation *r, const int64_t *real,
		  bool unreserved);

/* Keeps `r` alive for another TTL; one that has lapsed is taken up again. `c` may be NULL. */
void store_renew(struct store *s, struct store_call *c, const struct store_reservation *r);

/* Raises what a budget has spent in its period to at least `spent`: the ledger's sum after a restart or a flush. */
void store_seed(struct store *s, struct store_call *c, struct str scope, const struct store_limit *budget,
		int64_t spent);

/* Memory alone: what a window had spent `age_us` ago, before a restart, is spent again. */
void store_restore(struct store *s, struct str scope, const struct store_limit *window, int64_t spent, int64_t age_us);

/* Values of bytes. `put` and `remove` take c == NULL. Values may vanish before their time. */
void store_get(struct store *s, struct store_call *c, struct str key);
void store_put(struct store *s, struct store_call *c, struct str key, struct str value, int64_t ttl_ms);
void store_remove(struct store *s, struct store_call *c, struct str key);

/*
 * Sums for reports, by a day and a name. Only a shared store keeps them: it leaves what is told here in the same write as
 * the settlements of this turn. Told once is counted once, also when it has to be told again.
 */
enum { STORE_TALLY_COUNTS = 6, STORE_TALLY_NAME = 1024, STORE_TALLY_NAMES = 20000 /* a day; then under `otherwise` */ };

struct store_tally {
	int64_t day;			/* since 1970 */
	struct str name, otherwise;
	int64_t counts[STORE_TALLY_COUNTS];
};

bool store_tallies(const struct store *s);
void store_tally(struct store *s, const struct store_tally *t);

/* All sums of a day, to be read off c->value by store_tally_next() within done(). STORE_MISSING where none are kept. */
void store_tally_read(struct store *s, struct store_call *c, int64_t day);
bool store_tally_next(struct str *sums, struct str *name, int64_t counts[STORE_TALLY_COUNTS]);

/*
 * A script of the caller's own, on up to STORE_SCRIPT_KEYS keys that share a hash tag, for what is off the request path.
 * Its answer is a text: c->value. STORE_MISSING: this store has no scripts (memory).
 */
enum { STORE_SCRIPT_KEYS = 4, STORE_SCRIPT_ARGS = 8 };

struct store_script {
	const char *text;
	struct str keys[STORE_SCRIPT_KEYS], args[STORE_SCRIPT_ARGS];
	unsigned n_keys, n_args;
};

void store_eval(struct store *s, struct store_call *c, const struct store_script *e);

/* `done` will not be called. A reservation that is granted nevertheless is given back by the store. */
void store_cancel(struct store *s, struct store_call *c);

#endif
