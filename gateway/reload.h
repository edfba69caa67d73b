/*
 * reload.h: a new configuration while running: whole or not at all.
 */
#ifndef WEIR_RELOAD_H
#define WEIR_RELOAD_H

#include <stdbool.h>

#include "base/loop.h"
#include "core/snapshot.h"

struct reload {
	struct loop *loop;		/* the main thread's */
	const char *file;		/* NULL: the environment */
	struct timer watch;		/* looks at the files' times */
	bool running, again;
	uint64_t signature;		/* of the watched files */
	/* On the main thread: takes over the reference. */
	void (*publish)(struct reload *, struct snapshot *);
	void *owner;
};

void reload_open(struct reload *r, struct loop *l, const char *file);
void reload_close(struct reload *r);

/* Starts building on a thread of its own; asked again meanwhile, it builds once more after that. */
void reload_start(struct reload *r);

/* Watches the files of the snapshot in force, or stops watching. */
void reload_watch(struct reload *r, const struct snapshot *s, bool on);

#endif
