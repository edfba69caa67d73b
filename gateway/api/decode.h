/*
 * decode.h: the stage that reads the body: whole, checked and indexed, or not at all.
 */
#ifndef WEIR_API_DECODE_H
#define WEIR_API_DECODE_H

#include "base/str.h"
#include "core/stage.h"

struct txn;

extern const struct stage decode_stage;

/* Reads a body again that a plugin has changed. */
extern const struct stage decode_changes_stage;

/* The same over bytes that are there already, for explain. `text` must live as long as t->arena. */
enum stage_result decode_json(struct txn *t, struct str text);

#endif
