/*
 * genai.h: the four gen_ai_ families of OpenTelemetry's conventions (v1.41), under the names
 * and labels that Envoy AI Gateway gave them, so that dashboards made for it work.
 */
#ifndef WEIR_TELEMETRY_GENAI_H
#define WEIR_TELEMETRY_GENAI_H

#include "telemetry/families.h"

/* Fills the gen_ai series of a new row, whose target's row is `t`. */
void genai_fill(struct route_counters *r, const struct target_counters *t);

struct counter *genai_duration(const struct route_counters *r, const struct target_counters *t, enum error_kind kind);

#endif
