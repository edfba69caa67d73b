/*
 * openai_embeddings.h: vectors as base64 for callers who asked for it and got numbers.
 */
#ifndef WEIR_DIALECTS_OPENAI_EMBEDDINGS_H
#define WEIR_DIALECTS_OPENAI_EMBEDDINGS_H

#include "base/buf.h"
#include "core/call.h"

/* True when `out` holds the body with every numeric "embedding" as base64 of little-endian float32. */
bool openai_embeddings_to_base64(const struct call *call, struct str body, struct buf *out);

/* A JSON array of numbers as a JSON string of base64. False: it is none. */
bool openai_vector_to_base64(struct str vector, struct buf *out);

#endif
