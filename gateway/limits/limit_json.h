/*
 * limit_json.h: what is used of one limit and what is left, as callers and operators are shown it.
 */
#ifndef WEIR_LIMITS_LIMIT_JSON_H
#define WEIR_LIMITS_LIMIT_JSON_H

#include "base/buf.h"
#include "core/limit.h"
#include "store/store.h"

/* One object; a comma before it unless it is the first. `period_end`: 0 where nothing begins anew. */
void limit_json(const struct limit_rule *rule, const struct store_usage *u, int64_t period_end, bool first, struct buf *b);

#endif
