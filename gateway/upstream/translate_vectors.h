/*
 * translate_vectors.h: embeddings and rerankings by a target that speaks another dialect.
 */
#ifndef WEIR_UPSTREAM_TRANSLATE_VECTORS_H
#define WEIR_UPSTREAM_TRANSLATE_VECTORS_H

#include "core/dialect.h"
#include "core/vectors.h"

struct vectors;

/* In `a`. NULL: the call is none of these. */
struct vectors *vectors_for(const struct dialect *caller, const struct dialect *provider, struct str path, struct arena *a);
/* Where it goes and what is sent; `body` has to stay until the answer was read. False: `loss` or `fault` says why. */
bool vectors_request(struct vectors *v, struct str body, const struct chat_target *to, struct buf *path, struct buf *out,
		     struct chat_loss *loss, struct chat_fault *fault);
/* As translate_answer(). */
bool vectors_answer(struct vectors *v, const struct chat_frame *f, unsigned quirks, struct str body, struct buf *out);

#endif
