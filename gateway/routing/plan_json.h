/*
 * plan_json.h: a plan as JSON, for explain.
 */
#ifndef WEIR_ROUTING_PLAN_JSON_H
#define WEIR_ROUTING_PLAN_JSON_H

#include "base/buf.h"
#include "core/plan.h"

/* `plugins`: what they did with the request, as JSON objects with commas between. */
void plan_json(const struct plan *p, struct str plugins, struct buf *out);

#endif
