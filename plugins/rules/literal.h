/*
 * literal.h: most patterns need not be tried: a text that they match holds some letters in a row, and it does not.
 *
 * A text's groups of three letters are kept as bits, made in one pass; a pattern whose groups are not all there cannot match.
 */
#ifndef RULES_LITERAL_H
#define RULES_LITERAL_H

#include <stdbool.h>
#include <stdint.h>

#include "weir_plugin.h"

enum { LITERAL_GRAMS = 8, GRAM_BITS = 16 };

/* n 0: nothing is known, the pattern has to be tried. */
struct literal {
	uint16_t grams[LITERAL_GRAMS];
	unsigned n;
};

struct grams {
	struct weir_text of;	/* p NULL: not made yet */
	bool all;		/* it has letters that are the same as others without regard to case in ways not known here */
	uint64_t bits[(1 << GRAM_BITS) / 64];
};

/* What a caseless PCRE2 pattern, known to be right, cannot do without. */
struct literal literal_of(struct weir_text pattern);
void grams_make(struct grams *g, struct weir_text text);
void grams_add(struct grams *g, struct weir_text text);	/* those of a further text, to what is zeroed at first */
bool grams_may_hold(const struct grams *g, const struct literal *l);

#endif
