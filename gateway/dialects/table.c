/*
 * table.c: the dialects by name.
 */
#include "core/dialect.h"

extern const struct dialect openai_chat_dialect, openai_responses_dialect, anthropic_messages_dialect, gemini_dialect, bedrock_dialect, cohere_dialect;

static const struct dialect *const dialects[] = { &openai_chat_dialect, &openai_responses_dialect, &anthropic_messages_dialect,
						 &gemini_dialect, &bedrock_dialect, &cohere_dialect };

const struct dialect *dialect_find(struct str name)
{
	for (size_t i = 0; i < array_len(dialects); i++)
		if (str_eq(str_c(dialects[i]->name), name))
			return dialects[i];
	return NULL;
}
