/*
 * probe.h: which local model servers listen on this machine, for a start without a file.
 */
#ifndef WEIR_CONFIG_PROBE_H
#define WEIR_CONFIG_PROBE_H

#include <stdbool.h>
#include <stdint.h>

enum { PROBE_MAX = 8 };

/* Connects to loopback ports, all at once, for at most `budget_ms` together. `open[i]`: somebody accepts there. */
void probe_local(const uint16_t *ports, unsigned n, int budget_ms, bool open[PROBE_MAX]);

#endif
