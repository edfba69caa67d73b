/*
 * cached.h: a transaction's part in the cache, shared by the files of this stage: cache.c the look-up, lead.c what
 * the leader of a flight records, follow.c an answer that somebody else asked for.
 */
#ifndef WEIR_CACHE_CACHED_H
#define WEIR_CACHE_CACHED_H

#include "cache/cache_key.h"
#include "cache/entry.h"
#include "cache/flight.h"
#include "cache/wish.h"
#include "cache/worth.h"
#include "store/store.h"

struct cache_items;

struct cached {
	struct sink sink;		/* records; first member of what sinks see */
	struct txn *t;
	uint32_t generation;
	struct store_call call;
	bool asked, asking, parked;
	bool looked;			/* `entry` and `missed` are filled */
	unsigned landings;		/* of flights for this, when the store was asked */
	const struct batch *batch;	/* of embeddings, in the arena; NULL: one question */
	struct cache_keying *keying;	/* its key is being made; NULL: it is made, or that of its one item will be */
	struct loop_task turn;		/* goes on with that */
	char key[CACHE_KEY_SIZE];
	char flight_key[CACHE_KEY_SIZE];	/* of those who want the same form of it */
	struct str id;			/* x-weir-cache-id, in the arena */
	struct cache_wish wish;
	int64_t ttl_us, stale_us;	/* kept for both together */
	uint64_t most;			/* bytes of an answer that is kept */
	uint64_t pack_above;		/* bytes; 0: never */
	struct worth worth;
	bool usage_told;
	bool shares;			/* one upstream call serves all who ask this meanwhile */
	struct buf found;		/* what the store had, maybe over its time */
	struct buf unpacked;		/* its body, where it was compressed */
	struct buf converted;		/* the same, where it was kept in another form */
	struct entry entry;		/* in it */
	const char *missed;		/* why it is not given; NULL: it is */
	struct cache_items *items;	/* of a batch that is asked for item by item, see items.h; NULL: it is one question */
	struct flight *flight;		/* NULL: not yet, or no more */
	size_t at;			/* how much of it the caller got, where it reads from there */
	/* The leader. */
	bool leads, spoiled, whole;
	bool lagging;			/* its caller reads from the record */
	/* Who follows. */
	struct flight_watch watch;
	struct loop_task look;
	struct timer timer;		/* the deadline; of a paced replay the next event */
	int64_t pace_us;		/* between two events; 0: all at once */
	bool timed, headed;
	unsigned comments;
};

/* --- cache.c --- */

/*
 * What the store said of one question: NULL where that is to be given, or why not. `e` is then what was found, in `found` or
 * `unpacked`, as far as it can be used at all.
 */
const char *cache_judge(struct cached *c, enum store_result r, struct str found, struct buf *unpacked, struct entry *e);

/* --- wanted.c --- */

/* Has the cache a part in this request? */
bool cache_is_wanted(const struct txn *t, const struct cache_wish *w);
/* Whoever asks the same meanwhile gets this answer, too. */
bool cache_is_shared(const struct txn *t, const struct cached *c);

/* --- carried.c --- */

/* Is all that this answer or event says carried by the reader of its format? Then it can be said in the other form. */
bool cache_carries(const struct endpoint *e, struct str root);

/* --- convert.c --- */

/* Is it an answer that is given as a stream and as a plain answer? Then its key leaves out which is wanted. */
bool cache_has_both_forms(const struct txn *t);
/* Makes `e` the form that the caller wants, in `out` if it was another. False: something would be lost. */
bool cache_convert(const struct cached *c, struct entry *e, struct buf *out);

/* --- pace.c --- */

/* Gives c->entry's stream event by event, and ends the transaction. Behind its head. */
void pace_begin(struct cached *c);
void pace_end(struct cached *c);

/* --- replay.c --- */

/* Gives `e` as the answer and ends the transaction, now or when it has been paced out; `state` as in x-weir-cache. */
enum stage_result cache_replay(struct cached *c, const struct entry *e, const char *state);

/* --- lead.c --- */

/* The answer that comes is recorded in c->flight. */
void lead_begin(struct cached *c);
/* Gives the caller what is owed. True: it has all that is recorded. */
bool lead_catch_up(struct cached *c);
/* Gives it whatever its queue, before an error ends the answer. */
void lead_give_rest(struct cached *c);
/* The leader ends: keeps the answer, or tells those who wait how it failed. */
void lead_end(struct cached *c);
/* Of what is kept: the caller's tags; its time, as an entry tells it, and in the store; and what others read over the wire, compressed in `small`. */
struct str lead_tags(const struct txn *t);
int64_t lead_ttl_us(const struct cached *c);
int64_t lead_kept_ms(const struct cached *c);
struct str lead_packed(const struct cached *c, struct str value, struct buf *small);
/* Nothing was recorded and nothing will be: whoever waits asks by itself. */
void lead_drop(struct cached *c);

/* --- follow.c --- */

/* Parks the transaction as one that waits for c->flight. */
enum stage_result follow_begin(struct cached *c);
void follow_end(struct cached *c);

#endif
