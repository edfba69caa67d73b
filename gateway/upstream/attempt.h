/*
 * attempt.h: one try of a transaction at one target.
 *
 * An attempt sends the request, judges the answer, and passes it on as deltas to the
 * transaction's sinks. It either completes, or fails once with an outcome that says all
 * that the walk over the plan needs. Before content nothing has been passed on, so a
 * failed attempt leaves no trace at the caller's side.
 */
#ifndef WEIR_UPSTREAM_ATTEMPT_H
#define WEIR_UPSTREAM_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/cascade.h"
#include "core/dialect.h"
#include "core/live.h"
#include "core/target.h"
#include "core/token.h"
#include "core/txn.h"
#include "upstream/resume.h"
#include "upstream/translate.h"
#include "upstream/transport.h"
#include "wire/sse.h"

enum { HELD_MAX = 1024 * 1024, ERROR_BODY_MAX = 64 * 1024, USAGE_TAIL = 64 * 1024 };

struct outcome {
	enum error_kind kind;
	int status;			/* the provider's, 0 when none arrived */
	bool unprocessed;		/* provably not acted upon: the same target may be asked again */
	int64_t retry_after_us;		/* the provider's hint; 0: none */
	struct str message;		/* ours, or the provider's about the request; in t->arena */
	struct str said;		/* the provider's message, whatever it is about; in t->arena */
	struct str relay;		/* an error body in the caller's own shape, to be passed on unchanged */
	const char *why;		/* one line for the log */
};

struct attempt;
struct translate_work;
struct trial;

/* What it says lives for the call. */
struct attempt_verdict {
	struct str text;
	bool whole;			/* otherwise it is the beginning */
	enum cascade_check failed;	/* CASCADE_CHECKS: nothing; otherwise it was only looked at */
};

struct attempt_events {
	void (*completed)(struct attempt *);			/* the last delta was passed on */
	void (*failed)(struct attempt *, const struct outcome *);
	void (*answering)(struct attempt *);			/* it has something to pass on; comes before what follows from it */
	void (*committed)(struct attempt *);			/* content is about to be passed on: failover is over */
	void (*judged)(struct attempt *, const struct attempt_verdict *);	/* it was on trial, and goes on */
};

struct attempt {
	struct txn *t;
	const struct attempt_events *events;
	const struct transport *transport;
	struct exchange *exchange;	/* NULL when none is under way */
	struct live_target *live;
	struct live_credential *credential;	/* NULL: none is sent */
	struct token *token;		/* that was shown; NULL: none of that kind */
	struct live_token *token_row;	/* it is of; NULL once the provider let it in */
	char *shown;			/* secrets, each with a NUL, and one more: of a stream whose failures are relayed. Or NULL */
	const struct dialect *dialect;	/* the provider's */
	unsigned quirks;
	int status;
	struct translate *translate;	/* the caller speaks another dialect; NULL: the bytes are relayed, or */
	struct translate_work *work;	/* a thread has it; NULL: none */
	struct media_fetch *media;	/* what its request needs is on the way; NULL: nothing is */
	const struct cascade *cascade;	/* set before the start: by what its answer is judged; NULL: it is not */
	struct trial *trial;		/* under way; NULL: none, or it is over */
	int64_t length;			/* the provider's content-length, or -1 */
	int64_t retry_after_us;
	int64_t began_us, last_byte_us, first_content_us;
	uint64_t received;
	bool skewed;			/* it was signed by a clock that is wrong, which is known now */
	bool event_stream;		/* the answer is one */
	bool json_answer;		/* a plain answer must be a JSON object */
	bool withhold_usage;		/* the usage chunk was weir's own wish */
	bool finish, done;		/* seen in the stream */
	bool needs_done;		/* of several answers one's finish is not the end */
	bool passing;			/* a plain body too large to hold is passed on as it comes */
	bool waiting;			/* for the caller's queue to drain */
	bool end_waits;			/* a sink wants the end to come again */
	bool ended;			/* the provider's side is complete */
	bool observed;			/* set before the start: whatever the verdict, the answer is passed on */
	bool judged;			/* it was on trial, and passed */
	bool quiet_commit;		/* the stream was opened by a comment, without content */
	/* For the charge: see attempt_charge.h. */
	uint8_t service;		/* enum service_tier that was asked for */
	bool text, charged, local;
	bool sent;			/* the request left, or may have */
	const struct price *price;	/* NULL: unknown */
	struct usage usage;
	struct prompt prompt;
	uint64_t data_bytes;		/* of events with content */
	uint32_t n_events, data_least;	/* how many, and the shortest of them */
	struct sse sse;
	struct eventstream *frames;	/* instead, where the stream is binary; NULL: it is not */
	struct buf held;		/* events before content; a plain body; an error body */
	struct buf pending;		/* what the caller's side did not take yet */
	struct str content_type;	/* in t->arena until the commit */
	struct resume *resume;		/* the walk's; NULL unless the model wants broken streams continued */
};

void attempt_init(struct attempt *a, struct txn *t, const struct attempt_events *events);
void attempt_free(struct attempt *a);

/* Sends t->call to `target` with `credential` (NULL: none). Failures come through events, later. */
void attempt_start(struct attempt *a, const struct target *target, const struct credential *credential,
		   int64_t connect_us);

/* Ends it without an outcome: the provider sees its connection close. */
void attempt_cancel(struct attempt *a);

/* Fails it from outside: a deadline. */
void attempt_fail(struct attempt *a, const struct outcome *o);

/* The caller's queue has room again. */
void attempt_drained(struct attempt *a);

/* Something a caller would see has come, be it held back or not. */
bool attempt_has_content(const struct attempt *a);
/* When an answer on trial is to be judged by its beginning; 0: there is none. And judges it, if it is time. */
int64_t attempt_trial_due(const struct attempt *a, int64_t now);
void attempt_trial_look(struct attempt *a, int64_t now);

/* Opens the stream towards the caller with a comment, failover still possible. */
void attempt_keep_alive(struct attempt *a);

/* The worker's transports. */
void upstream_open(struct loop *l);
void upstream_close(void);

#endif
