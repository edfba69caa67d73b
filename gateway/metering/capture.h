/*
 * capture.h: some requests with their answers, kept for a later replay. Off unless it is configured.
 *
 * A sink copies what the caller is given; a thread redacts and writes. What waits for it is bounded, and what
 * finds no room is counted. Credentials never get in: headers are not kept, and what looks like one goes from texts.
 */
#ifndef WEIR_METERING_CAPTURE_H
#define WEIR_METERING_CAPTURE_H

#include "base/buf.h"
#include "core/snapshot.h"
#include "core/stage.h"

extern const struct stage capture_stage;

/* Makes the folder and starts the thread, where it is configured. False with one line in `why`. */
bool capture_open(const struct capture_settings *s, struct buf *why);
bool capture_is_on(void);
void capture_close(void);	/* after all workers */

#endif
