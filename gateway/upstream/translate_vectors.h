/*
 * translate_vectors.h: embeddings and rerankings by a target that speaks another dialect.
 */
#ifndef WEIR_UPSTREAM_TRANSLATE_VECTORS_H
#define WEIR_UPSTREAM_TRANSLATE_VECTORS_H

#include "core/vectors.h"
#include "upstream/translate.h"

struct vectors;

/* In t->arena. NULL: the call is none of these. */
struct vectors *vectors_for(struct txn *t);
/* As translate_request(). */
bool vectors_request(struct vectors *v, struct txn *t, const struct target *target, struct str *path, struct str *body);
/* As translate_answer(); the transaction has not let go of its request yet. */
bool vectors_answer(struct vectors *v, const struct chat_frame *f, unsigned quirks, struct str body, struct buf *out);

/* --- translate.c, for both --- */

void translate_refuse(struct txn *t, struct str field, struct str why);
struct chat_target translate_target(const struct target *target);
struct chat_loss translate_loss(struct txn *t);

#endif
