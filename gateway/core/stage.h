/*
 * stage.h: one step of a request's way in, and its share of the bookkeeping on the way out.
 */
#ifndef WEIR_CORE_STAGE_H
#define WEIR_CORE_STAGE_H

struct txn;

enum stage_result {
	STAGE_NEXT,
	STAGE_PARKED,	/* txn_resume() enters the same stage again; t->cancel says how to let go */
	STAGE_ANSWERED,	/* an answer is on its way through t->sinks; txn_end() will follow or has been called */
	STAGE_FAILED	/* t->error is set by txn_fail() */
};

struct stage {
	const char *name;
	enum stage_result (*enter)(struct txn *t);
	void (*leave)(struct txn *t);	/* only if entered, last one first, once, however the request ended; may be NULL */
};

#endif
