/*
 * vector_parts.h: embeddings and rerankings of the dialects.
 */
#ifndef WEIR_DIALECTS_VECTOR_PARTS_H
#define WEIR_DIALECTS_VECTOR_PARTS_H

#include "core/vectors.h"
#include "wire/json_cursor.h"
#include "wire/json_write.h"

extern const struct vector_format openai_vectors, gemini_vectors, bedrock_vectors, cohere_vectors;

/* Cohere's body, which Bedrock takes too; `model` empty: it stands in the path. */
void cohere_write_embed_body(const struct embed *e, struct str model, struct json_write *w);
void cohere_write_rank_body(const struct rank *r, struct str model, struct json_write *w);
bool cohere_read_vectors(struct str body, const struct embed *e, struct embed_answer *a);
bool cohere_read_ranking(struct str body, const struct rank *r, struct rank_answer *a);

/* The arrays of numbers in a list, in order; `member` of each element, or the elements. False: too few, too many, or others. */
bool vectors_of(struct str list, const char *member, const struct embed *e, struct embed_answer *a);

#endif
