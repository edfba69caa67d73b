/*
 * openai_chat_parts.h: chat completions as a row of chat_format: the request's side and the answer's.
 */
#ifndef WEIR_DIALECTS_OPENAI_CHAT_PARTS_H
#define WEIR_DIALECTS_OPENAI_CHAT_PARTS_H

#include "core/chat_format.h"
#include "wire/json_write.h"

bool openai_chat_read_request(struct str body, struct chat *c, struct chat_fault *fault);
bool openai_chat_write_request(struct chat *c, const struct chat_target *t, struct buf *out, struct chat_loss *loss);

bool openai_chat_reads_address(enum part_kind kind, struct str url);
bool openai_chat_read_answer(struct str body, const struct chat_reader *r);
void openai_chat_read_event(struct chat_reader *r, struct str name, struct str data);
void openai_chat_reader_free(struct chat_reader *r);
void openai_chat_write_answer(const struct chat_answer *a, const struct chat_frame *f, struct buf *out);
void openai_chat_write_event(struct chat_out *writer, const struct chat_event *e);
void openai_chat_writer_free(struct chat_writer *w);
extern const size_t openai_chat_reader_size, openai_chat_writer_size;

/* Completions of text: read like chat. */
extern const struct chat_format openai_completions;

/* What both say in the same words. */
const char *openai_finish_word(enum chat_finish f);
void openai_write_usage(struct json_write *w, const struct usage *u);
void openai_write_names(struct json_write *w, struct str id, struct str model, const struct chat_frame *f, const char *object);
/* A plain answer, whose choices `write` writes. */
void openai_write_whole(const struct chat_answer *a, const struct chat_frame *f, const char *object,
			void (*write)(struct json_write *, const struct chat_choice *), struct buf *out);
/* The text of all pieces of a kind; where there is none, `otherwise` (JSON; NULL: no member). */
void openai_write_joined(struct json_write *w, const struct chat_choice *c, enum chat_piece_kind kind, const char *key, const char *otherwise);

/* Fields about OpenAI's own cache of prompts, CACHE_WORDS of them and a NULL: the same in chat completions and Responses. */
enum { CACHE_WORDS = 3 };
extern const char *const chat_cache_words[CACHE_WORDS + 1];

#endif
