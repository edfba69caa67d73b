/*
 * anthropic_parts.h: Messages as a row of chat_format: the request's side and the answer's.
 */
#ifndef WEIR_DIALECTS_ANTHROPIC_PARTS_H
#define WEIR_DIALECTS_ANTHROPIC_PARTS_H

#include "core/chat_format.h"

bool anthropic_read_request(struct str body, struct chat *c, struct chat_fault *fault);
bool anthropic_write_request(struct chat *c, const struct chat_target *t, struct buf *out, struct chat_loss *loss);

bool anthropic_read_answer(struct str body, const struct chat_reader *r);
void anthropic_read_event(struct chat_reader *r, struct str name, struct str data);
void anthropic_write_answer(const struct chat_answer *a, const struct chat_frame *f, struct buf *out);
void anthropic_write_event(struct chat_out *writer, const struct chat_event *e);
void anthropic_writer_free(struct chat_writer *w);
extern const size_t anthropic_reader_size, anthropic_writer_size;

/* Tokens of a usage object; adds to what is there. */
bool anthropic_usage(struct str object, struct usage *out);

#endif
