/*
 * client.h: the caller's side of one transaction, as stages and sinks may use it.
 *
 * Implemented by the edge (a connection) and by tests. All calls come from the worker's
 * thread; none blocks. After end() or abort() the client is gone for this transaction.
 * txn_ops.hangup never comes from within one of these calls.
 */
#ifndef WEIR_CORE_CLIENT_H
#define WEIR_CORE_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct client;
struct txn;

/* Receives a request body as it arrives. */
struct body_reader {
	/*
	 * Optional: where the next bytes of a body should be read to directly, at least
	 * `least` bytes; used for large bodies of known length. Bytes so read are then
	 * passed to take() as that very span.
	 */
	struct str (*space)(struct body_reader *, size_t least);
	/* Decoded bytes, lost after the call. False: stop reading until client_more_body(). The bytes are taken in either case. */
	bool (*take)(struct body_reader *, struct str bytes);
	void (*end)(struct body_reader *);	/* the body is complete */
	uint64_t max;				/* beyond: the edge fails the transaction with ERR_TOO_LARGE */
};

/* One response header; edge refuses CR, LF, NUL in them. */
struct answer_header {
	struct str name, value;
};

enum { ANSWER_CHUNKED = -1 };

struct answer_head {
	int status;
	struct str content_type;
	int64_t length;				/* or ANSWER_CHUNKED */
	const struct answer_header *headers;
	unsigned n_headers;
	unsigned n_own;				/* the first so many are weir's own words and numbers, and not looked at */
	bool event_stream;			/* adds x-accel-buffering: no */
	bool close;				/* the connection ends with this answer */
};

struct client_ops {
	/*
	 * Starts delivering the body to `r`. Bytes that are there already follow in the same turn of the
	 * loop, after the call; without a body r->end() comes from within it.
	 * Sends 100 Continue where the caller waits for it. Called at most once.
	 */
	void (*read_body)(struct client *, struct body_reader *r);
	void (*more_body)(struct client *);

	/* Queues status and headers; sent with the first body bytes or at flush. request ids are added by the caller of this. */
	bool (*begin)(struct client *, const struct answer_head *head) must_check;
	/*
	 * Queues body bytes. They are borrowed until flush() or end(), which copy what the socket does not
	 * take at once. What goes beyond the length announced is dropped.
	 */
	void (*write)(struct client *, const struct str *parts, unsigned n);
	/* Puts what is queued on the wire; call once after a batch of writes. */
	void (*flush)(struct client *);
	/* The answer is complete (shorter than announced, it is aborted). The connection goes on where it can. */
	void (*end)(struct client *);
	/* Ends the connection visibly unfinished (no last chunk, reset). */
	void (*abort)(struct client *);
	/* Bytes written but not yet taken by the socket. Above CLIENT_HIGH_WATER a producer stops and waits for txn->on_drain. */
	size_t (*queued)(const struct client *);
	/* Bytes of answer body already on the wire or queued. */
	uint64_t (*sent)(const struct client *);
};

enum { CLIENT_HIGH_WATER = 256 * 1024, CLIENT_LOW_WATER = 64 * 1024 };

struct client {
	const struct client_ops *ops;
};

static inline void client_read_body(struct client *c, struct body_reader *r) { c->ops->read_body(c, r); }
static inline void client_more_body(struct client *c) { c->ops->more_body(c); }
static inline bool client_begin(struct client *c, const struct answer_head *h) { return c->ops->begin(c, h); }
static inline void client_write(struct client *c, const struct str *parts, unsigned n) { c->ops->write(c, parts, n); }
static inline void client_flush(struct client *c) { c->ops->flush(c); }
static inline void client_end(struct client *c) { c->ops->end(c); }
static inline void client_abort(struct client *c) { c->ops->abort(c); }
static inline size_t client_queued(const struct client *c) { return c->ops->queued(c); }

#endif
