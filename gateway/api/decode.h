/*
 * decode.h: the stage that reads the body: whole, checked and indexed, or not at all.
 */
#ifndef WEIR_API_DECODE_H
#define WEIR_API_DECODE_H

#include "core/stage.h"

extern const struct stage decode_stage;

#endif
