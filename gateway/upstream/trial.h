/*
 * trial.h: an answer of a cascade's smaller target, held until it is judged.
 *
 * It is read beside its way to the caller: bytes are kept as they came, and go that way once they
 * have passed. So whatever an attempt does with an answer it does with one that was on trial.
 */
#ifndef WEIR_UPSTREAM_TRIAL_H
#define WEIR_UPSTREAM_TRIAL_H

#include "base/buf.h"
#include "core/cascade.h"
#include "core/dialect.h"

struct trial;
struct txn;

struct trial_terms {
	const struct cascade *cascade;
	const struct dialect *dialect;	/* the answer's */
	unsigned quirks;
};

/* What an answer has used so far, as it says itself or as its events show. */
struct trial_use {
	struct usage usage;
	uint64_t bytes;			/* of events with content */
	uint32_t events, least;		/* how many, and the shortest of them */
	int64_t first_us;		/* when the first came; 0: none yet */
};

enum trial_state {
	TRIAL_GOES_ON,
	TRIAL_PASSED,
	TRIAL_FAILED,	/* trial_failed() says what */
	TRIAL_BROKE	/* the stream holds an error (trial_error() says which), ended early, or is none */
};

/* NULL: answers of this kind cannot be read, and are not judged. */
struct trial *trial_new(struct txn *t, const struct trial_terms *terms);
void trial_free(struct trial *r);	/* may be NULL */

/* Its stream comes as binary messages. */
void trial_in_frames(struct trial *r);
/* Some of a stream. */
enum trial_state trial_take(struct trial *r, struct str bytes, int64_t now_us);
/* The stream is over. TRIAL_BROKE: before its end. */
enum trial_state trial_end(struct trial *r);
/* Its time is over: it is judged by its beginning. */
enum trial_state trial_look(struct trial *r);
/* A plain answer. */
enum trial_state trial_plain(struct trial *r, struct str body);

/* When it is to be looked at; INT64_MAX: there is nothing to see yet. */
int64_t trial_due(const struct trial *r);
/* The stream said all it had to say. */
bool trial_is_whole(const struct trial *r);
enum cascade_check trial_failed(const struct trial *r);
enum error_kind trial_error(const struct trial *r);
const struct trial_use *trial_use(const struct trial *r);
/* The bytes of a stream so far. */
struct buf *trial_kept(struct trial *r);
/* The text of an answer that was judged, for comparing. Lives as long as the trial. */
struct str trial_text(struct trial *r);

#endif
