/*
 * sink.h: the way out. Stages lay sinks; the answer's deltas pass them from the provider
 * to the caller. The last sink, laid first, is the answer writer.
 */
#ifndef WEIR_CORE_SINK_H
#define WEIR_CORE_SINK_H

#include <stdbool.h>

#include "base/str.h"

struct txn;
struct usage;

enum sink_result {
	SINK_TAKEN,
	SINK_FULL,	/* taken nothing: the caller's side is behind; wait for txn->on_drain */
	SINK_PARKED	/* taken nothing: the sink waits for something; txn->ops->drained() will wake the attempt */
};

enum delta_kind {
	DELTA_HEAD,	/* status and headers are final: txn->answer is filled. Always first */
	DELTA_EVENT,	/* one whole event of a stream */
	DELTA_BYTES,	/* some bytes of a plain body */
	DELTA_END	/* the answer is complete */
};

struct delta {
	enum delta_kind kind;
	struct str raw;			/* bytes as received: the whole event with its blank line, or body bytes */
	struct str name, data;		/* DELTA_EVENT: event name (may be empty) and payload */
	bool content;			/* carries something a caller would see: text, a tool call, reasoning, a refusal */
	bool finish;			/* carries a finish reason, or is the dialect's last event */
	const struct usage *usage;	/* usage reported by this event, or NULL */
	bool more;			/* another delta of the same read follows: flush later */
	bool may_park;			/* HEAD, END: whoever sends it comes again with an END that was parked */
};

struct sink {
	enum sink_result (*take)(struct sink *, struct delta *);
	struct sink *next;		/* towards the caller; NULL for the answer writer */
	struct txn *txn;
};

static inline enum sink_result sink_pass(struct sink *s, struct delta *d) { return s->next->take(s->next, d); }

#endif
