/*
 * log_writer.h: what log.c and log_sink.c share; for these two alone.
 */
#ifndef WEIR_BASE_LOG_WRITER_H
#define WEIR_BASE_LOG_WRITER_H

#include "base/log.h"

/* Writes what is queued, waiting at most a second, and ends the thread. */
void log_writer_stop(void);
/* `tick` runs on the writer thread about once a second while it has work. */
void log_writer_tick(void (*tick)(void));
/* Has the writer tick within a second, though nothing is queued. */
void log_writer_wake(void);

/* log_record(), written at once instead of with the next batch. */
void log_record_soon(struct log_sink *s, struct str line);

#endif
