/*
 * plugin_set.h: building and counting what core/plugin.h describes.
 *
 * Loading finds a plugin by its name among those that come with weir, else as a shared object:
 * it must be a regular file of root's or of weir's own user that others cannot write, have the
 * digest that was said, export `weir_plugin`, and speak this ABI. A shared object once loaded stays.
 */
#ifndef WEIR_PLUGIN_HOST_PLUGIN_SET_H
#define WEIR_PLUGIN_HOST_PLUGIN_SET_H

#include "base/buf.h"
#include "core/plugin.h"
#include "weir_plugin.h"

struct origin;

struct plugin_set *plugin_set_new(void);
struct plugin_set *plugin_set_ref(struct plugin_set *s);
void plugin_set_unref(struct plugin_set *s);	/* NULL is no set; the last one releases the instances. Any thread */

/* `path` empty: built in, or DIRECTORY/NAME.so. `sha256` empty: not compared. NULL with `why` filled. */
const struct weir_plugin *plugin_load(struct str name, struct str path, struct str sha256, struct buf *why);

/* Whoever configures: what the host's functions of configure() ask. */
struct weir_setup {
	struct str name;		/* of the plugin */
	struct arena *arena;		/* of the set */
	void *owner;
	void (*tell)(struct weir_setup *s, enum weir_severity how, const char *file, unsigned line, unsigned column, const char *text);
	const struct weir_node *(*read_yaml)(struct weir_setup *s, const char *file);
	int (*read_file)(struct weir_setup *s, const char *file, struct weir_text *out);
	/* NULL when good, else what is wrong. */
	const char *(*http_place)(struct weir_setup *s, struct str url, struct origin *origin, struct str *path);
};

/* Runs configure(); false when the plugin refused. */
bool plugin_configure(struct plugin_use *use, struct weir_setup *s, const struct weir_node *config);

/* Whether an answer passes the plugin, which has a check(). Any thread. */
bool plugin_passes(const struct plugin_use *use, struct str text);

/* What plugins are given. */
extern const struct weir_host plugin_host;

#endif
