/*
 * judge.h: how good a classifier is, by what was held out when it was trained.
 */
#ifndef RULES_JUDGE_H
#define RULES_JUDGE_H

#include <stdio.h>

#include "rules/samples.h"

/* How many were right among those answered, how many were answered at all, and what was taken for what. */
void judge_print(const struct classifier *c, const struct samples *s, FILE *out);

#endif
