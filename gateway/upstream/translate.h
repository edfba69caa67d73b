/*
 * translate.h: a caller answered by a target that speaks another dialect.
 *
 * One for an attempt. It holds what is between the events of a stream and outlives the
 * transaction's arena, which goes at the commit.
 *
 * What is large is translated by a thread that is not the loop's (translate_work.h): the calls marked so touch nothing
 * but the struct and the bytes that they are given.
 */
#ifndef WEIR_UPSTREAM_TRANSLATE_H
#define WEIR_UPSTREAM_TRANSLATE_H

#include "base/buf.h"
#include "core/target.h"
#include "core/txn.h"

struct translate;
struct media_wants;

/* What holds the loop no longer than it may. */
enum { TRANSLATE_AT_ONCE = 256 * 1024 };

/* For the request of `t` to `target`: what is needed of both is taken along. NULL: no memory. */
struct translate *translate_new(struct txn *t, const struct target *target);
void translate_free(struct translate *x);	/* may be NULL */

/* Writes the request anew. Any thread. */
bool translate_is_large(const struct translate *x);
void translate_request(struct translate *x);
/*
 * What has to be fetched first, and where its bytes are kept; NULL: nothing. Filled, the request is written by another
 * translate_request().
 */
struct media_wants *translate_wants(struct translate *x, struct arena **a);
/*
 * What came of it, in t->arena: where it goes (below the base path), and its body. False, with t->error's message and
 * param set: it is wrong, or the target's format cannot carry it. t->dropped tells the losses.
 */
bool translate_request_take(struct translate *x, struct txn *t, struct str *path, struct str *body) must_check;

/*
 * What an event of theirs says in the caller's, which may be nothing. Lives until the next call. False: more than can be
 * said in one event.
 */
bool translate_event(struct translate *x, struct str name, struct str data, struct str *out) must_check;
/* Their stream is over, and whole. */
bool translate_end(struct translate *x, struct str *out) must_check;
/* Bytes of a plain answer that can be translated. */
enum { TRANSLATE_ANSWER_MAX = 64 * 1024 * 1024 };
/* A plain answer; false when there is none in it. Any thread. */
bool translate_answer(struct translate *x, struct str body, struct buf *out);
/* It ended in a way that the caller's format may have no word for. */
bool translate_ended_oddly(const struct translate *x);

#endif
