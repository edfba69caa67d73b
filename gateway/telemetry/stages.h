/*
 * stages.h: the stages that count and log every request, however it ended.
 */
#ifndef WEIR_TELEMETRY_STAGES_H
#define WEIR_TELEMETRY_STAGES_H

#include "base/log.h"
#include "core/stage.h"

extern const struct stage access_log_stage, metrics_stage;

/* Where access lines go; NULL: nowhere. Set before workers start, and by reload. */
void access_log_to(struct log_sink *sink);

#endif
