/*
 * samples.h: a table of labels and texts, read for training: what is learned from, and what is held out to judge by.
 *
 * Rows are sorted by their class and then by a hash of their words, so the order of the file does not matter, and texts of
 * the same words and class come once. A share of each class is held out.
 */
#ifndef RULES_SAMPLES_H
#define RULES_SAMPLES_H

#include "rules/classifier.h"
#include "rules/fit.h"

enum { SAMPLES_PER_CLASS_MIN = 5 };

struct sample {
	struct weir_text text;
	uint64_t words;		/* hash of them */
	unsigned class;
	bool held;
};

struct samples {
	struct weir_text names[CLASSES_MAX];
	unsigned classes;
	struct sample *rows;
	size_t n, room, doubles;	/* doubles: left out */
	char *folded;			/* what quoted fields were unfolded into */
	struct lesson *lessons;	/* of the rows that are not held out */
	size_t n_lessons;
};

/* The file has the columns `label` and `text`. False after telling what is wrong. */
bool samples_read(struct samples *s, const struct weir_host *weir, struct weir_setup *setup, const char *file, double held_out);
/* Fills `lessons`. */
bool samples_prepare(struct samples *s, unsigned bits);
void samples_free(struct samples *s);

#endif
