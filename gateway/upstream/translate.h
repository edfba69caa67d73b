/*
 * translate.h: a caller answered by a target that speaks another dialect.
 *
 * One for an attempt. It holds what is between the events of a stream and outlives the
 * transaction's arena, which goes at the commit.
 */
#ifndef WEIR_UPSTREAM_TRANSLATE_H
#define WEIR_UPSTREAM_TRANSLATE_H

#include "base/buf.h"
#include "core/target.h"
#include "core/txn.h"

struct translate;

/*
 * The request for `target`, in t->arena: where it goes (below the base path), and its body. NULL, with
 * t->error's message and param set: it is wrong, or the target's format cannot carry it. t->dropped tells the losses.
 */
struct translate *translate_request(struct txn *t, const struct target *target, struct str *path, struct str *body);
void translate_free(struct translate *x);	/* may be NULL */

/*
 * What an event of theirs says in the caller's, which may be nothing. Lives until the next call. False: more than can be
 * said in one event.
 */
bool translate_event(struct translate *x, struct str name, struct str data, struct str *out) must_check;
/* Their stream is over, and whole. */
bool translate_end(struct translate *x, struct str *out) must_check;
/* Bytes of a plain answer that can be translated. */
enum { TRANSLATE_HELD = 1024 * 1024, TRANSLATE_VECTORS_HELD = 64 * 1024 * 1024 };
size_t translate_answer_max(const struct translate *x);
/* A plain answer; false when there is none in it. */
bool translate_answer(struct translate *x, struct str body, struct buf *out);

#endif
