/*
 * plugin_command.c: a plugin's own command: what it may ask is what it may ask when it is configured.
 */
#include "config/plugin_command.h"

#include <stdio.h>

#include "config/build.h"
#include "plugin_host/plugin_set.h"

static int run(const struct weir_plugin *plugin, int argc, char **argv)
{
	struct arena a = ARENA_INIT;
	struct tree_files files = { 0 };
	struct config_report *report = arena_new(&a, struct config_report);
	struct build b = { .report = report, .arena = &a, .environment = true, .files = &files };
	struct weir_setup s = build_plugin_setup(&b, &a);
	report_init(report);
	report->file = argv[0];
	int status = plugin->command(&plugin_host, &s, argc, argv);
	fflush(stdout);
	report_finish(report);
	fprintf(stderr, "%.*s%.*s", STR_FMT(buf_str(&report->warnings)), STR_FMT(buf_str(&report->errors)));
	report_free(report);
	arena_wipe(&a);
	return status;
}

/* PLACE/NAME.so is called NAME. */
static struct str name_of(struct str file)
{
	for (ptrdiff_t slash; (slash = str_chr(file, '/')) >= 0;)
		file = str_skip(file, (size_t)slash + 1);
	return str_ends(file, STR(".so")) ? str_head(file, file.n - 3) : file;
}

int plugin_command(int argc, char **argv)
{
	struct buf why = BUF_INIT(2048);
	struct str said = str_c(argv[0]), name = name_of(said);
	const struct weir_plugin *p = plugin_load(name, str_chr(said, '/') >= 0 ? said : STR_NONE, STR_NONE, &why);
	int status = 2;
	if (p && p->command)
		status = run(p, argc, argv);
	else if (p)
		fprintf(stderr, "weir: the plugin `%s` has no commands\n", argv[0]);
	else
		fprintf(stderr, "weir: there is no command `%s`, and no plugin of this name (%.*s); see weir help\n", argv[0],
			STR_FMT(buf_str(&why)));
	buf_free(&why);
	return status;
}
