/*
 * prompt.h: what can be told of a prompt's length and needs without a tokenizer.
 *
 * A dialect measures a request (dialect.h); core/estimate.h turns the measure into tokens.
 */
#ifndef WEIR_CORE_PROMPT_H
#define WEIR_CORE_PROMPT_H

#include <stdbool.h>
#include <stdint.h>

enum prompt_part {
	PROMPT_ONE,		/* always 1 */
	PROMPT_MESSAGES,	/* how many */
	PROMPT_TEXT,		/* units of text in them: about a token each */
	PROMPT_HAS_TOOLS,	/* 0 or 1 */
	PROMPT_TOOLS,		/* how many */
	PROMPT_TOOL_TEXT,	/* units of text that describe them */
	PROMPT_TOOL_KEYS,	/* members of their schemas */
	PROMPT_FORMAT,		/* units of an answer's schema */
	PROMPT_TOOL_CALLS,	/* in earlier turns */
	PROMPT_PARTS
};

struct prompt {
	bool measured;
	uint8_t needs;			/* enum feature: what a target must be able to do */
	uint16_t images, sounds;	/* and files: their tokens are a guess */
	float part[PROMPT_PARTS];
};

#endif
