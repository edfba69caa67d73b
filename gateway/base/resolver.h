/*
 * resolver.h: names to addresses, off the loop.
 *
 * Resolver threads publish immutable address sets and refresh them in the background; the
 * last good set is kept when a refresh fails. A worker only ever looks at the latest set,
 * and asks to be called when there is none yet.
 *
 * A set older than 30 seconds is refreshed behind the back of whoever asks for it; one
 * older than five minutes, because nobody asked, is waited for. A name is resolved by
 * a few threads only, which a slow name server may hold for as long as it likes.
 */
#ifndef WEIR_BASE_RESOLVER_H
#define WEIR_BASE_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>
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

bool resolver_start(void);	/* false: no thread could be made */
/* Threads held by a slow name server are left to end on their own; rows stay valid. */
void resolver_stop(void);

/*
 * The process-wide row of host:port, made once and never freed; resolving begins. Literal
 * addresses are ready at once. From any thread.
 */
struct resolved *resolver_row(struct str host, uint16_t port);

/* Copies the present set; false when there is none (yet), or only one too old. From any thread. */
bool resolved_addresses(struct resolved *r, struct address_set *out);

/*
 * Calls done(arg) by loop_post on `l` once an attempt to resolve is over, or at once when
 * one failed within the last second. The caller keeps `arg` alive until then, or until
 * resolved_unwait() said true.
 */
void resolved_wait(struct resolved *r, struct loop *l, void (*done)(void *arg), void *arg);

/* True: done(arg) will not be called. False: it is on its way. */
bool resolved_unwait(struct resolved *r, void *arg);

/*
 * Whatever is not a public unicast address: loopback, private, link-local, CGNAT, multicast,
 * unspecified, documentation, clouds' metadata services, and their v4-mapped, 6to4 and NAT64 forms.
 */
bool address_is_private(const struct sockaddr *sa);

#endif
