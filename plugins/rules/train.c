/*
 * train.c: `weir rules train`: a classifier out of a table of labels and texts.
 *
 * What is written is read again before it is judged and put in its place: the figures are those of the file.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/command.h"
#include "rules/judge.h"

struct options {
	const char *from, *out;
	double held_out;
	unsigned bits;
};

static bool is_good(const struct options *o)
{
	if (o->from && o->out && o->held_out >= 0.05 && o->held_out <= 0.5 && o->bits >= CLASSIFIER_BITS_MIN && o->bits <= CLASSIFIER_BITS_MAX)
		return true;
	fprintf(stderr, "usage: weir rules train --from DATA.csv --out MODEL [--held-out SHARE] [--bits BITS]\n"
			"DATA.csv has the columns `label` and `text`. SHARE, 0.05 to 0.5, is kept to judge by (0.2); 2 to the power of BITS,\n"
			"%d to %d, is how many words and runs of letters are told apart (15).\n", CLASSIFIER_BITS_MIN, CLASSIFIER_BITS_MAX);
	return false;
}

static bool number(const char *text, double *out)
{
	char *end;
	*out = strtod(text, &end);
	return end != text && !*end;
}

static bool read_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "from", required_argument, NULL, 'f' }, { "out", required_argument, NULL, 'o' },
		{ "held-out", required_argument, NULL, 'h' }, { "bits", required_argument, NULL, 'b' }, { NULL, 0, NULL, 0 },
	};
	int c;
	double n = 0;
	*o = (struct options){ .held_out = 0.2, .bits = 15 };
	optind = 1;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		switch (c) {
		case 'f': o->from = optarg; break;
		case 'o': o->out = optarg; break;
		case 'h': o->held_out = number(optarg, &n) ? n : 0; break;
		case 'b': o->bits = number(optarg, &n) && n >= 0 && n < 100 ? (unsigned)n : 0; break;
		default: o->from = NULL; break;
		}
	}
	if (optind < argc)
		o->from = NULL;
	return is_good(o);
}

/* --- the file --- */

static float largest(const struct fit *f)
{
	float most = 0;
	for (size_t i = 0; i < (size_t)f->classes << f->bits; i++)
		most = fabsf(f->weights[i]) > most ? fabsf(f->weights[i]) : most;
	return most > 0 ? most : 1;
}

static bool is_empty(const struct fit *f, size_t bucket, double scale)
{
	for (unsigned k = 0; k < f->classes; k++)
		if (lround(f->weights[bucket * f->classes + k] / scale) != 0)
			return false;
	return true;
}

static void write_model(const struct fit *f, const struct samples *s, FILE *out)
{
	double scale = largest(f) / CLASSIFIER_WEIGHT_MAX;
	size_t used = 0;
	for (size_t b = 0; b < (size_t)1 << f->bits; b++)
		used += !is_empty(f, b, scale);
	fprintf(out, "weir-classifier %d\nbits %u\nscale %.9g\nclasses %u\n", CLASSIFIER_VERSION, f->bits, scale, f->classes);
	for (unsigned k = 0; k < f->classes; k++)
		fprintf(out, "class %.9g %.*s\n", (double)f->bias[k], (int)s->names[k].n, s->names[k].p);
	fprintf(out, "buckets %zu\n", used);
	for (size_t b = 0; b < (size_t)1 << f->bits; b++) {
		if (is_empty(f, b, scale))
			continue;
		fprintf(out, "%zu", b);
		for (unsigned k = 0; k < f->classes; k++)
			fprintf(out, " %ld", lround(f->weights[b * f->classes + k] / scale));
		fputc('\n', out);
	}
	fprintf(out, "end\n");
}

/* Whole or not at all: a weir that watches the file never sees half of it. */
static bool put(const char *name, struct weir_text text)
{
	char beside[4096];
	if (snprintf(beside, sizeof(beside), "%s.new", name) >= (int)sizeof(beside)) {
		errno = ENAMETOOLONG;
		return false;
	}
	FILE *f = fopen(beside, "w");
	bool good = f && fwrite(text.p, 1, text.n, f) == text.n;
	good = f && fclose(f) == 0 && good && rename(beside, name) == 0;
	int error = errno;
	if (f && !good)
		remove(beside);
	errno = error;
	return good;
}

static char *make(const struct options *o, struct samples *s, size_t *n)
{
	struct fit f = { 0 };
	char *text = NULL;
	if (samples_prepare(s, o->bits) && fit_open(&f, o->bits, s->classes)) {
		FILE *out = fit_learn(&f, s->lessons, s->n_lessons) ? open_memstream(&text, n) : NULL;
		if (out) {
			write_model(&f, s, out);
			fclose(out);
		}
	}
	fit_close(&f);
	return text;
}

static int finish(const struct options *o, const struct samples *s, struct weir_text model)
{
	struct classifier_mistake mistake;
	struct classifier *c = classifier_read(model, &mistake);
	if (!c) {
		fprintf(stderr, "weir rules: %s; try fewer --bits\n", mistake.what);
		return 1;
	}
	judge_print(c, s, stdout);
	classifier_free(c);
	if (!put(o->out, model)) {
		fprintf(stderr, "weir rules: %s: %s\n", o->out, strerror(errno));
		return 1;
	}
	printf("%s: %zu bytes\n", o->out, model.n);
	return 0;
}

int rules_train(const struct weir_host *weir, struct weir_setup *setup, int argc, char **argv)
{
	struct options o;
	struct samples s;
	int status = 2;
	if (!read_options(argc, argv, &o))
		return 2;
	if (samples_read(&s, weir, setup, o.from, o.held_out)) {
		size_t n = 0;
		char *model = make(&o, &s, &n);
		if (!model)
			fprintf(stderr, "weir rules: no memory\n");
		status = model ? finish(&o, &s, (struct weir_text){ model, n }) : 1;
		free(model);
	}
	samples_free(&s);
	return status;
}
