/*
 * messages_chat.h: a caller of Anthropic's Messages, answered by a target that speaks OpenAI's chat.
 */
#ifndef WEIR_DIALECTS_MESSAGES_CHAT_H
#define WEIR_DIALECTS_MESSAGES_CHAT_H

#include "core/translation.h"

bool messages_to_chat(struct str body, const struct translation_request *r, struct arena *a, struct buf *out,
		      struct translation_loss *loss);
bool chat_to_message(struct str body, struct buf *out);
void chat_to_messages(struct translation_stream *s, struct str data, struct buf *out);
void chat_to_messages_end(struct translation_stream *s, struct buf *out);

#endif
