/*
 * sse.h: server-sent events out of bytes cut anywhere (WHATWG HTML, "Server-sent events", read 2026-11).
 *
 * Lines end in LF, CR or CRLF, in any mix; `data:` comes with or without a space, on one
 * line or several; comments and unknown fields pass. Each whole event is handed out as the
 * bytes it came in, its blank line included, so that it can be relayed unchanged. An event
 * that lies whole in the fed bytes is not copied; only an unfinished tail is kept, and
 * nothing at all between events.
 */
#ifndef WEIR_WIRE_SSE_H
#define WEIR_WIRE_SSE_H

#include <stdbool.h>

#include "base/buf.h"

enum sse_result {
	SSE_MORE,	/* nothing whole is left in the bytes; the tail is kept */
	SSE_EVENT,
	SSE_BAD		/* a line or an event larger than SSE_EVENT_MAX */
};

enum { SSE_EVENT_MAX = 1024 * 1024 };

/* How far an unfinished event was looked through. */
struct sse_place {
	size_t at;
	bool any;		/* a line that is not blank has ended */
	bool in_line;		/* the present line is not blank */
};

struct sse {
	struct buf tail;	/* the unfinished event so far */
	struct buf joined;	/* data of the last event, when it had several lines */
	struct sse_place place;	/* in the tail */
	bool used;		/* the tail was handed out and is to be dropped */
	bool begun;		/* a byte-order mark can no longer come */
};

/* Spans live until the next call with the same struct, or until the fed bytes go. */
struct sse_event {
	struct str raw;		/* as received */
	struct str name;	/* of `event:`, usually empty */
	struct str data;	/* lines joined by LF; empty for comments */
	bool comment;		/* no data at all: comments, pings, retry */
};

void sse_init(struct sse *s);
void sse_free(struct sse *s);

/* Takes bytes off `*in`; call until SSE_MORE. */
enum sse_result sse_feed(struct sse *s, struct str *in, struct sse_event *out);

/* At the end of the body: an event whose blank line never came, if there is one. */
enum sse_result sse_end(struct sse *s, struct sse_event *out);

#endif
