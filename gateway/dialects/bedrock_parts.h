/*
 * bedrock_parts.h: Bedrock's Converse as the providers' side of chat_format.
 */
#ifndef WEIR_DIALECTS_BEDROCK_PARTS_H
#define WEIR_DIALECTS_BEDROCK_PARTS_H

#include "core/chat_format.h"

bool bedrock_write_request(struct chat *c, const struct chat_target *t, struct buf *out, struct chat_loss *loss);
void bedrock_write_path(const struct chat_target *t, bool stream, struct buf *out);
bool bedrock_read_answer(struct str body, const struct chat_reader *r);
void bedrock_read_event(struct chat_reader *r, struct str name, struct str data);
extern const size_t bedrock_reader_size;

/* Tokens of a usage object; what was cached is not part of its input. False when it holds none. */
bool bedrock_usage(struct str object, struct usage *out);

#endif
