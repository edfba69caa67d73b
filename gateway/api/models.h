/*
 * models.h: the list of models, in a shape that OpenAI's and Anthropic's clients both read.
 */
#ifndef WEIR_API_MODELS_H
#define WEIR_API_MODELS_H

#include "core/txn.h"

enum stage_result models_list(struct txn *t);
enum stage_result models_one(struct txn *t);

/* The stage that answers whatever weir answers by itself once the caller is known. */
extern const struct stage local_stage;

#endif
