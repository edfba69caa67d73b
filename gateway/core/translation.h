/*
 * translation.h: a caller's dialect, answered by a target that speaks another one. Pure, as dialects are.
 *
 * Strings and numbers cross as they were spelled. Hints that the target's format cannot carry are
 * left out and named; what would change the meaning of the request is refused with its field.
 */
#ifndef WEIR_CORE_TRANSLATION_H
#define WEIR_CORE_TRANSLATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

struct dialect;

struct translation_request {
	struct str model;		/* the target's name for it, plain text */
	bool stream;
	bool completion_tokens;		/* the limit goes by max_completion_tokens */
	bool stream_usage;		/* usage may be asked for */
};

struct translation_loss {
	struct str dropped;		/* names of fields left out, comma separated, in the arena; empty: none */
	const char *refused;		/* constant text: what cannot be carried; NULL: nothing */
	const char *field;		/* where */
};

/* Between the events of one stream. Zeroed to begin with; nothing to free. */
struct translation_stream {
	bool begun, in_block, tool, stopped;
	int64_t block;			/* index of the open or next block */
	int64_t call;			/* index of the tool call that is open */
	char stop[24];			/* stop reason; empty: not known yet */
	int64_t input, output, cached;
};

struct translation {
	const struct dialect *target;	/* what the other side speaks */
	struct str path;		/* of the caller's endpoint that is translated, */
	struct str target_path;		/* and of the target's */
	/* `body` is a valid JSON object. False: refused, or too large for `out`. */
	bool (*write_request)(struct str body, const struct translation_request *r, struct arena *a, struct buf *out,
			      struct translation_loss *loss);
	/* A whole answer; false when it is none. */
	bool (*write_answer)(struct str body, struct buf *out);
	/* What the target's event (its data) says in the caller's events; may be nothing. */
	void (*write_event)(struct translation_stream *s, struct str data, struct buf *out);
	/* The end of a stream. Once. */
	void (*write_end)(struct translation_stream *s, struct buf *out);
};

#endif
