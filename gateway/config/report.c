/*
 * report.c: collecting messages about a configuration.
 */
#include "config/report.h"

#include <stdarg.h>
#include <stdio.h>

enum { REPORT_MAX = 256 * 1024 };

void report_init(struct config_report *r)
{
	*r = (struct config_report){ .errors = BUF_INIT(REPORT_MAX), .warnings = BUF_INIT(REPORT_MAX), .file = "weir" };
}

void report_free(struct config_report *r)
{
	buf_free(&r->errors);
	buf_free(&r->warnings);
}

static void add(struct buf *to, const char *file, unsigned line, unsigned column, const char *kind, const char *text)
{
	if (line)
		buf_addf(to, "%s:%u:%u: %s: %s\n", file, line, column, kind, text);
	else
		buf_addf(to, "%s: %s: %s\n", file, kind, text);
}

void report_error(struct config_report *r, unsigned line, unsigned column, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->n_errors++;
	add(&r->errors, r->file, line, column, "error", text);
}

void report_warning(struct config_report *r, unsigned line, unsigned column, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->n_warnings++;
	add(&r->warnings, r->file, line, column, "warning", text);
}
