/*
 * configure.c: what plugins may ask while they are configured.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "core/calendar.h"
#include "core/target.h"
#include "plugin_host/run.h"

enum { MESSAGE_MOST = 2048 };

void host_log(enum weir_severity s, const char *format, ...)
{
	char text[MESSAGE_MOST];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (s == WEIR_ERROR)
		log_error("%s", text);
	else if (s == WEIR_WARNING)
		log_warn("%s", text);
	else
		log_info("%s", text);
}

void host_tell(struct weir_setup *s, enum weir_severity how, const char *file, unsigned line, unsigned column,
	       const char *format, ...)
{
	char text[MESSAGE_MOST];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	s->tell(s, how, file, line, column, text);
}

const struct weir_node *host_read_yaml(struct weir_setup *s, const char *file)
{
	return s->read_yaml(s, file);
}

int host_read_file(struct weir_setup *s, const char *file, struct weir_text *out)
{
	return s->read_file ? s->read_file(s, file, out) : ENOTSUP;
}

const struct weir_place *host_place(struct weir_setup *s, const struct weir_node *at, struct weir_text url)
{
	struct weir_place *p = arena_new(s->arena, struct weir_place);
	p->origin = arena_new(s->arena, struct origin);
	const char *why = s->http_place ? s->http_place(s, run_str(url), p->origin, &p->path) : "cannot be used here";
	if (!why)
		return p;
	host_tell(s, WEIR_ERROR, NULL, at ? at->line : 0, at ? at->column : 0, "`%.200s` %s", arena_copy(s->arena, run_str(url)).p, why);
	return NULL;
}

const struct weir_zone *host_zone(struct weir_setup *s, struct weir_text name)
{
	return (const struct weir_zone *)zone_find(run_str(name), s->arena);
}

void host_counts(struct weir_setup *s, const char *why)
{
	prepare_hit(plugin_record_of(s->name), str_head(str_c(why), WHY_MOST));
}
