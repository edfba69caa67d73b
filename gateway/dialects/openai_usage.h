/*
 * openai_usage.h: tokens as OpenAI's formats, and those who copy them, report them.
 */
#ifndef WEIR_DIALECTS_OPENAI_USAGE_H
#define WEIR_DIALECTS_OPENAI_USAGE_H

#include "core/usage.h"
#include "base/str.h"

/* `object` is the value of "usage". False when it holds no count. */
bool openai_usage(struct str object, unsigned quirks, struct usage *out);

/* The service tier that a body or an event says; untouched where it says none. */
void openai_service(struct str body, struct usage *u);

/* The last value of a member `usage` that is an object, wherever it stands. */
struct str openai_last_usage(struct str body);

/* The last "usage" object of a body or of its tail; also Groq's x_groq. */
bool openai_find_usage(struct str body, unsigned quirks, struct usage *out);

#endif
