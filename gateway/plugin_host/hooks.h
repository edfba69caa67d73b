/*
 * hooks.h: which plugin's code each thread is in: how long it takes, and whose crash a crash is.
 *
 * A watchdog thread names a hook that keeps its thread for a second, and ends weir when it does so for
 * ten: what that thread serves would wait for ever. It counts its own looks, so a stopped process ages nobody.
 */
#ifndef WEIR_PLUGIN_HOST_HOOKS_H
#define WEIR_PLUGIN_HOST_HOOKS_H

#include "core/plugin.h"

struct plugin_record;

/* Around each call of a hook; they do not nest. */
void hook_begin(const struct plugin_use *u, const char *hook);
void hook_end(const struct plugin_use *u);

/* Around work on the pool, which may take its time. */
void hook_work_begin(const struct plugin_record *r);
void hook_work_end(void);

/* What the calling thread is in; NULL: no plugin. From signal handlers, too. */
const struct plugin_record *hook_now(const char **hook);

#endif
