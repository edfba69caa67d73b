/*
 * attempt_parts.h: between the files of an attempt: attempt.c its life and the transport's events, attempt_stream.c
 * and attempt_plain.c the two kinds of answer, attempt_caller.c what the caller gets.
 */
#ifndef WEIR_UPSTREAM_ATTEMPT_PARTS_H
#define WEIR_UPSTREAM_ATTEMPT_PARTS_H

#include "upstream/attempt.h"

/* Whom it asks, and with what. */
struct attempt_aim {
	struct attempt *attempt;
	const struct target *target;
	const struct credential *credential;	/* NULL: none */
	int64_t connect_us;
};

/* --- attempt.c --- */

/* The request's bytes are written: what is left is to show the credential, and to send them. */
void attempt_send(struct attempt *a, const struct attempt_aim *aim, struct transport_call *call);

/* The provider's side came to nothing: fails with the attempt's own status. */
void attempt_broke(struct attempt *a, enum error_kind kind, bool unprocessed, const char *why);

/* --- attempt_caller.c --- */

enum sink_result attempt_emit(struct attempt *a, struct delta *d);
/* To the caller although its queue is full. */
void attempt_pass_by(struct txn *t, struct str bytes);
void attempt_emit_head(struct attempt *a, int64_t length);
void attempt_complete(struct attempt *a);

/* --- attempt_stream.c --- */

/* Passes on whatever whole events `in` completes. False: stop reading, the rest is pending. */
bool attempt_stream_feed(struct attempt *a, struct str in, bool more);
void attempt_stream_end(struct attempt *a);

/* --- attempt_trial.c --- */

void attempt_trial_begin(struct attempt *a);
void attempt_trial_drop(struct attempt *a);
/* Instead of attempt_stream_feed(), while a->trial. */
bool attempt_trial_feed(struct attempt *a, struct str bytes);
/* The stream is over. False: so is the attempt, or the caller's side is full. */
bool attempt_trial_end(struct attempt *a);
/* The plain answer in a->held. False: it failed. */
bool attempt_trial_plain(struct attempt *a);

/* --- attempt_translate.c --- */

void attempt_translate_request(struct attempt *a, const struct attempt_aim *aim);
/* The plain answer in a->held is whole. */
void attempt_translate_answer(struct attempt *a);
void attempt_translate_cancel(struct attempt *a);

/* --- attempt_plain.c --- */

bool attempt_plain_feed(struct attempt *a, struct str bytes, bool more);
/* Further bytes of a body that is passed on as it comes. */
bool attempt_pass_bytes(struct attempt *a, struct str bytes, bool more);
void attempt_plain_end(struct attempt *a);
/* It is good, and in a->held as the caller gets it. */
void attempt_plain_deliver(struct attempt *a);
void attempt_error_end(struct attempt *a);
/* Before the commit, with which the snapshot goes: of a relayed stream, what its provider was shown stays known. */
void attempt_keep_shown(struct attempt *a);
/* Stars instead of every credential of a provider that stands in `body`, which keeps its length. */
void attempt_blank_secrets(const struct attempt *a, struct buf *body);

#endif
