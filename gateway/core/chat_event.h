/*
 * chat_event.h: an answer in nobody's words: a row of events, however it came.
 *
 * A dialect reads a plain answer or the events of a stream and gives events to a chat_out; another
 * writes them down as its own stream, or they are gathered (chat_gather) and written as one plain
 * answer. Text is spelled, as in chat.h. Spans live until `take` returns.
 *
 * Order in one choice: BEGIN once and first, then pieces as they come, FINISH once. A CALL is
 * followed by its ARGUMENTS before the next CALL of that choice, or interleaved by `call`.
 * USAGE may come at any time and more than once, the largest of each kind counts. The end of the
 * stream is told by END, once, by whoever reads the provider's bytes, and only if it was whole.
 */
#ifndef WEIR_CORE_CHAT_EVENT_H
#define WEIR_CORE_CHAT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "core/usage.h"

enum chat_event_kind {
	CHAT_BEGIN,		/* id, model: as the provider says them; may be empty */
	CHAT_TEXT,		/* text: a piece */
	CHAT_REASONING,		/* text: a piece */
	CHAT_SIGNATURE,		/* signature, signer: of the reasoning that came last (call -1), or of a tool call */
	CHAT_REDACTED,		/* text: reasoning that only its vendor can read, whole; signer */
	CHAT_REFUSAL,		/* text: a piece */
	CHAT_CALL,		/* call, id, name; the id is never empty */
	CHAT_ARGUMENTS,		/* call, text: a piece of the arguments' JSON, spelled as inside a string */
	CHAT_CITATION,		/* json: an annotation in OpenAI's shape */
	CHAT_LOGPROBS,		/* json: OpenAI's `logprobs` object for the pieces since the last one */
	CHAT_FINISH,		/* finish, native */
	CHAT_USAGE,		/* usage */
	CHAT_END
};

enum chat_finish { FINISH_STOP, FINISH_SEQUENCE /* a stop sequence, in stop_sequence */, FINISH_LENGTH, FINISH_TOOLS, FINISH_FILTER, FINISH_PAUSE, FINISH_OTHER };

struct chat_event {
	enum chat_event_kind kind;
	int choice;
	int call;			/* 0, 1, ... within the choice; -1: none */
	struct str text, json;
	struct str id, name, model;
	struct str signature, signer;
	enum chat_finish finish;
	struct str native;		/* the provider's word for the finish, plain */
	struct str stop_sequence;	/* spelled */
	const struct usage *usage;
};

/* Whoever takes events. */
struct chat_out {
	void (*take)(struct chat_out *, const struct chat_event *);
};

static inline void chat_give(struct chat_out *o, const struct chat_event *e) { o->take(o, e); }

/* What an answer says of itself beside the events. */
struct chat_frame {
	struct str request_id;		/* weir's own: seed of ids that the provider does not give */
	struct str model;		/* the target's, where the provider names none; plain */
	int64_t created_s;		/* Unix time */
	struct str freeform;		/* as in struct chat */
	bool usage;			/* the caller wants usage in the stream */
};

/*
 * Reads a provider's stream. Dialects extend it; chat_format says the size. Zeroed but for these
 * members to begin with.
 */
struct chat_reader {
	struct chat_out *out;
	unsigned quirks;
	struct str request_id;		/* seed of ids for calls that come without */
};

/* Writes a caller's stream into `out` (the bytes of whole events). Dialects extend it. */
struct chat_writer {
	struct chat_out in;		/* `take` is set by whoever makes the writer to chat_format.write_event */
	struct buf *out;
	struct chat_frame frame;	/* its spans outlive the writer */
};

/* --- a whole answer --- */

struct chat_call {
	struct str id, name;
	struct str json;		/* arguments: always an object */
	struct str signature, signer;
};

enum chat_piece_kind { PIECE_TEXT, PIECE_REASONING, PIECE_REFUSAL, PIECE_CALL };

/* Neighbouring pieces of text, reasoning and refusal are joined. */
struct chat_piece {
	enum chat_piece_kind kind;
	struct chat_piece *next;
	struct str text;
	struct str signature, signer, redacted;	/* PIECE_REASONING */
	struct chat_call call;
};

struct chat_choice {
	struct chat_choice *next;
	int index;
	struct chat_piece *pieces;
	struct str annotations;		/* inside of a JSON array: values with commas between; empty: none */
	struct str logprobs;		/* json; STR_NONE: none */
	enum chat_finish finish;
	struct str native, stop_sequence;
	bool finished;
};

struct chat_answer {
	struct str id, model;
	struct chat_choice *choices;	/* by index */
	struct usage usage;
};

/* Gathers events into an answer whose memory is the arena's. At most `max` bytes; beyond: failed. */
struct chat_gather {
	struct chat_out in;
	struct arena *arena;
	struct chat_answer answer;
	size_t used, max;
	bool failed, ended;
	struct chat_gathering *state;	/* in the arena */
};

void chat_gather_init(struct chat_gather *g, struct arena *a, size_t max);
/* After the last event: the answer, or NULL when it failed or holds no choice. */
const struct chat_answer *chat_gather_end(struct chat_gather *g);

/* Says an answer as events, ending with END: so a plain answer becomes a stream. */
void chat_say(const struct chat_answer *a, struct chat_out *o);

#endif
