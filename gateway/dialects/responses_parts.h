/*
 * responses_parts.h: OpenAI's Responses as the callers' side of chat_format.
 */
#ifndef WEIR_DIALECTS_RESPONSES_PARTS_H
#define WEIR_DIALECTS_RESPONSES_PARTS_H

#include "core/chat_format.h"

bool responses_read_request(struct str body, struct chat *c, struct chat_fault *fault);
void responses_write_answer(const struct chat_answer *a, const struct chat_frame *f, struct buf *out);
void responses_write_event(struct chat_out *writer, const struct chat_event *e);
void responses_writer_free(struct chat_writer *w);
extern const size_t responses_writer_size;

#endif
