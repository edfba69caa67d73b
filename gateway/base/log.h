/*
 * log.h: the operator's log, one JSON object a line, never blocking the caller.
 *
 * Lines go into a bounded queue for each sink and are written by a thread of their own;
 * when a disk or a pipe does not take them they are dropped and counted
 * (weir_log_dropped_total). A message is capped at 1023 bytes, run through redaction
 * (whatever looks like a credential leaves as "...") and escaped. At most 10 lines a
 * second for each format string, the rest as one "suppressed" line. On a terminal lines
 * are for eyes instead of JSON.
 */
#ifndef WEIR_BASE_LOG_H
#define WEIR_BASE_LOG_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Before log_open() lines go to stderr as plain text. */
bool log_open(enum log_level least, struct buf *why);
void log_close(void);				/* writes what is queued, waiting at most a second; last of all threads */
void log_set_level(enum log_level least);
bool log_level_parse(struct str s, enum log_level *out);

void log_line(enum log_level level, const char *fmt, ...) printf_like(2, 3);
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

/*
 * A destination for whole records (access log): "stdout", "off" or a file, reopened
 * when it was moved away. log_record() takes a finished line, newline included.
 */
struct log_sink;
struct log_sink *log_sink_open(struct str where, struct buf *why);	/* NULL on failure */
void log_sink_close(struct log_sink *s);
void log_record(struct log_sink *s, struct str line);

/* "2026-01-31T12:00:00.000000Z", NUL-terminated; cheap when called often. Returns its length. */
enum { LOG_TIME_SIZE = 28 };
size_t log_time(char out[LOG_TIME_SIZE], int64_t wall_us);

/* `text` with credentials (Bearer ..., sk-..., key=..., known vendors' forms) blanked out. */
bool log_redact(struct buf *out, struct str text);

#endif
