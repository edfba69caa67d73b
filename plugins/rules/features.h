/*
 * features.h: what of a text a classifier looks at: its words, pairs of words that follow each other, and runs of three and
 * four letters inside of words, each as the number of a bucket. All digits are one. What is longer than FEATURES_TEXT_MAX
 * bytes is looked at from both ends.
 */
#ifndef RULES_FEATURES_H
#define RULES_FEATURES_H

#include <stdint.h>

#include "weir_plugin.h"

enum {
	FEATURES_HEAD = 3072, FEATURES_TAIL = 1024, FEATURES_TEXT_MAX = FEATURES_HEAD + FEATURES_TAIL,
	FEATURES_MAX = 2 * FEATURES_TEXT_MAX + 8,	/* at most two a byte */
};

/* How many there are; each below 1 << bits. They stand in the order of the text, as often as they come. */
unsigned features_of(struct weir_text text, unsigned bits, uint32_t out[FEATURES_MAX]);

#endif
