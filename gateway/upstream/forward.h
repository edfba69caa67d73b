/*
 * forward.h: the stage that walks the plan.
 */
#ifndef WEIR_UPSTREAM_FORWARD_H
#define WEIR_UPSTREAM_FORWARD_H

#include "base/loop.h"
#include "core/stage.h"

extern const struct stage forward_stage;

/* Once for each worker's thread, around its loop. */
void forward_open(struct loop *l);
void forward_close(void);

#endif
