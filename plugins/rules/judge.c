/*
 * judge.c: a table of thresholds, and the pairs of classes that are mixed up most.
 */
#include "rules/judge.h"

#include <stdlib.h>

enum { PAIRS_SHOWN = 5 };

static const double thresholds[] = { 0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98 };

static void print_threshold(const struct samples *s, const struct guess *guesses, double least, FILE *out)
{
	size_t asked = 0, answered = 0, right = 0;
	for (size_t i = 0; i < s->n; i++) {
		if (!s->rows[i].held)
			continue;
		asked++;
		answered += guesses[i].sureness >= least;
		right += guesses[i].sureness >= least && guesses[i].class == s->rows[i].class;
	}
	fprintf(out, "  %.2f  %5.1f %% (%zu)  ", least, 100 * (double)answered / (double)asked, answered);
	if (answered)
		fprintf(out, "%5.1f %% (%zu)\n", 100 * (double)right / (double)answered, right);
	else
		fprintf(out, "-\n");
}

struct pair {
	unsigned is, said, n;
};

static int by_count(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	return x->is != y->is ? (x->is < y->is ? -1 : 1) : (x->said > y->said) - (x->said < y->said);
}

static void print_pairs(const struct samples *s, const struct guess *guesses, FILE *out)
{
	struct pair pairs[CLASSES_MAX * CLASSES_MAX];
	unsigned n = s->classes * s->classes;
	for (unsigned i = 0; i < n; i++)
		pairs[i] = (struct pair){ i / s->classes, i % s->classes, 0 };
	for (size_t i = 0; i < s->n; i++)
		if (s->rows[i].held && guesses[i].class != s->rows[i].class)
			pairs[s->rows[i].class * s->classes + guesses[i].class].n++;
	qsort(pairs, n, sizeof(*pairs), by_count);
	if (pairs[0].n)
		fprintf(out, "taken for another most often:\n");
	for (unsigned i = 0; i < n && i < PAIRS_SHOWN && pairs[i].n; i++)
		fprintf(out, "  %.*s for %.*s: %u\n", (int)s->names[pairs[i].is].n, s->names[pairs[i].is].p, (int)s->names[pairs[i].said].n,
			s->names[pairs[i].said].p, pairs[i].n);
}

void judge_print(const struct classifier *c, const struct samples *s, FILE *out)
{
	struct guess *guesses = calloc(s->n ? s->n : 1, sizeof(*guesses));
	size_t held = 0;
	for (size_t i = 0; guesses && i < s->n; i++) {
		classifier_guess(c, s->rows[i].text, &guesses[i]);
		held += s->rows[i].held;
	}
	if (!guesses)
		return;
	fprintf(out, "%zu rows of %u labels; %zu learned from, %zu held out", s->n, s->classes, s->n - held, held);
	if (s->doubles)
		fprintf(out, ", %zu left out because they came before", s->doubles);
	fprintf(out, "\nof those held out, by at_least:\n        answered       right of these\n");
	for (size_t i = 0; i < sizeof(thresholds) / sizeof(thresholds[0]); i++)
		print_threshold(s, guesses, thresholds[i], out);
	print_pairs(s, guesses, out);
	free(guesses);
}
