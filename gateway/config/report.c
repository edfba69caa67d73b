/*
 * report.c: collecting messages about a configuration.
 */
#include "config/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { REPORT_MAX = 512 * 1024, TEXT_MAX = 1024 };

void report_init(struct config_report *r)
{
	memset(r, 0, sizeof(*r));
	buf_init(&r->errors, REPORT_MAX);
	buf_init(&r->warnings, REPORT_MAX);
	arena_init(&r->arena);
	r->file = "weir";
}

void report_free(struct config_report *r)
{
	buf_free(&r->errors);
	buf_free(&r->warnings);
	arena_clear(&r->arena);
}

/* A message is one line, whatever bytes a file put into it. */
static void add(struct config_report *r, bool error, unsigned line, unsigned column, const char *text)
{
	if (r->n_messages == REPORT_MESSAGES_MAX)
		return;
	struct str copy = arena_copy(&r->arena, str_c(text));
	for (size_t i = 0; i < copy.n; i++)
		if ((unsigned char)copy.p[i] < ' ' || copy.p[i] == 0x7f)
			((char *)(uintptr_t)copy.p)[i] = '?';
	r->messages[r->n_messages++] = (struct report_message){ error, line, column, copy, NULL };
}

void report_error(struct config_report *r, unsigned line, unsigned column, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->n_errors++;
	add(r, true, line, column, text);
}

void report_warning(struct config_report *r, unsigned line, unsigned column, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->n_warnings++;
	add(r, false, line, column, text);
}

void report_elsewhere(struct config_report *r, bool error, const char *file, unsigned line, unsigned column, const char *text)
{
	unsigned n = r->n_messages;
	r->n_errors += error;
	r->n_warnings += !error;
	add(r, error, line, column, text);
	if (r->n_messages > n)
		r->messages[n].file = arena_copy(&r->arena, str_c(file)).p;
}

static int by_place(const void *a, const void *b)
{
	const struct report_message *x = a, *y = b;
	int file = strcmp(x->file ? x->file : "", y->file ? y->file : "");
	if (file)
		return file;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

void report_finish(struct config_report *r)
{
	qsort(r->messages, r->n_messages, sizeof(*r->messages), by_place);
	for (unsigned i = 0; i < r->n_messages; i++) {
		const struct report_message *m = &r->messages[i];
		struct buf *to = m->error ? &r->errors : &r->warnings;
		buf_addf(to, "%s", m->file ? m->file : r->file);
		if (m->line)
			buf_addf(to, ":%u:%u", m->line, m->column);
		buf_addf(to, ": %s: %.*s\n", m->error ? "error" : "warning", STR_FMT(m->text));
	}
	if (r->n_errors + r->n_warnings > r->n_messages)
		buf_addf(r->n_errors ? &r->errors : &r->warnings, "%s: and %u more messages\n", r->file, r->n_errors + r->n_warnings - r->n_messages);
}
