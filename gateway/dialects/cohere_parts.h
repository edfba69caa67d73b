/*
 * cohere_parts.h: Cohere's v2 chat as the providers' side of chat_format.
 */
#ifndef WEIR_DIALECTS_COHERE_PARTS_H
#define WEIR_DIALECTS_COHERE_PARTS_H

#include "core/chat_format.h"

bool cohere_write_request(struct chat *c, const struct chat_target *t, struct buf *out, struct chat_loss *loss);
void cohere_write_path(const struct chat_target *t, bool stream, struct buf *out);
bool cohere_read_answer(struct str body, const struct chat_reader *r);
void cohere_read_event(struct chat_reader *r, struct str name, struct str data);
extern const size_t cohere_reader_size;

/* Tokens of a `usage` object, or of billed units where there is none. False when they hold none. */
bool cohere_usage(struct str usage, struct str billed, struct usage *out);

#endif
