/*
 * spelled.h: what readers and writers of chat do with text as it is spelled (core/chat.h).
 */
#ifndef WEIR_DIALECTS_SPELLED_H
#define WEIR_DIALECTS_SPELLED_H

#include "core/chat.h"
#include "core/chat_event.h"
#include "wire/json_write.h"

/*
 * `data:TYPE;base64,...` taken apart into m->type and m->data, anything else is m->url.
 * image/jpg becomes image/jpeg, parameters go. False when it begins like a data URL and is none
 * of base64.
 */
bool spelled_url(struct arena *a, struct media *m, struct str url);
/* The other way round: the value of a URL, the address or a data URL (`otherwise` where the type is unknown). */
void spelled_write_url(struct json_write *w, const struct media *m, const char *otherwise);

/*
 * Arguments as one JSON object. `spelled` is the inside of a JSON string that should hold one.
 * Nothing or blanks make {}; what is no object becomes {"_raw":"..."} with the string as spelled.
 */
struct str spelled_arguments(struct arena *a, struct str spelled);

/* How far an object came, out of its spelling inside a string that comes in pieces. No piece ends inside an escape. */
struct object_place {
	int depth;
	bool in_string, escaped, whole;
};

void spelled_follow(struct object_place *o, struct str piece);

/* Text parts of a list joined by `between` (spelled); other kinds are passed over. */
struct str spelled_text(struct arena *a, const struct part *parts, const char *between);

/*
 * Said in the middle by whoever leads the talk: where there is no such role it becomes part of the user's
 * turn, as <system>text</system>.
 */
void spelled_wrap_system(struct chat *c);

/* What a part of OpenAI's formats says of the cache: Anthropic's cache_control, which gateways carry there, or its own prompt_cache_breakpoint. */
void spelled_read_cache(struct part *p, struct str part);

/* Only blanks, however they are spelled? Some vendors refuse such text. */
bool spelled_blank(struct str spelled);

/* An id with the characters and length that Anthropic and Bedrock take: the same for the same. At most 64 bytes. */
struct str spelled_tool_id(struct arena *a, struct str id);

/* An id for call number `n` of an answer whose provider gives none. Plain, and spelled as it is. */
struct str spelled_made_id(char to[64], struct str request_id, int choice, int n);

/* Signatures where a format has no place for the signer: `signer:signature`, and back. Unsigned text stays as it is. */
struct str spelled_sign(struct arena *a, struct str signer, struct str signature);
struct str spelled_unsign(struct str spelled, struct str *signer);	/* signer empty where none is known */

/* A page that an answer rests on, given as OpenAI's annotation; `start` and `end` in the text, -1: not known. */
void spelled_cite(struct chat_out *o, int choice, struct str url, struct str title, int64_t start, int64_t end);

/* Tokens that `effort` stands for where a vendor wants a budget; 0: none. And the other way. */
int64_t effort_tokens(enum reasoning_effort e);
enum reasoning_effort effort_of_tokens(int64_t tokens);
/* OpenAI's words: none minimal low medium high xhigh max. */
enum reasoning_effort effort_of_word(struct str word);
/* The nearest word that OpenAI's model of that name knows; of others' models NULL for what only OpenAI's have. */
const char *effort_for(struct str model, enum reasoning_effort e);

/* What a caller said beside its own fields, under the names of the list (NULL at its end), as it is. */
void spelled_write_extras(struct json_write *w, const struct chat *c, const char *const *names);

/* For formats that give one answer: more are a meaning they cannot carry. */
void spelled_one_answer(const struct chat *c, struct chat_loss *l);

/* A model's name in a path, slashes kept; and as one segment of it, as signatures want it: all but RFC 3986's unreserved encoded. */
void spelled_path(struct buf *b, struct str model);
void spelled_segment(struct buf *b, struct str model);

#endif
