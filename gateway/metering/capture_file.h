/*
 * capture_file.h: captures as JSON lines, a file a day, of which old ones go.
 */
#ifndef WEIR_METERING_CAPTURE_FILE_H
#define WEIR_METERING_CAPTURE_FILE_H

#include "base/buf.h"
#include "core/snapshot.h"

/* Makes the folder. False with one line in `why`, which says what to do. */
bool capture_file_open(const struct capture_settings *s, struct buf *why);
void capture_file_close(void);

/* One thread only. False: it could not be written, or the day's files are as large as they may be. */
bool capture_file_write(struct str line, int64_t wall_us);

/*
 * JSON, or events that carry it, as may be kept: without what looks like a credential; `personal` takes e-mail
 * addresses and long numbers out, too. Strings stay strings; line ends between them become spaces where `one_line`.
 */
void capture_redact(struct str text, bool personal, bool one_line, struct buf *out);

#endif
