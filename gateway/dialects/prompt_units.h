/*
 * prompt_units.h: text as tokenizers cut it, about: words, digits, punctuation, letters of other scripts.
 */
#ifndef WEIR_DIALECTS_PROMPT_UNITS_H
#define WEIR_DIALECTS_PROMPT_UNITS_H

#include "wire/json_cursor.h"

/* Units of a JSON string's inside, still escaped. Of long texts samples are read, so the time is bounded. */
float prompt_units(struct str spelled);

struct prompt_text {
	float units;		/* of all strings */
	unsigned keys;
	unsigned images, sounds;	/* parts that are no text */
};

/*
 * All strings of a JSON value, to a depth of 24: but for identifiers and the like, which no
 * model reads as text. Images, sounds and files are counted, not read.
 */
void prompt_text_add(struct str value, struct prompt_text *out);

/* Of the member or element before which the cursor stands (json_cursor_step); the cursor moves behind it. */
void prompt_text_member(struct json_cursor *c, struct prompt_text *out);

#endif
