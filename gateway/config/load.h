/*
 * load.h: from a file, or the environment alone, to a snapshot: whole or nothing.
 */
#ifndef WEIR_CONFIG_LOAD_H
#define WEIR_CONFIG_LOAD_H

#include "config/report.h"
#include "core/snapshot.h"

/*
 * The file to read: `given` (-c), WEIR_CONFIG, ./weir.yaml, /etc/weir/weir.yaml; NULL for
 * none, which means the environment.
 */
const char *config_find(const char *given);

/*
 * NULL when the report holds errors. `file` NULL: zero-configuration. On top of either lie
 * the WEIR_... variables.
 */
struct snapshot *config_load(const char *file, struct config_report *r);

/* The same from bytes already in hand; `environment`: whether variables and files are looked at. */
struct snapshot *config_load_text(const char *name, struct str text, bool environment, struct config_report *r);

/*
 * Before `fresh` takes the place of `running`: what changes only at a start stays as it runs, is
 * named in `kept` where the file says otherwise, and keys are needed for the addresses that are
 * served, whatever the new file says of them.
 */
void config_follow(const struct snapshot *running, struct snapshot *fresh, struct buf *kept);

/*
 * A key that is not in the file: `of` has what keys[] has beside name and secret, as JSON. Limits of its team are this
 * snapshot's. In the arena; NULL with the mistakes in `why` (which may be NULL: then a team that is gone is none).
 * Its digest is left to the caller. Any thread; a time zone's file may be read.
 */
struct key *config_key(const struct snapshot *s, struct str name, struct str of, struct arena *a, struct buf *why);

#endif
