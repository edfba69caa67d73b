/*
 * gemini_partial.h: arguments of a call that come value by value, each with its path, as the text of one JSON object.
 *
 * {"jsonPath": "$.recipe.steps[0]", "stringValue": "Preheat", "willContinue": true} and its like, which callers get who asked for
 * streamFunctionCallArguments (python-genai's types, read 2026-08). Values come in the order of the text; what stands between two
 * paths is closed and opened.
 */
#ifndef WEIR_DIALECTS_GEMINI_PARTIAL_H
#define WEIR_DIALECTS_GEMINI_PARTIAL_H

#include "base/buf.h"
#include "base/str.h"

enum { PARTIAL_PATH_MOST = 512, PARTIAL_DEPTH_MOST = 32 };

struct gemini_partial {
	char path[PARTIAL_PATH_MOST];	/* of the last value, as it was spelled */
	size_t n;			/* 0: there was none */
	bool in_string;			/* its text may go on */
};

/* The JSON that follows, of one element of partialArgs. What makes no sense is passed over. */
void gemini_partial_add(struct gemini_partial *p, struct str element, struct buf *out);
/* And what is left to close; a call without any value is {}. Ready for the next call. */
void gemini_partial_end(struct gemini_partial *p, struct buf *out);

#endif
