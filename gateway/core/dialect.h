/*
 * dialect.h: one wire format. Pure: no sockets, no clocks, no globals.
 *
 * Callers' side: how errors look. Providers' side: what an answer, an event or an error
 * of theirs means. Where caller and provider speak the same dialect the bytes are relayed
 * and only read here, never rebuilt.
 */
#ifndef WEIR_CORE_DIALECT_H
#define WEIR_CORE_DIALECT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "core/error.h"
#include "core/prompt.h"
#include "core/sink.h"
#include "core/usage.h"

struct call;
struct chat_format;
struct vector_format;

/* What one event of a stream says. Filled by read_event(). */
struct event_view {
	bool want_content;	/* in: the caller of read_event() needs to know about content; false saves the look */
	bool content;		/* text, tool call, reasoning, refusal: something a caller sees */
	bool text_only;		/* its content is plain text of choice 0 and nothing else */
	bool finish;		/* a finish reason, or the dialect's own last event but [DONE] */
	bool done;		/* [DONE] */
	bool usage_only;	/* nothing but usage: withheld when only weir asked for it */
	bool has_usage;		/* `usage` is filled */
	bool error;		/* the provider reports an error inside the stream; with finish it ends it properly */
	struct usage usage;
	struct str text;	/* text_only: the JSON string's bytes between its quotes, as spelled */
};

/* What a provider's error means. */
struct provider_error {
	enum error_kind kind;
	struct str message;	/* theirs, a span of the body still escaped as JSON; empty when none was found */
	struct str code;
	bool native;		/* the body has this dialect's own shape and may be relayed as it is */
	int64_t retry_after_us;	/* when to come again, where the body says it; 0: it does not */
};

struct dialect {
	const char *name;
	const char *key_header;	/* where its providers want a key that is given without a preset; NULL: as a bearer */
	struct str done;	/* the bytes that end a stream, empty where the last event says it */
	bool failure_ends;	/* a proper last event may tell a failure in the provider's own words: it is relayed */

	/* A whole JSON error body, or one event for a stream already begun. */
	void (*write_error)(struct buf *out, const struct error *e, struct str request_id);
	void (*write_error_event)(struct buf *out, const struct error *e, struct str request_id);

	void (*read_event)(struct str name, struct str data, unsigned quirks, struct event_view *out);
	/* Usage of a plain answer (or of its last 64 KiB); false when there is none. */
	bool (*read_usage)(struct str body, unsigned quirks, struct usage *out);
	void (*read_error)(int status, struct str body, struct provider_error *out);
	/* A request's length in parts, and what it needs of a target. `body` is valid JSON. */
	void (*measure)(struct str body, struct prompt *out);
	/* What the caller asked for and the provider did not do (base64 vectors): true when `out` replaces the body. May be NULL. */
	bool (*convert_answer)(const struct call *call, struct str body, struct buf *out);
	/* Where the model stands in the path: `path` as the provider should see it, for `model`. NULL: it stands in the body. */
	void (*relay_path)(struct str path, struct str model, struct buf *out);
	const char *key_query;	/* callers may give their key in the query by this name; NULL: never */
	/* How it says chat, for those who speak another dialect; NULL: only relayed. */
	const struct chat_format *chat;
	/* How an answer to /v1/completions is read and said; NULL where there is no such. Nobody is asked for one in other words. */
	const struct chat_format *completions;
	/* The same for embeddings and rerankings (core/vectors.h). */
	const struct vector_format *vectors;
};

/* By the configuration's word; NULL when unknown. */
const struct dialect *dialect_find(struct str name);

#endif
