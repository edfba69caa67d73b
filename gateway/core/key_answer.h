/*
 * key_answer.h: GET /v1/key, a caller's own limits, what is used of them and what is left. The
 * endpoint table is api/'s, the answer limits/'s.
 */
#ifndef WEIR_CORE_KEY_ANSWER_H
#define WEIR_CORE_KEY_ANSWER_H

#include "core/stage.h"

struct txn;

enum stage_result key_answer(struct txn *t);

#endif
