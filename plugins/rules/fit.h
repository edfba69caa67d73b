/*
 * fit.h: weights out of lessons: multinomial logistic regression by stochastic gradient descent, its sureness set
 * right on lessons it did not see (temperature scaling). The same lessons in the same order give the same weights.
 */
#ifndef RULES_FIT_H
#define RULES_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lesson {
	const uint32_t *features;
	unsigned n, class;
};

struct fit {
	unsigned bits, classes;
	float *weights;		/* [bucket][class] */
	float *bias;		/* [class] */
};

/* False: no memory. */
bool fit_open(struct fit *f, unsigned bits, unsigned classes);
void fit_close(struct fit *f);

/* Features that only one lesson has are left out. False: no memory. */
bool fit_learn(struct fit *f, const struct lesson *lessons, size_t n);

#endif
