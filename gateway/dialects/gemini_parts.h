/*
 * gemini_parts.h: Gemini's generateContent as the providers' side of chat_format.
 */
#ifndef WEIR_DIALECTS_GEMINI_PARTS_H
#define WEIR_DIALECTS_GEMINI_PARTS_H

#include "core/chat_format.h"

bool gemini_write_request(struct chat *c, const struct chat_target *t, struct buf *out, struct chat_loss *loss);
void gemini_write_path(const struct chat_target *t, bool stream, struct buf *out);
bool gemini_read_answer(struct str body, const struct chat_reader *r);
void gemini_read_event(struct chat_reader *r, struct str name, struct str data);
extern const size_t gemini_reader_size;

/* Tokens of a usageMetadata object; false when it holds none. */
bool gemini_usage(struct str object, struct usage *out);

#endif
