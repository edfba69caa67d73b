/*
 * listener.h: accepting callers on TCP and Unix sockets, within limits.
 *
 * One listener per worker and address (SO_REUSEPORT; a Unix socket's descriptor is
 * shared). Counts of connections and body memory are process-wide.
 */
#ifndef WEIR_EDGE_LISTENER_H
#define WEIR_EDGE_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/loop.h"
#include "core/snapshot.h"
#include "core/txn.h"

/* What stands behind the connections of one worker: the pipeline, or the admin server. */
struct edge_service {
	struct loop *loop;
	void *owner;
	/* A transaction with an empty arena, `worker`, `loop`, `ops`, `client` and `began_us` set. Never NULL. */
	struct txn *(*begin)(void *owner, struct client *client);
	/* Settings in force now; asked at each accept and each head, so a reload takes effect. */
	const struct listen_settings *(*settings)(void *owner);
	/* Adds the access log's line for connections that never spoke HTTP (TLS failures): may be NULL. */
	void (*note)(void *owner, const char *what, struct str peer);
};

/* A bound and listening socket: made once at start, before privileges and threads. */
struct edge_socket {
	int fd;
	bool unix_path;
	struct str address;
};

/* With whom a TCP address is shared: with nobody; with the sockets that follow, if nobody has it yet; with those before. */
enum edge_share { EDGE_ALONE, EDGE_FIRST, EDGE_FURTHER };

/* "host:port", "[v6]:port", ":port" or "unix:/path". False with the reason in `why`. */
bool edge_bind(struct edge_socket *s, struct str address, enum edge_share share, struct buf *why);
/* The port it really has (for port 0), 0 for a Unix socket. */
uint16_t edge_port(const struct edge_socket *s);

struct listener;
struct listener *listener_open(struct edge_service *service, const struct edge_socket *socket);

/* Drain: idle connections close now, the others with their present answer. */
void listener_drain(struct listener *l);
/* Connections still open. */
unsigned listener_connections(const struct listener *l);
/* Closes the listener and breaks what is still open. Transactions get hangup. */
void listener_close(struct listener *l);

#endif
