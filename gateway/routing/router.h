/*
 * router.h: the stage that writes the plan.
 */
#ifndef WEIR_ROUTING_ROUTER_H
#define WEIR_ROUTING_ROUTER_H

#include "core/stage.h"

extern const struct stage router_stage;

#endif
