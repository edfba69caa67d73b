/*
 * translate_work.h: large bodies are translated by threads of their own, so that no loop waits for them.
 */
#ifndef WEIR_UPSTREAM_TRANSLATE_WORK_H
#define WEIR_UPSTREAM_TRANSLATE_WORK_H

#include "core/dialect.h"
#include "upstream/translate.h"

struct loop;
struct translate_work;

/* A plain answer. */
struct translate_answer {
	const struct dialect *dialect;	/* the provider's */
	unsigned quirks;
	bool json;			/* it has to be a JSON object */
	struct buf body;		/* as it came */
	struct buf out;			/* what it says in the caller's words */
	struct usage usage;
	const char *why;		/* it is no good; NULL: it is */
};

/* Usage, and whether it is sound. Any thread. */
void translate_answer_check(struct translate_answer *a);
/* And what it says, if it is. Any thread. */
void translate_answer_run(struct translate *x, struct translate_answer *a);

/*
 * Later, on the loop, `done` gives `x` back with its request written, or with its answer translated; until then it belongs
 * to the work, as do the answer's bytes. NULL: too many wait already, and nothing was taken.
 */
struct translate_work *translate_work_request(struct loop *l, struct translate *x, void (*done)(void *owner, struct translate *x),
					      void *owner);
struct translate_work *translate_work_answer(struct loop *l, struct translate *x, const struct translate_answer *a,
					     void (*done)(void *owner, struct translate *x, struct translate_answer *a), void *owner);

/* done() is not called; what it would have given back is freed. */
void translate_work_cancel(struct translate_work *w);

/* Before the worker's loop is closed. */
void translate_work_close(struct loop *l);

#endif
