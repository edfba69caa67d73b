/*
 * resolver.h: names to addresses, off the loop.
 *
 * Resolver threads publish immutable address sets and refresh them in the background; the
 * last good set is kept when a refresh fails. A worker only ever looks at the latest set,
 * and asks to be called when there is none yet.
 */
#ifndef WEIR_UPSTREAM_RESOLVER_H
#define WEIR_UPSTREAM_RESOLVER_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/loop.h"
#include "base/str.h"

enum { RESOLVED_MAX = 16 };

struct address {
	struct sockaddr_storage sa;
	socklen_t length;
};

struct address_set {
	unsigned n;
	struct address a[RESOLVED_MAX];
};

bool resolver_start(void);
void resolver_stop(void);

/* The process-wide row of host:port, made once; resolving begins. Literal addresses are ready at once. */
struct resolved *resolver_row(struct str host, uint16_t port);

/* Copies the present set; false when there is none (yet). */
bool resolved_addresses(struct resolved *r, struct address_set *out);

/*
 * Calls done(arg) by loop_post on `l` once the pending attempt to resolve is over. The
 * caller keeps `arg` alive until then (use a counted or generation-checked object).
 */
void resolved_wait(struct resolved *r, struct loop *l, void (*done)(void *arg), void *arg);

/* Loopback, private, link-local, CGNAT, multicast, unspecified, and their v4-mapped and NAT64 forms. */
bool address_is_private(const struct sockaddr *sa);

#endif
