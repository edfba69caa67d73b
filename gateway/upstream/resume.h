/*
 * resume.h: continuing an answer that broke, on the next target.
 *
 * One choice of plain text only. The text so far is sent along as the beginning of the
 * assistant's turn; what the next target says is passed on under the first one's id and
 * model, less what it repeats of the text already sent.
 */
#ifndef WEIR_UPSTREAM_RESUME_H
#define WEIR_UPSTREAM_RESUME_H

#include <stdbool.h>

#include "base/buf.h"
#include "core/dialect.h"
#include "core/txn.h"
#include "wire/sse.h"

enum { RESUME_TEXT_MAX = 1024 * 1024, RESUME_OVERLAP_MIN = 12, RESUME_OVERLAP_LOOK = 64 };

struct resume {
	struct buf text;	/* what the caller has, as JSON spells it between quotes */
	struct buf first;	/* data of the first event with content: its id and model stay */
	struct buf lead;	/* the continuation's beginning, until its overlap is known */
	struct buf event;	/* the event in hand, rewritten */
	bool possible;		/* still: nothing but text was seen */
	bool going_on;		/* a second target is answering */
	bool decided;		/* its overlap was trimmed */
};

struct resume *resume_new(void);
void resume_free(struct resume *r);	/* may be NULL */

/* An event the caller got. */
void resume_note(struct resume *r, const struct event_view *v, struct str data);

/* The stream broke: can it go on? Writes the text so far into the request of t. */
bool resume_prepare(struct resume *r, struct txn *t);

/*
 * What the caller should get for an event of the continuation: the rewritten event,
 * or nothing when it is held back or says nothing new. Valid until the next call.
 */
struct str resume_rewrite(struct resume *r, const struct event_view *v, struct str data);

#endif
