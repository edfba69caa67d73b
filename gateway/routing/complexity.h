/*
 * complexity.h: where a cascade begins, told before anybody is asked.
 */
#ifndef WEIR_ROUTING_COMPLEXITY_H
#define WEIR_ROUTING_COMPLEXITY_H

#include "core/target.h"
#include "core/txn.h"

/* The target of `m` to begin with, and why there; NULL: the first that may be asked. */
struct target *complexity_first(struct txn *t, const struct model *m, const char **why);

#endif
