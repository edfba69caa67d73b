/*
 * http1_exchange.h: one exchange of the HTTP/1.1 transport; between http1_transport.c,
 * which opens, sends and ends it, and http1_answer.c, which reads.
 *
 * An exchange waiting for its provider's next byte holds this struct and its connection,
 * and no buffer. Callbacks may cancel it: whoever calls one looks at `gone` before
 * touching anything further. The memory stays until the outermost of our own functions
 * has let go of it (`busy`).
 */
#ifndef WEIR_UPSTREAM_HTTP1_EXCHANGE_H
#define WEIR_UPSTREAM_HTTP1_EXCHANGE_H

#include "base/buf.h"
#include "upstream/connection_pool.h"
#include "upstream/dial.h"
#include "upstream/transport.h"
#include "wire/chunked.h"

struct transport_state {
	struct loop *loop;
	struct connection_pool pool;
	struct list spare;		/* exchanges for the next calls */
	unsigned n_spare;
	struct http_head head;		/* of the answer that is being parsed */
};

struct exchange {
	struct list link;
	struct transport_state *state;
	struct connection *connection;	/* NULL while dialling */
	struct dial *dial;
	struct transport_call call;	/* origin and parts are not touched after on_head */
	struct loop_task task, send_task;
	struct buf held;		/* read and not yet taken: an incomplete head, or what a pause left over */
	struct buf out;			/* bytes beyond call.parts that the socket refused */
	size_t held_at;			/* where what is left of `held` begins */
	size_t sent, total;		/* bytes of call.parts */
	int64_t sent_us;		/* when sending began */
	uint64_t left;			/* of a body with a length */
	struct http_parser parser;
	struct chunked chunked;
	uint8_t body;			/* enum http_body */
	uint8_t interims;
	bool has_head : 1, keep_alive : 1;
	bool reused : 1;		/* the connection has served before */
	bool answered : 1;		/* at least one byte came */
	bool last : 1;			/* no further streamed bytes */
	bool throttled : 1;		/* send() said stop */
	bool stopped : 1;		/* sending was given up; the rest is not sent */
	bool no_memory : 1;
	bool paused : 1, resumed : 1;
	bool unannounced : 1;		/* on_connected is due */
	bool busy : 1, gone : 1;
};

/* Ends the exchange and reports. */
void exchange_fail(struct exchange *e, enum transport_failure f, bool unprocessed, const char *why);
void exchange_end(struct exchange *e, bool reusable);
void exchange_resend(struct exchange *e);

bool exchange_all_sent(const struct exchange *e);
void exchange_stop_sending(struct exchange *e);
/* Copies what is not sent yet, so that the caller may let go of its parts. */
bool exchange_keep_unsent(struct exchange *e);

/* Reads what is there and hands it on. */
void answer_read(struct exchange *e);
/* Hands on what a pause left over. */
void answer_resume(struct exchange *e);

#endif
