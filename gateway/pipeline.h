/*
 * pipeline.h: the way of a request.
 */
#ifndef WEIR_PIPELINE_H
#define WEIR_PIPELINE_H

#include "core/txn.h"

extern const struct txn_ops pipeline_ops;

#endif
