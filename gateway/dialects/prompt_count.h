/*
 * prompt_count.h: how many tokens a text is worth, about, by its words, digits and marks.
 */
#ifndef WEIR_DIALECTS_PROMPT_COUNT_H
#define WEIR_DIALECTS_PROMPT_COUNT_H

#include "base/str.h"

/* Of a JSON string's inside, still escaped; every byte is looked at. */
float prompt_count(struct str spelled);

#endif
