/*
 * aws_eventstream.h: messages of the AWS binary event stream (application/vnd.amazon.eventstream)
 * out of bytes cut anywhere, and into bytes.
 *
 * A message is a prelude (total length, length of the headers, CRC-32 of both), headers,
 * payload, and the CRC-32 of all of it; integers are big-endian. Both sums are checked before
 * anything is handed out, the lengths as soon as the prelude is there. A message that lies
 * whole in the fed bytes is not copied; only an unfinished one is kept.
 * Sources: smithy.io, "Amazon Event Stream Specification", read 2026-11; its test vectors.
 */
#ifndef WEIR_WIRE_AWS_EVENTSTREAM_H
#define WEIR_WIRE_AWS_EVENTSTREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum {
	EVENTSTREAM_MESSAGE_MAX = 16 * 1024 * 1024,	/* usual ceiling of a message, all of it */
	EVENTSTREAM_HEADERS_MAX = 128 * 1024		/* the format's own */
};

enum eventstream_result {
	EVENTSTREAM_MORE,	/* nothing whole is left in the bytes; the beginning is kept */
	EVENTSTREAM_MESSAGE,
	EVENTSTREAM_BAD		/* see `error`; the stream is of no further use */
};

/* The numbers are the format's. */
enum eventstream_type {
	EVENTSTREAM_TRUE, EVENTSTREAM_FALSE, EVENTSTREAM_BYTE, EVENTSTREAM_INT16, EVENTSTREAM_INT32,
	EVENTSTREAM_INT64, EVENTSTREAM_BYTES, EVENTSTREAM_STRING, EVENTSTREAM_TIMESTAMP, EVENTSTREAM_UUID
};

struct eventstream_header {
	struct str name;	/* 1 to 255 bytes */
	enum eventstream_type type;
	int64_t number;		/* BYTE to INT64, signed; TIMESTAMP, ms since 1970; TRUE is 1, FALSE 0 */
	struct str bytes;	/* BYTES, STRING (at most 65535), UUID (16) */
};

/* Spans live until the next call with the same struct, or until the fed bytes go. */
struct eventstream_message {
	struct str headers;	/* found well-formed; read with eventstream_header_next() */
	struct str payload;
};

struct eventstream {
	struct buf tail;	/* the unfinished message so far; its ceiling is the message's */
	size_t need;		/* length of the message in the tail, once its prelude is there */
	bool used;		/* the tail was handed out and is to be dropped */
	const char *error;	/* constant text, NULL while all is well */
};

/* `message_max`: EVENTSTREAM_MESSAGE_MAX unless there is a reason. */
void eventstream_init(struct eventstream *s, size_t message_max);
void eventstream_free(struct eventstream *s);

/* Takes bytes off `*in`; call until EVENTSTREAM_MORE. */
enum eventstream_result eventstream_feed(struct eventstream *s, struct str *in,
					 struct eventstream_message *out);

/* At the end of the body: false when it ends inside a message (`error` says so), or was bad before. */
bool eventstream_end(struct eventstream *s) must_check;

/* Takes the first header off `*headers`; false when there is none, or no well-formed one. */
bool eventstream_header_next(struct str *headers, struct eventstream_header *out);

/* Value of the first header of that name if it is a string (":event-type"); STR_NONE otherwise. */
struct str eventstream_text(const struct eventstream_message *m, struct str name);

/*
 * Appends one message. False, and nothing appended, when the buffer is full, a name or value
 * does not fit the format, or the headers or the whole are longer than it allows.
 */
bool eventstream_write(struct buf *out, const struct eventstream_header *headers, size_t count,
		       struct str payload) must_check;

#endif
