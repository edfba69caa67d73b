/*
 * openai_usage.h: tokens as OpenAI's formats, and those who copy them, report them.
 */
#ifndef WEIR_DIALECTS_OPENAI_USAGE_H
#define WEIR_DIALECTS_OPENAI_USAGE_H

#include "core/usage.h"
#include "base/str.h"

/* No answer has more; what claims so is not counted, and no sum runs over. */
#define USAGE_TOKENS_MAX (INT64_C(1) << 40)

/* The tokens that a member tells; 0 where it is absent or null, and where it is nonsense: negative, huge, a text, a fraction. */
struct json_fields;
int64_t usage_count(struct json_fields *of, const char *key, bool *nonsense);

/* `object` is the value of "usage". False when it holds no count. */
bool openai_usage(struct str object, unsigned quirks, struct usage *out);

/* The service tier that a body or an event says; untouched where it says none. */
void openai_service(struct str body, struct usage *u);

/* The last value of a member `usage` that is an object, wherever it stands. */
struct str openai_last_usage(struct str body);

/* The last "usage" object of a body or of its tail; also Groq's x_groq. */
bool openai_find_usage(struct str body, unsigned quirks, struct usage *out);

#endif
