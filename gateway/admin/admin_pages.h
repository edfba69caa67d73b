/*
 * admin_pages.h: what the operator's listener answers, and to whom: short GETs, and POSTs with a small
 * body, each answered at once on the loop it came in.
 */
#ifndef WEIR_ADMIN_ADMIN_PAGES_H
#define WEIR_ADMIN_ADMIN_PAGES_H

#include "admin/status.h"
#include "base/loop.h"
#include "core/snapshot.h"
#include "core/txn.h"

/* What is asked at a page that changes things. */
struct admin_call {
	enum http_method method;
	struct str rest;	/* of the path, below the page's own: "" or "/name" */
	struct str query, body;
	void *ticket;		/* for admin_answer() */
};

enum { ADMIN_LATER = 0 };

struct admin_pages {
	struct loop *loop;
	const struct snapshot *(*snapshot)(void *owner);	/* in force now; NULL before the first */
	unsigned (*connections)(void);				/* callers' */
	/* What would happen to this request: writes JSON, returns the status. */
	int (*explain)(const struct snapshot *, struct loop *, struct str request, struct buf *out);
	/* Keys made at run time: writes JSON, returns the status, or ADMIN_LATER: admin_answer() follows, after it returned. */
	int (*keys)(void *owner, const struct admin_call *c, struct buf *out);
	int (*usage)(void *owner, const struct admin_call *c, struct buf *out);	/* the same of what was spent */
	int (*cache)(void *owner, const struct admin_call *c, struct buf *out);	/* of answers that are kept */
	void *owner;
	struct status_history history;
};

/*
 * One address the pages are served on. Everywhere: /metrics, /livez, /readyz, /health. The
 * rest asks for the admin token where one is set; without one it is there on loopback only.
 */
struct admin_door {
	struct admin_pages *pages;
	bool loopback;		/* or a Unix socket */
	bool health_only;	/* metrics and health, whatever is presented */
};

/* For edge_service.begin: `owner` is a struct admin_door. */
struct txn *admin_begin(void *owner, struct client *client);

/* Answers what was put off; once. */
void admin_answer(void *ticket, int status, struct str json);

#endif
