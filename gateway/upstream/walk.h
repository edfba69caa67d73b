/*
 * walk.h: one transaction's walk over its plan; shared by the files of this stage:
 * forward.c the walk itself, forward_time.c its times, choose.c whom to ask next, cascade.c whose answer is judged,
 * queue.c waiting for a place, hedge.c the second attempt.
 */
#ifndef WEIR_UPSTREAM_WALK_H
#define WEIR_UPSTREAM_WALK_H

#include "core/plan.h"
#include "core/snapshot.h"
#include "upstream/try.h"

struct slot_ticket;

enum { QUEUES_MAX = 4 };

struct forward {
	struct list link;		/* in the pool of the thread */
	struct txn *t;
	struct try first;		/* walks the plan */
	struct try *second;		/* a hedge; NULL: none was made */
	struct timer timer;
	struct loop_task step_task;	/* the next attempt begins outside the callback that ended the last */
	unsigned next;			/* plan entry to ask next */
	int again;			/* further tries of the first's target */
	bool hedges;			/* the model wants late first tokens answered by a second attempt */
	bool blamed;			/* a target was blamed for failing this request: the next failure may be the request's */
	int64_t backoff_until_us;	/* waiting to try again; 0: not */
	int64_t queue_until_us;		/* waiting for a place; 0: not */
	int64_t queue_end_us;		/* all waits of this request together end here; 0: none began */
	int64_t queue_look_us;		/* when one of them may be back; 0: unknown */
	struct slot_ticket **tickets;	/* QUEUES_MAX of them in t->arena while it waits; NULL: it does not */
	int64_t hedge_at_us;		/* when a second attempt is made; 0: not */
	int64_t comment_us;		/* last byte towards the caller, for keep-alive comments */
	struct outcome last;		/* of the latest failure */
	/* Copied, because the snapshot goes at the commit. */
	struct timeouts timeouts;
	struct breaker_settings breaker;
	struct {
		bool on;		/* the attempt is a cascade's */
		bool last;		/* at its last target */
		const struct price *large;	/* of that; NULL: not known */
		int64_t large_output;	/* tokens expected of it */
		int64_t before;		/* spent on the request before this attempt */
	} cascade;
	struct resume *resume;		/* notes for a continuation; NULL: the model wants none, or it is not possible */
};

/* --- choose.c --- */

/* The next target of the plan that may be asked: into f->first, its place claimed. False: none is left. */
bool choose_next(struct forward *f);
/* One of another vendor, into `y`; leaves the walk where it is. */
bool choose_other_vendor(struct forward *f, struct try *y);
/* Another credential of the first's provider, not tried yet. */
bool choose_credential(struct try *y);
/* Looks again which targets are paused, and until when. */
void choose_refresh(struct forward *f);
/* Claims a place anew at the first's target, for another try of it. */
bool choose_place(struct forward *f);
/* Takes the entry of a place that was granted; false when it may not be asked any more. */
bool choose_granted(struct forward *f, struct live_target *t);

/* By what the answer of `e` is judged: NULL where no larger target of its cascade can be asked after it. */
const struct cascade *choose_terms(const struct forward *f, const struct plan_entry *e);

/* --- cascade.c --- */

/* An attempt at f->first.entry begins. */
void cascade_begin(struct forward *f);
/* It was judged, and goes on. */
void cascade_judged(struct forward *f, const struct attempt *a, const struct attempt_verdict *v);
/* Its answer was given. */
void cascade_end(struct forward *f, const struct attempt *a);

/* --- forward.c --- */

/* An attempt at f->first.entry, whose place is claimed. */
void forward_start(struct forward *f);
/* After a failure: tries again, walks on, waits, or gives up. */
void forward_step(struct forward *f);
/* A place was granted, or a moment is over; or there is nothing to wait for any more. */
void forward_go_on(struct forward *f);
void forward_give_up(struct forward *f);
/* Ends it with f->last as `kind`, unless a rung of the ladder answers. */
void forward_fail(struct forward *f, enum error_kind kind);

/* --- forward_time.c --- */

/* Whom the caller waits for: the second when the first has failed. */
struct try *forward_running(struct forward *f);
/* The next moment something has to be looked at; and the look. */
int64_t forward_due(struct forward *f);
void forward_on_timer(struct timer *timer);

/* --- queue.c --- */

/* Nobody can be asked now, but somebody may be soon: waits for it. False: there is nothing to wait for. */
bool queue_wait(struct forward *f);
/* A pause that was known to end is over: looks again. */
void queue_look(struct forward *f);
/* Stops waiting. */
void queue_leave(struct forward *f);

/* --- hedge.c --- */

void hedge_open(void);
void hedge_close(void);
/* The first attempt runs: when is a second one due? */
void hedge_plan(struct forward *f);
/* It is due. */
void hedge_start(struct forward *f);
/* `a` is about to answer: the other one is cancelled. */
void hedge_decide(struct forward *f, struct attempt *a);
/* The transaction is over. */
void hedge_end(struct forward *f);

extern const struct attempt_events forward_attempt_events;

#endif
