/*
 * call.h: a request once its body was read: what routing and forwarding need to know.
 * Lives in the transaction's arena.
 */
#ifndef WEIR_CORE_CALL_H
#define WEIR_CORE_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "core/prompt.h"

struct json_scan;
struct shared_bytes;
struct upload;

/* A change to the body's bytes: at `at`, `remove` bytes make way for `insert`. Nothing to do when both are 0. */
struct call_edit {
	size_t at, remove;
	struct str insert;
};

struct call {
	struct str model;		/* as asked, unescaped; empty where the body names none */
	struct str body;		/* whole; empty for uploads */
	struct str whole;		/* as it was before the cache took out of it what it knows; empty: it did not */
	struct shared_bytes *shared;	/* that it stands in, and the arena holds; NULL: it is in the arena itself */
	struct str cache_object;	/* LiteLLM's `cache`, which was taken out of it; empty: there was none */
	struct str content_type;
	struct str path;		/* below /v1, as the provider should see it: "/chat/completions" */
	const struct json_scan *json;	/* index of the body's members; NULL when it is not JSON */
	size_t model_at, model_length;	/* the model's value in the body, quotes included; length 0: none */
	struct call_edit ask_usage;	/* makes a stream report its usage; empty when it does anyway */
	struct call_edit max_tokens;	/* renames max_completion_tokens for providers that do not know it */
	struct call_edit resume;	/* the assistant's turn so far, when an answer is continued */
	size_t messages_end;		/* offset of the `]` that ends messages; 0: none */
	bool changed;			/* a plugin did: the index and what was read of it are of the body before */
	bool stream;
	bool usage_asked;		/* stream_options.include_usage was the caller's own wish */
	bool base64;			/* embeddings: the caller wants base64 */
	bool several;			/* answers are wanted; each has an end of its own */
	bool resumable;			/* one choice, no tools forced, text: a cut stream may be continued */
	bool upload;			/* the body is passed on as it arrives */
	struct upload *upload_state;	/* of upstream/upload.c */
	struct prompt prompt;		/* measured when first wanted: txn_prompt() */
	uint8_t service;		/* enum service_tier that was asked for */
	int64_t max_output;		/* tokens the caller allows; 0: not said */
	struct str user;		/* the body's end user, where the key asks; empty: not said */
	struct str session;		/* what ties it to earlier requests; empty: nothing */
	int64_t timeout_us;		/* lowered by the caller's headers; 0: not */
};

#endif
