/*
 * raw_predict.h: Messages relayed to Claude in Google's cloud, which wants the model in the path and the version in the body.
 */
#ifndef WEIR_UPSTREAM_RAW_PREDICT_H
#define WEIR_UPSTREAM_RAW_PREDICT_H

#include "base/buf.h"
#include "core/call.h"
#include "core/target.h"

/* Is what is asked for one of Messages' paths, and the target there? */
bool raw_predict_is(const struct target *target, struct str path);
void raw_predict_path(const struct target *target, const struct call *call, struct buf *out);
/* The body's `model` makes way for anthropic_version; a count of tokens keeps it, with `model` as its name. */
struct call_edit raw_predict_edit(const struct call *call);

#endif
