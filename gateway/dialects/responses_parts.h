/*
 * responses_parts.h: OpenAI's Responses as both sides of chat_format.
 */
#ifndef WEIR_DIALECTS_RESPONSES_PARTS_H
#define WEIR_DIALECTS_RESPONSES_PARTS_H

#include "core/chat_format.h"

bool responses_read_request(struct str body, struct chat *c, struct chat_fault *fault);
void responses_write_answer(const struct chat_answer *a, const struct chat_frame *f, struct buf *out);
void responses_write_event(struct chat_out *writer, const struct chat_event *e);
void responses_writer_free(struct chat_writer *w);
extern const size_t responses_writer_size;

bool responses_write_request(struct chat *c, const struct chat_target *t, struct buf *out, struct chat_loss *loss);
void responses_write_path(const struct chat_target *t, bool stream, struct buf *out);
bool responses_read_answer(struct str body, const struct chat_reader *r);
void responses_read_event(struct chat_reader *r, struct str name, struct str data);
extern const size_t responses_reader_size;

#endif
