/*
 * calculate.h: what needs no model because it can be worked out: calculations, and measures in other units.
 */
#ifndef RULES_CALCULATE_H
#define RULES_CALCULATE_H

#include <stdbool.h>

#include "weir_plugin.h"

enum { NUMBER_MAX = 48 };

struct worked {
	char result[NUMBER_MAX];
	struct weir_text asked;		/* "12*(3+4)", "10 miles": a span of the text; p NULL: nothing was worked out */
	const char *unit;		/* of the result; "" where it has none */
};

/* False: the text is no calculation, or one without an answer (1/0, too large). */
bool calculate(struct weir_text text, struct worked *out);
/* False: the text does not ask for a conversion between two units of one kind. */
bool convert(struct weir_text text, struct worked *out);

/* --- shared by the two --- */

/* Decimal, without an exponent, so many digits that count. False: too large or too small for that. */
bool number_spell(long double v, int digits, char out[NUMBER_MAX]);
/* Passes over the words if the text begins with them and goes on. */
bool take_words(struct weir_text *t, const char *words);
void take_courtesies(struct weir_text *t);
void drop_end(struct weir_text *t);

#endif
