/*
 * chat.h: a conversation and what is asked of the model, in nobody's words.
 *
 * A dialect reads a caller's request into these nouns, another writes a target's request out of
 * them. They serve translation only: where both sides speak the same dialect, bytes are relayed.
 *
 * Text is spelled: what stands between the quotes of a JSON string, escapes and all. So lone
 * surrogates and \u0000 cross as they came. Members named `json` hold one JSON value as it was
 * written, and numbers are such values: 0.7 stays 0.7. All spans point into the request's bytes,
 * constant text or the arena of the reader, and live as long as these. STR_NONE: not said.
 */
#ifndef WEIR_CORE_CHAT_H
#define WEIR_CORE_CHAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

enum chat_role { CHAT_SYSTEM, CHAT_USER, CHAT_ASSISTANT };

enum part_kind {
	PART_TEXT,
	PART_IMAGE,
	PART_AUDIO,
	PART_FILE,		/* documents, videos */
	PART_TOOL_CALL,		/* of an assistant */
	PART_TOOL_RESULT,	/* of a user: whoever ran the tool */
	PART_REASONING,		/* of an assistant */
	PART_REFUSAL		/* of an assistant */
};

/* By value, by address, or by a name that one vendor knows: the first that is said. */
struct media {
	struct str type;	/* MIME, plain and in lower case: "image/png"; empty: unknown */
	struct str data;	/* base64 */
	struct str text;	/* a file of plain text, spelled */
	struct str url;		/* spelled */
	struct str id;		/* of a file kept at a vendor, spelled */
	struct str name;	/* the file's, spelled */
	struct str detail;	/* of an image: low, high, auto */
	bool citations;		/* of a document: the answer is to say what it took from it */
};

/*
 * Whose proof a signature is: only that vendor is given it back. The words are those that
 * OpenRouter's reasoning_details use for `format`.
 */
#define SIGNED_ANTHROPIC "anthropic-claude-v1"
#define SIGNED_GOOGLE "google-gemini-v1"
#define SIGNED_OPENAI "openai-responses-v1"

struct part {
	enum part_kind kind;
	struct part *next;
	struct str text;	/* TEXT, REASONING, REFUSAL: spelled */
	struct media *media;	/* IMAGE, AUDIO, FILE */
	struct str id;		/* TOOL_CALL, TOOL_RESULT: the call's, spelled. REASONING: the item's */
	struct str name;	/* TOOL_CALL, TOOL_RESULT: the tool's, spelled; chat_name_results() fills a result's */
	struct str json;	/* TOOL_CALL: its arguments, always an object */
	struct part *content;	/* TOOL_RESULT: text and media */
	bool failed;		/* TOOL_RESULT: it tells of an error */
	struct str signature;	/* REASONING, TOOL_CALL, TEXT: the vendor's proof, spelled */
	struct str signer;	/* SIGNED_...; empty: not said */
	struct str redacted;	/* REASONING: what only the vendor can read, instead of text; spelled */
	struct str cache;	/* json: a hint that the prompt may be kept up to here, in Anthropic's shape */
	struct str breakpoint;	/* json: the same hint as OpenAI says it, where it came so */
	struct part *last;	/* of content, while it is built */
};

struct message {
	enum chat_role role;
	struct message *next;
	struct part *parts;	/* in order; NULL: nothing was said */
	struct str name;	/* who of several speaks, spelled */
	struct part *last;	/* while it is built */
};

struct tool {
	struct tool *next;
	struct str name, description;	/* spelled */
	struct str json;		/* JSON Schema of its arguments; STR_NONE: none are taken */
	int strict;			/* -1 not said, 0, 1 */
	struct str cache;
};

enum tool_choice { TOOLS_UNSAID, TOOLS_AUTO, TOOLS_NONE, TOOLS_REQUIRED, TOOLS_NAMED };
enum answer_format { FORMAT_UNSAID, FORMAT_TEXT, FORMAT_JSON, FORMAT_SCHEMA };
enum reasoning_effort { EFFORT_UNSAID, EFFORT_NONE, EFFORT_MINIMAL, EFFORT_LOW, EFFORT_MEDIUM, EFFORT_HIGH, EFFORT_MOST };

/* A field without a noun here. */
struct chat_extra {
	struct chat_extra *next;
	const char *field;	/* constant text, as the caller's dialect names it */
	struct str unknown;	/* instead of `field`, where the dialect does not know it either: plain text in the arena */
	bool meaning;		/* the answer would be another one without it; otherwise a hint */
	struct str json;
};

struct chat {
	struct arena *arena;		/* lent by the reader's caller */
	struct message *messages;	/* system ones where they stood */
	struct tool *tools;
	struct str freeform;		/* names of tools whose one argument is the whole input, each with a line's end; spelled */
	enum tool_choice choice;
	struct str choice_name;		/* TOOLS_NAMED, spelled */
	int parallel;			/* tool calls: -1 not said, 0, 1 */

	struct str max_tokens, temperature, top_p, top_k, n, seed, presence_penalty, frequency_penalty;	/* json */
	struct str stop;		/* json: an array of strings */
	struct str logprobs, top_logprobs;	/* json */

	enum answer_format format;
	struct str schema, schema_name, schema_description;	/* json, spelled, spelled */
	int schema_strict;		/* -1 not said, 0, 1 */

	enum reasoning_effort effort;
	struct str reasoning_tokens;	/* json: a budget */
	bool reasoning_shown;		/* the caller wants to see it, as far as the target shows it */
	const char *reasoning_field;	/* how the caller's dialect names the wish; NULL: nothing was wished */

	struct str user;		/* who asks, spelled */
	struct str service_tier;	/* OpenAI's words: auto default flex priority */
	struct str metadata;		/* json: an object of strings */
	struct str verbosity;		/* low medium high */
	bool stream;
	bool stream_usage;		/* the caller wants usage in the stream */
	struct chat_extra *extras;

	struct message *last_message;	/* while it is built */
	struct tool *last_tool;
	struct chat_extra *last_extra;
};

/* What the request is written for. */
struct chat_target {
	struct str model;		/* the vendor's name for it, plain text */
	unsigned quirks;		/* enum quirk */
	bool completion_tokens;		/* OpenAI's newer name for the limit is understood */
	int64_t max_output;		/* tokens, where the table knows it; 0: unknown */
	bool reasons;			/* the table knows that the model does */
	bool vertex;			/* Gemini by way of Google's cloud */
};

/* --- what could not be carried --- */

enum on_unsupported { UNSUPPORTED_AUTO, UNSUPPORTED_DROP, UNSUPPORTED_REFUSE };

struct chat_loss {
	enum on_unsupported policy;
	struct arena *arena;
	struct str dropped;		/* names, comma separated; empty: none */
	struct str refused;		/* the first field that stands in the way; empty: nothing */
	const char *why;		/* of `refused`: constant text */
};

/*
 * The field cannot be carried as it was said. `why` as in "has no image input"; a hint is
 * dropped and a meaning refused, unless the policy says otherwise. True: go on without it.
 */
bool chat_drop_hint(struct chat_loss *l, const char *field);
bool chat_drop_meaning(struct chat_loss *l, const char *field, const char *why);
struct chat_hint {
	const char *field;
	bool said;
};
/* Those of them that were said. */
void chat_drop_hints(const struct chat_hint *hints, size_t n, struct chat_loss *l);
/* What a format has no place for wherever it stands: hints of what may be cached, names of speakers, wishes for citations. */
void chat_drop_cache(const struct chat *c, bool breakpoints, struct chat_loss *l);	/* but those that OpenAI's format carries, if it is that */
void chat_drop_names(const struct chat *c, struct chat_loss *l);
void chat_drop_citations(const struct chat *c, struct chat_loss *l);
/* The value of an extra of that name; STR_NONE: there is none. */
struct str chat_extra(const struct chat *c, const char *field);
/* All extras, but those whose names are in `carried` (NULL at its end; may be NULL). */
void chat_drop_extras(const struct chat *c, struct chat_loss *l, const char *const *carried);

/* --- building, for readers --- */

struct message *chat_add_message(struct chat *c, enum chat_role role);
struct part *chat_add_part(struct chat *c, struct message *m, enum part_kind kind);
struct part *chat_add_content(struct chat *c, struct part *result, enum part_kind kind);
struct media *chat_add_media(struct chat *c, struct part *p);
struct tool *chat_add_tool(struct chat *c);
void chat_add_extra(struct chat *c, const char *field, bool meaning, struct str json);
void chat_add_unknown(struct chat *c, struct str name, bool meaning, struct str json);	/* the name: plain text in the arena, or constant */

/* --- putting in order, for writers --- */

/* Neighbours of one role become one message; empty messages go. System messages stay apart. */
void chat_join_turns(struct chat *c);
/* Gives each result the name of the call it answers. */
void chat_name_results(struct chat *c);
/* Leading system messages, taken off the list: the first of them, or NULL. */
struct message *chat_take_system(struct chat *c);

#endif
