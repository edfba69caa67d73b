/*
 * gauges.h: what is not counted but looked at when somebody asks: the process itself,
 * the configuration, the state of targets. All calls from one thread, the server's.
 */
#ifndef WEIR_TELEMETRY_GAUGES_H
#define WEIR_TELEMETRY_GAUGES_H

#include <stdbool.h>

#include "base/str.h"

struct snapshot;

/* weir_build_info. Once. */
void gauges_build(struct str version, struct str commit);

/* A configuration was loaded, or refused and the former one kept. */
void gauges_reload(bool success);

struct gauges_reload_state {
	bool success;
	int64_t at_us;		/* wall clock of the last success; 0: none yet */
};
struct gauges_reload_state gauges_reload_state(void);

/* Looks at everything; before metrics are rendered. `s` may be NULL. */
void gauges_refresh(const struct snapshot *s, unsigned connections);

/* Wall clock, microseconds. */
int64_t gauges_started_us(void);

#endif
