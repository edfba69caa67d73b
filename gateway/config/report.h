/*
 * report.h: what is wrong, or doubtful, with a configuration: one line each, with its place.
 */
#ifndef WEIR_CONFIG_REPORT_H
#define WEIR_CONFIG_REPORT_H

#include "base/buf.h"

struct config_report {
	struct buf errors, warnings;	/* lines "file:line:column: error: text\n" */
	unsigned n_errors, n_warnings;
	const char *file;		/* being read; "environment" */
};

void report_init(struct config_report *r);
void report_free(struct config_report *r);

/* line 0: no place in a file. */
void report_error(struct config_report *r, unsigned line, unsigned column, const char *fmt, ...) printf_like(4, 5);
void report_warning(struct config_report *r, unsigned line, unsigned column, const char *fmt, ...) printf_like(4, 5);

#endif
