/*
 * estimate.h: tokens of a prompt, learned per model from what vendors report.
 *
 * A ridge regression over the parts of a prompt: it begins with what holds for most
 * tokenizers and moves to a model's own with each answer that reports its usage. Errors
 * count relative to the length, so short prompts teach as much as long ones. One row
 * serves all workers: learning takes a lock it never waits for, reading takes none.
 */
#ifndef WEIR_CORE_ESTIMATE_H
#define WEIR_CORE_ESTIMATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/prompt.h"

enum { ESTIMATE_SURE = 20 };	/* answers after which an estimate is a good one */

struct estimator {
	_Atomic double weight[PROMPT_PARTS];	/* tokens for each unit of a part; valid when n > 0 */
	_Atomic uint32_t n;			/* answers learned from */
	atomic_flag busy;
	double a[PROMPT_PARTS][PROMPT_PARTS];	/* decayed sums; of whoever holds `busy` */
	double b[PROMPT_PARTS];
};

/* At least 1. Images and sounds are counted at a flat rate. `e` may be NULL: as most models would. */
int64_t estimate_input(const struct estimator *e, const struct prompt *p);

/* The vendor counted `tokens`. Prompts with images, sounds or files teach nothing. */
void estimate_learn(struct estimator *e, const struct prompt *p, int64_t tokens);

/* For keeping it over a restart: the sums, row by row, then b. False when `n` numbers are no such thing. */
enum { ESTIMATE_NUMBERS = PROMPT_PARTS * PROMPT_PARTS + PROMPT_PARTS };
void estimate_save(struct estimator *e, double out[ESTIMATE_NUMBERS]);
bool estimate_restore(struct estimator *e, const double in[ESTIMATE_NUMBERS], uint32_t n);

#endif
