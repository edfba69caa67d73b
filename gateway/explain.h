/*
 * explain.h: what would happen to a request, without asking anybody.
 */
#ifndef WEIR_EXPLAIN_H
#define WEIR_EXPLAIN_H

#include "base/buf.h"
#include "base/loop.h"
#include "core/snapshot.h"

/*
 * `request` is a request's JSON body, taken as one to /v1/chat/completions (or /v1/responses when it
 * has no `messages`), or {"path", "key", "headers", "body"} around one. Writes the plan as JSON, or an
 * error in OpenAI's shape; returns the status to answer with. Reads live state, changes none.
 */
int explain(const struct snapshot *s, struct loop *l, struct str request, struct buf *out);

#endif
