/*
 * txn.h: one client request, from its first byte to its last log line.
 *
 * A transaction belongs to one worker. It is made by the edge when a head is complete,
 * walks the stages of gateway/pipeline.c, and ends once: txn_end() or txn_fail(), after
 * which the stages that were entered leave in reverse and the memory is recycled when
 * the loop's turn is over. So no callback has to ask whether its object still lives.
 *
 * t->arena holds the request, its body and everything planned; it is let go when a
 * stream is committed (txn_settle_down), so a quiet stream keeps only this struct.
 */
#ifndef WEIR_CORE_TXN_H
#define WEIR_CORE_TXN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/str.h"
#include "core/client.h"
#include "core/error.h"
#include "core/request.h"
#include "core/sink.h"
#include "core/stage.h"
#include "core/usage.h"

struct cached;
struct capture;
struct comparison;	/* upstream/: a second look at another request */
struct hold;		/* limits/: what this transaction has reserved */
struct rate_state;	/* core/limit.h */
struct call;		/* core/call.h: the decoded request */
struct dialect;
struct endpoint;
struct key;
struct live_key;
struct live_model;
struct live_target;
struct plan;
struct snapshot;
struct spending;	/* core/spending.h */
struct txn_ops;
struct weir_request;	/* plugin_host/: its way through the plugins */
struct worker;

enum txn_state {
	TXN_RUNNING,	/* its stages are being entered */
	TXN_PARKED,	/* a stage waits */
	TXN_STREAMING,	/* the answer is committed; failover is over */
	TXN_DONE	/* recycled after this turn */
};

enum { REQUEST_ID_SIZE = 40, PEER_SIZE = 48 };

struct answer {
	int status;
	bool event_stream;		/* the caller gets server-sent events */
	bool begun;			/* status and headers are handed to the client */
	bool content;			/* some content was passed on */
	int64_t length;			/* of a plain body, or ANSWER_CHUNKED */
	uint64_t bytes;			/* of the body, handed to the client so far */
	struct str content_type;
	const struct answer_header *headers;	/* of the provider, allowed through */
	unsigned n_headers;
};

struct txn {
	struct list link;		/* in the worker's list of its state */
	struct loop_task recycle;	/* the worker's; deferred when the transaction is over */
	enum txn_state state;
	uint32_t generation;		/* changes when the struct is recycled */
	struct worker *worker;
	struct loop *loop;
	const struct txn_ops *ops;	/* the pipeline's */
	struct client *client;		/* NULL once the caller is gone */
	struct arena arena;

	struct request *req;		/* in the arena; NULL after txn_settle_down() */
	const struct snapshot *snapshot;/* lent by the worker; NULL after txn_settle_down() */
	const struct endpoint *endpoint;/* static */
	const struct dialect *dialect;	/* the caller's; static */
	const struct key *key;		/* in the snapshot */
	struct call *call;		/* in the arena */
	struct plan *plan;		/* in the arena */
	struct cached *cached;		/* cache/: the answer that is looked up or recorded */
	struct capture *capture;	/* metering/: what is kept of it for a replay; NULL: nothing */
	const char *cache_state;	/* x-weir-cache; NULL: the cache has no part in it */
	struct str cache_id;		/* x-weir-cache-id: of the answer that is kept or given, in the arena */
	struct str cache_items;		/* x-weir-cache-items: of a batch, how many were known of how many; of the cache */
	bool unrecorded;		/* bytes went to the caller past the sinks */
	bool odd_end;			/* what was translated ended by a word of the provider's that is no success */
	const struct error *denied;	/* money is spent: the answer where nothing kept or free is found; in the arena. NULL */
	struct hold *hold;		/* outlives the arena; NULL: nothing */
	const struct rate_state *rate;	/* in the arena; NULL: no such limits */
	struct weir_request *plugins;	/* NULL: none has a part in it */
	struct str answered_by;		/* x-weir-answered-by, in the arena; empty: a provider, or the cache */
	signed char cache_wish;		/* of a plugin: 1 keep and give, -1 neither, 0 as configured */
	bool answered_here;		/* a plugin has the answer: nothing is asked or spent */
	struct sink *sinks;		/* where the answer's deltas enter */
	struct sink writer;		/* the innermost one, see api/answer_writer.c */
	enum http_method method;

	/* Rows that outlive the snapshot. */
	struct live_key *live_key;
	struct live_model *live_model;
	struct live_target *live_target;	/* that answers, or was tried last */

	struct answer answer;
	struct error error;
	struct usage usage;		/* of the attempt that answers, or was made last */
	struct str dropped;		/* fields the target's format could not carry, in the arena */
	bool recorded;			/* the ledger takes a row of it */
	struct spending *spending;	/* settled of budgets, for the ledger; freed by it. NULL: none */
	char *tags;			/* x-weir-tags, for the ledger; freed by it. NULL: none */
	int32_t price_date;		/* of the newest price table when it began, yyyymmdd */
	uint64_t journal;		/* its entry there; 0: none */
	int64_t cost;			/* nano-dollars, of all attempts that are over */
	int64_t all_input, all_output;	/* tokens of the same */
	bool cost_known;		/* something was charged, or is free */
	bool cost_estimated;		/* in part by weir's own estimate of tokens or price */
	bool cost_missing;		/* an attempt at a model without a price is not part of it */
	unsigned stages_entered;	/* how many of the table */
	int attempts;
	bool stream;			/* the caller asked for a stream */
	struct comparison *comparison;	/* it is such a look: only the last target is asked; NULL */
	bool dry;			/* only explained: nothing is counted or asked */
	bool refused;			/* the edge could not even read it; see txn_ops.refuse */
	bool cut;			/* the answer broke after the commit */
	bool caller_gone;
	char id[REQUEST_ID_SIZE];	/* x-request-id, NUL-terminated */
	char peer[PEER_SIZE];		/* the caller's address for the log, NUL-terminated; kept when req is gone */

	/* Monotonic microseconds; 0: not yet. */
	int64_t began_us, deadline_us, first_content_us, ended_us;
	int64_t upstream_us;		/* spent waiting for providers */
	int64_t upstream_since_us;	/* when the present wait began */

	/* Set by the stage that parks or streams; called at most once each time. */
	void (*cancel)(struct txn *);	/* the caller hung up, or the deadline passed: stop all work */
	void (*on_drain)(struct txn *);	/* the caller's queue fell below CLIENT_LOW_WATER */
	void *stage_data;		/* of the stage that parked */
};

/* What the pipeline does for edge, stages and sinks, without their knowing it. */
struct txn_ops {
	/* For the edge. */
	void (*start)(struct txn *);				/* req is filled */
	void (*refuse)(struct txn *, enum error_kind, const char *why);	/* req may be half filled; answers and closes */
	void (*hangup)(struct txn *);				/* the caller is gone; t->client is NULL afterwards */
	void (*drained)(struct txn *);
	void (*body_too_large)(struct txn *);			/* or too slow: */
	void (*body_failed)(struct txn *, enum error_kind, const char *why);
	/* For stages and sinks. */
	void (*resume)(struct txn *);				/* the parked stage is entered again */
	void (*fail)(struct txn *);				/* t->error is set: answer it and end */
	void (*end)(struct txn *);
	void (*settle_down)(struct txn *);
	/*
	 * The ladder's rungs beyond targets, before anything was passed on: true when the transaction is answered, or will be.
	 * NULL: there is none such.
	 */
	bool (*stale)(struct txn *);		/* an answer of the cache that is over its time */
	bool (*rule)(struct txn *);		/* of a plugin that is asked last */
};

/* Wakes a parked transaction, if `generation` is still its own. */
static inline void txn_resume(struct txn *t, uint32_t generation)
{
	if (t->generation == generation && t->state == TXN_PARKED)
		t->ops->resume(t);
}

/* Sets the error and returns STAGE_FAILED, so a stage can `return txn_error(...)`. */
enum stage_result txn_error(struct txn *t, enum error_kind kind, const char *fmt, ...) printf_like(3, 4);

/* The same from a callback of a parked or streaming stage: the answer goes out and the transaction ends. */
void txn_fail(struct txn *t, enum error_kind kind, const char *fmt, ...) printf_like(3, 4);

/* The answer is complete (or was broken off): stages leave, memory goes after this turn. */
static inline void txn_end(struct txn *t) { t->ops->end(t); }

/* The length and needs of the request's prompt, measured once; not measured where there is no JSON body. */
struct prompt;
const struct prompt *txn_prompt(struct txn *t);

/* Replaces what the ledger keeps as the request's tags. */
void txn_set_tags(struct txn *t, struct str tags);

/* Lets go of snapshot, request and arena. For streams at their commit, when nothing needs the request any more. */
static inline void txn_settle_down(struct txn *t) { t->ops->settle_down(t); }

/* Lays `s` as the new outermost sink. */
static inline void txn_lay_sink(struct txn *t, struct sink *s)
{
	s->txn = t;
	s->next = t->sinks;
	t->sinks = s;
}

#endif
