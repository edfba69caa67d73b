/*
 * fetch.h: one small HTTP call beside a transaction: a webhook, a question to a service of the
 * operator's own. A worker's client does it (upstream/fetch.c); rooms that need it are handed these.
 */
#ifndef WEIR_CORE_FETCH_H
#define WEIR_CORE_FETCH_H

#include <stddef.h>

#include "base/str.h"
#include "core/http.h"

struct origin;
struct fetch;

struct fetch_request {
	const struct origin *origin;	/* lives until the end; the rest is copied */
	enum http_method method;
	struct str path;		/* with its query */
	struct str headers;		/* lines ended by CR LF; not Host, not Content-Length */
	struct str body;
	size_t answer_max;		/* bytes; beyond it the call fails */
	/* Once, from the loop, never from within start(). `failure`: constant text, or NULL. `body` is lost after the call. */
	void (*done)(void *owner, int status, struct str body, const char *failure);
	void *owner;
};

struct fetch_ops {
	struct fetch *(*start)(const struct fetch_request *q);	/* on a worker's thread; never NULL */
	void (*cancel)(struct fetch *f);			/* done() will not be called */
};

#endif
