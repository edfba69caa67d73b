/*
 * connection.h: one caller's connection: requests in, answers out, one at a time.
 *
 * Internal to the edge; the pipeline sees struct client alone.
 */
#ifndef WEIR_EDGE_CONNECTION_H
#define WEIR_EDGE_CONNECTION_H

#include "base/buf.h"
#include "base/io.h"
#include "base/list.h"
#include "base/loop.h"
#include "core/client.h"
#include "core/txn.h"
#include "edge/listener.h"
#include "wire/chunked.h"
#include "wire/http_parser.h"

enum caller_state {
	CALLER_HANDSHAKE,
	CALLER_IDLE,	/* waits for a request's first byte */
	CALLER_HEAD,	/* has part of a head */
	CALLER_BUSY,	/* a transaction is under way */
	CALLER_LINGER,	/* answered and half closed: reads what still comes, so that the answer is not lost to a reset */
	CALLER_CLOSED	/* freed at the end of the turn */
};

struct caller {
	struct client client;
	struct list link;		/* in the listener's list of idle or of busy ones */
	struct loop_task turn_task, send_task;
	struct listener *listener;
	struct edge_service *service;
	struct watch watch;
	struct timer timer;
	struct io io;
	struct txn *txn;
	struct str peer;		/* owned; address of the caller, for the log */
	struct buf in;			/* part of a head, or requests behind the present one */
	struct buf out;			/* what the socket has not taken yet */
	struct http_parser parser;
	struct chunked chunked;
	struct body_reader *reader;
	uint64_t body_left;		/* of a body of known length */
	uint64_t body_got;
	int64_t body_began_us, rate_from_us;
	int64_t look_us;		/* when the body's progress is judged next */
	int64_t stall_us;		/* when bytes the socket refuses have waited too long */
	int64_t answer_left;		/* of an answer of known length; ANSWER_CHUNKED for others */
	uint64_t rate_got;
	uint64_t memory;		/* accounted for the body */
	uint64_t sent;			/* body bytes of the present answer */
	unsigned requests;
	uint32_t peer_hash;
	enum caller_state state;
	uint8_t minor;			/* HTTP/1.x of the request */
	bool counted;			/* in the process-wide counts */
	bool is_head, keep_alive, expect_continue, chunked_request, has_body, body_done, reading_body, body_paused;
	bool begun, chunked_answer, ended, bodiless, is_tls, accepted_body;
	bool broken;			/* found in a call of the service: closed once this turn's callbacks are done */
};

/* A connection of `fd`, which it takes over, counted already. */
void caller_open(struct listener *l, int fd, struct str peer, uint32_t peer_hash);

/* Orderly for idle ones; a transaction under way gets a hang-up. Freed at the end of the turn. */
void caller_close(struct caller *c);

/* Ends after the present answer, at once when idle. */
void caller_drain(struct caller *c);

/* reply.c: the answer's side. */
extern const struct client_ops reply_ops;
void reply_reset(struct caller *c);
void reply_send(struct loop_task *t);	/* caller's send_task */
/* Sends what is queued; false when the peer is gone. */
bool reply_push(struct caller *c);
/* Raw bytes of our own (100 Continue) ahead of an answer. */
void reply_raw(struct caller *c, struct str bytes);

/* For reply.c: the answer is complete; the peer is gone, which the service is told after its call. */
void caller_answered(struct caller *c);
void caller_all_sent(struct caller *c);
void caller_broken(struct caller *c);
/* Sets the one timer by what is waited for while a transaction is under way. */
void caller_arm(struct caller *c);
/* Reading may go on: with what is kept, once this turn's callbacks are done. */
void caller_go_on(struct caller *c);
void caller_body_wanted(struct caller *c, struct body_reader *r);
void caller_more_body(struct caller *c);

#endif
