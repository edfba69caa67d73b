/*
 * transport.h: one HTTP exchange with a provider, whoever carries it.
 *
 * Two transports stand behind this contract: http1_transport.c, our own pooled
 * keep-alive client on the loop, which carries what is billed; and curl_transport.c,
 * libcurl's multi interface, for proxies, HTTP/2-only hosts and rare calls. One contract
 * suite runs on both (tests/unit/upstream/transport_suite.h).
 *
 * Rules of both: callbacks come from the loop, never from inside start(); after on_end,
 * on_fail or cancel() no further callback comes and the exchange is gone; 1xx heads are
 * skipped; redirects are not followed; nothing is resent but once, silently, when a
 * reused connection was closed before one byte of an answer; no content encoding is asked.
 * An answer of 300 or more that comes before the request was sent ends the sending.
 *
 * The request's head is the caller's, framing included: an HTTP/1.1 head with Host and
 * Content-Length, no hop-by-hop header. Deadlines but the connect budget are the caller's too.
 */
#ifndef WEIR_UPSTREAM_TRANSPORT_H
#define WEIR_UPSTREAM_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/loop.h"
#include "base/str.h"
#include "core/http.h"
#include "core/target.h"

struct http_head;	/* wire/http_parser.h */

enum transport_failure {
	TRANSPORT_RESOLVE,	/* no address */
	TRANSPORT_FORBIDDEN,	/* a private address, and the provider does not say it may be one */
	TRANSPORT_CONNECT,	/* refused, unreachable, or the connect deadline */
	TRANSPORT_TLS,		/* handshake, certificate or host name */
	TRANSPORT_RESET,	/* closed or reset before the answer was complete */
	TRANSPORT_PROTOCOL,	/* not HTTP, or framing that cannot be trusted */
	TRANSPORT_TOO_LARGE,	/* head beyond its limits */
	TRANSPORT_MEMORY
};

struct transport_events {
	/* The connection stands and the request begins to leave (also for a pooled one). May be NULL. */
	void (*on_connected)(void *owner);
	/* Final status and headers; valid during the call. */
	void (*on_head)(void *owner, const struct http_head *head);
	/*
	 * Decoded body bytes, at least one, lost after the call; all are taken. `more`: further bytes
	 * of the same read, or on_end, follow at once. False: stop until resume(), which also on_end
	 * waits for. resume() may be called from a callback, but not from this one.
	 */
	bool (*on_body)(void *owner, struct str bytes, bool more);
	void (*on_end)(void *owner);
	/*
	 * `unprocessed`: provably nothing of the request was acted upon (it never left, for want of
	 * a connection), so sending it again is safe. `why` is valid during the call.
	 */
	void (*on_fail)(void *owner, enum transport_failure f, bool unprocessed, const char *why);
	/* Streamed request body (call->streamed): the socket wants more; answer with send(). May be NULL. */
	void (*on_writable)(void *owner);
};

struct transport_call {
	/* origin, parts and their bytes must live until on_head comes or the exchange ends. */
	const struct origin *origin;
	enum http_method method;
	const struct iovec *parts;	/* head and body */
	int n_parts;
	bool streamed;			/* the body follows by send(); `parts` is the head alone */
	int64_t connect_us;		/* budget for resolving, connecting and the TLS handshake */
	const struct transport_events *events;
	void *owner;
};

struct exchange;		/* one call under way; owned by the transport */
struct transport_state;		/* one worker's pools */

struct transport {
	const char *name;
	struct transport_state *(*open)(struct loop *);
	void (*close)(struct transport_state *);	/* no exchange may be left */
	struct exchange *(*start)(struct transport_state *, const struct transport_call *);	/* never NULL */
	/*
	 * Streamed bodies: takes all bytes (copying what the socket refuses); false when more than
	 * 256 KiB wait: stop until on_writable, which also comes once when the connection stands.
	 * `last` ends the body. More than 16 MiB waiting fail the exchange.
	 */
	bool (*send)(struct exchange *, struct str bytes, bool last);
	void (*resume)(struct exchange *);
	/* Drops it at once; the provider sees its connection close. */
	void (*cancel)(struct exchange *);
};

extern const struct transport http1_transport, curl_transport;

#endif
