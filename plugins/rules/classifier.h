/*
 * classifier.h: which of a few classes a text belongs to, and how surely: logistic regression over hashed words and runs of
 * letters. Made by `weir rules train`, kept as a text file (README.md describes it), read only once it is loaded.
 *
 * A guess takes no memory and no more time than FEATURES_TEXT_MAX bytes need. It is the same on every machine: sums are of
 * whole numbers.
 */
#ifndef RULES_CLASSIFIER_H
#define RULES_CLASSIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir_plugin.h"

enum {
	CLASSES_MAX = 64, CLASS_NAME_MAX = 64, CLASSIFIER_VERSION = 1, CLASSIFIER_WEIGHT_MAX = 127,
	CLASSIFIER_BITS_MIN = 8, CLASSIFIER_BITS_MAX = 18,	/* of the number of buckets */
	CLASSIFIER_FILE_MAX = 16 * 1024 * 1024,
};

struct classifier;

struct classifier_mistake {
	unsigned line;
	const char *what;	/* constant text */
};

/* NULL with the mistake told. Nothing of the text is kept. */
struct classifier *classifier_read(struct weir_text text, struct classifier_mistake *mistake);
void classifier_free(struct classifier *c);

unsigned classifier_classes(const struct classifier *c);
/* With a NUL behind. */
struct weir_text classifier_name(const struct classifier *c, unsigned class);
/* -1: it has no class of this name. */
int classifier_find(const struct classifier *c, struct weir_text name);

struct guess {
	unsigned class;
	double sureness;	/* its probability, 0 to 1 */
};

/* False: there is no word in the text. */
bool classifier_guess(const struct classifier *c, struct weir_text text, struct guess *out);

#endif
