/*
 * openai_chat_parts.h: chat completions as a row of chat_format: the request's side and the answer's.
 */
#ifndef WEIR_DIALECTS_OPENAI_CHAT_PARTS_H
#define WEIR_DIALECTS_OPENAI_CHAT_PARTS_H

#include "core/chat_format.h"

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

/* Fields about OpenAI's own cache of prompts, CACHE_WORDS of them and a NULL: the same in chat completions and Responses. */
enum { CACHE_WORDS = 3 };
extern const char *const chat_cache_words[CACHE_WORDS + 1];

#endif
