/*
 * plan_json.h: a plan as JSON, for explain.
 */
#ifndef WEIR_ROUTING_PLAN_JSON_H
#define WEIR_ROUTING_PLAN_JSON_H

#include "base/buf.h"
#include "core/plan.h"

void plan_json(const struct plan *p, struct buf *out);

#endif
