/*
 * count_tokens.h: how long a prompt is, where nobody behind the model counts tokens itself.
 */
#ifndef WEIR_ROUTING_COUNT_TOKENS_H
#define WEIR_ROUTING_COUNT_TOKENS_H

#include "core/stage.h"

struct txn;

/* STAGE_NEXT: a target counts. Otherwise the estimate for the plan's first target is the answer, and says that it is one. */
enum stage_result count_tokens(struct txn *t);

#endif
