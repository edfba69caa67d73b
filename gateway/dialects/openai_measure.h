/*
 * openai_measure.h: the length of a request in OpenAI's formats: chat, Responses, and the classic kind.
 */
#ifndef WEIR_DIALECTS_OPENAI_MEASURE_H
#define WEIR_DIALECTS_OPENAI_MEASURE_H

#include "core/prompt.h"
#include "base/str.h"

void openai_measure(struct str body, struct prompt *out);

#endif
