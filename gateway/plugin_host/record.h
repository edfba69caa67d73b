/*
 * record.h: what is remembered of a plugin by its name, as long as the process lives, and of its crashes also over restarts.
 *
 * A plugin's crash is weir's. The last thing weir does then is to note whose it was; one whose crashes
 * ended it three times within an hour is off at the next start, until the configuration is reloaded.
 */
#ifndef WEIR_PLUGIN_HOST_RECORD_H
#define WEIR_PLUGIN_HOST_RECORD_H

#include <stdatomic.h>

#include "core/plugin.h"

enum { CRASHES_MOST = 3 };

struct plugin_record {
	struct plugin_record *next;
	struct str name;
	struct str spelled;		/* as in JSON, without its quotes */
	struct plugin_counts *counts;	/* plugin_counters.c */
	unsigned crashes;		/* within the last hour before this start */
	_Atomic bool off;
};

/* Thread-safe; may lock. */
struct plugin_record *plugin_record_of(struct str name);

static inline bool plugin_is_off(const struct plugin_use *u)
{
	return u->record && atomic_load_explicit(&u->record->off, memory_order_relaxed);
}

#endif
