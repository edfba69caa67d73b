/*
 * plugin.h: the plugins a configuration asks for, as the pipeline sees them.
 *
 * A set is built by config/ with its instances and counted: a transaction holds a reference
 * from its first hook to its last, so a stream outlives the snapshot it began under.
 */
#ifndef WEIR_CORE_PLUGIN_H
#define WEIR_CORE_PLUGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

struct weir_plugin;		/* plugins/weir_plugin.h */
struct plugin_record;

enum { PLUGINS_MAX = 32 };

enum plugin_failure { PLUGIN_REJECTS, PLUGIN_CONTINUES };

/* One entry under `plugins:`. */
struct plugin_use {
	struct str name;
	const struct weir_plugin *plugin;
	void *self;			/* what configure() returned */
	struct plugin_record *record;	/* of all plugins of this name */
	const struct str *models, *keys;/* patterns; none: all */
	unsigned n_models, n_keys;
	int64_t timeout_us;		/* ceiling of one hold */
	bool last;			/* asked only where no target answered */
	int on_failure;			/* enum plugin_failure: where a hold comes to nothing */
};

struct plugin_set {
	_Atomic int refs;
	struct arena arena;		/* everything below, and the plugins' configuration */
	struct plugin_use uses[PLUGINS_MAX];	/* in the order they run */
	unsigned n;
};

#endif
