/*
 * report.h: what is wrong, or doubtful, with a configuration: one line each, with its place.
 *
 * Messages are collected in any order and come out in the order of the file. Beyond
 * REPORT_MESSAGES_MAX they are counted only.
 */
#ifndef WEIR_CONFIG_REPORT_H
#define WEIR_CONFIG_REPORT_H

#include "base/arena.h"
#include "base/buf.h"

enum { REPORT_MESSAGES_MAX = 200 };

struct report_message {
	bool error;
	unsigned line, column;	/* line 0: no place in a file */
	struct str text;
	const char *file;	/* NULL: the report's own */
};

struct config_report {
	struct buf errors, warnings;	/* filled by report_finish(): lines "file:line:column: error: text\n" */
	unsigned n_errors, n_warnings;
	const char *file;		/* being read; "environment" */
	struct report_message messages[REPORT_MESSAGES_MAX];
	unsigned n_messages;
	struct arena arena;		/* of the texts */
};

void report_init(struct config_report *r);
void report_free(struct config_report *r);

void report_error(struct config_report *r, unsigned line, unsigned column, const char *fmt, ...) printf_like(4, 5);
void report_warning(struct config_report *r, unsigned line, unsigned column, const char *fmt, ...) printf_like(4, 5);

/* About another file, which the configuration names; `file` outlives the report or is in its arena. */
void report_elsewhere(struct config_report *r, bool error, const char *file, unsigned line, unsigned column, const char *text);

/* Sorts and writes the lines. */
void report_finish(struct config_report *r);

#endif
