/*
 * auth.h: the stage that says who calls, before the body is read.
 */
#ifndef WEIR_ACCESS_AUTH_H
#define WEIR_ACCESS_AUTH_H

#include "core/stage.h"

extern const struct stage auth_stage;

#endif
