/*
 * admin_service.h: the operator's listeners, on the main thread's loop.
 */
#ifndef WEIR_ADMIN_ADMIN_SERVICE_H
#define WEIR_ADMIN_ADMIN_SERVICE_H

#include "admin/admin_pages.h"
#include "edge/listener.h"

struct admin_options {
	struct loop *loop;
	const struct snapshot *(*snapshot)(void *owner);	/* in force now, valid until the callback that asked returns */
	int (*explain)(const struct snapshot *, struct loop *, struct str request, struct buf *out);
	int (*keys)(void *owner, const struct admin_call *c, struct buf *out);	/* see admin_pages.h */
	int (*usage)(void *owner, const struct admin_call *c, struct buf *out);	/* likewise */
	int (*cache)(void *owner, const struct admin_call *c, struct buf *out);	/* likewise */
	void *owner;
};

struct admin_listener {
	struct admin_door door;
	struct edge_service service;
	struct edge_socket socket;
	struct listener *listener;		/* NULL: not in use */
	struct listen_settings settings;	/* the callers' ones, as far as they suit operators */
};

struct admin_service {
	struct admin_pages pages;
	struct admin_listener main, metrics;
	struct timer sampling;
};

/*
 * Binds `settings->address` and `settings->metrics_address`; an empty one or "off" is none.
 * False with the reason in `why`, and nothing left open. The struct stays where it is.
 */
bool admin_open(struct admin_service *a, const struct admin_options *o, const struct admin_settings *settings,
		struct buf *why);

/* Breaks what is still open. On the loop's thread, when loop_run() has returned or inside it. */
void admin_close(struct admin_service *a);

#endif
