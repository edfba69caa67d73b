/*
 * classifier.c: the file of a classifier, and its guesses.
 *
 * Eight classes lie beside each other, so that one bucket's weights for them are added by one instruction.
 */
#include "rules/classifier.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rules/features.h"

enum { LANES = 8, BLOCKS_MAX = CLASSES_MAX / LANES, NUMBER_MAX = 31 };
/* So many weights at most, of 127 each, stay within 16 bits. */
enum { SUM_MAX = 256 };

typedef int8_t weights __attribute__((vector_size(LANES)));
typedef int16_t sums __attribute__((vector_size(2 * LANES)));

struct class {
	char name[CLASS_NAME_MAX + 1];
	size_t n;
	double bias;
};

struct classifier {
	unsigned bits, n;
	double scale;			/* what a weight of 1 is worth */
	struct class classes[CLASSES_MAX];
	weights *blocks[BLOCKS_MAX];	/* of each bucket */
};

void classifier_free(struct classifier *c)
{
	for (unsigned i = 0; c && i < BLOCKS_MAX; i++)
		free(c->blocks[i]);
	free(c);
}

unsigned classifier_classes(const struct classifier *c)
{
	return c->n;
}

struct weir_text classifier_name(const struct classifier *c, unsigned class)
{
	return (struct weir_text){ c->classes[class].name, c->classes[class].n };
}

int classifier_find(const struct classifier *c, struct weir_text name)
{
	for (unsigned i = 0; i < c->n; i++)
		if (c->classes[i].n == name.n && memcmp(c->classes[i].name, name.p, name.n) == 0)
			return (int)i;
	return -1;
}

/* --- reading --- */

struct reader {
	const char *at, *end;		/* of the text */
	struct weir_text line;		/* what is left of this one */
	struct classifier_mistake *mistake;
};

static bool wrong(struct reader *r, const char *what)
{
	if (!r->mistake->what)
		r->mistake->what = what;
	return false;
}

/* The next line that is no remark. */
static bool next_line(struct reader *r)
{
	do {
		if (r->at == r->end)
			return wrong(r, "the file ends too early");
		const char *stop = memchr(r->at, '\n', (size_t)(r->end - r->at));
		r->line = (struct weir_text){ r->at, (size_t)((stop ? stop : r->end) - r->at) };
		r->at = stop ? stop + 1 : r->end;
		r->mistake->line++;
		if (r->line.n && r->line.p[r->line.n - 1] == '\r')
			r->line.n--;
	} while (r->line.n == 0 || r->line.p[0] == '#');
	return true;
}

static struct weir_text next_field(struct reader *r)
{
	struct weir_text f = r->line;
	const char *space = memchr(f.p, ' ', f.n);
	f.n = space ? (size_t)(space - f.p) : f.n;
	r->line.p += f.n + (space ? 1 : 0);
	r->line.n -= f.n + (space ? 1 : 0);
	return f;
}

static bool keyword(struct reader *r, const char *word, const char *what)
{
	struct weir_text f = { "", 0 };
	if (next_line(r))
		f = next_field(r);
	return (f.n == strlen(word) && memcmp(f.p, word, f.n) == 0) || wrong(r, what);
}

static bool whole(struct reader *r, long least, long most, long *out)
{
	struct weir_text f = next_field(r);
	bool minus = f.n && f.p[0] == '-';
	long v = 0;
	if (f.n == minus || f.n > 10)
		return wrong(r, "expected a whole number");
	for (size_t i = minus; i < f.n; i++) {
		if (f.p[i] < '0' || f.p[i] > '9')
			return wrong(r, "expected a whole number");
		v = 10 * v + (f.p[i] - '0');
	}
	*out = minus ? -v : v;
	return (*out >= least && *out <= most) || wrong(r, "the number is too small or too large");
}

static bool fraction(struct reader *r, double most, double *out)
{
	char text[NUMBER_MAX + 1], *end;
	struct weir_text f = next_field(r);
	if (f.n == 0 || f.n > NUMBER_MAX)
		return wrong(r, "expected a number");
	memcpy(text, f.p, f.n);
	text[f.n] = 0;
	*out = strtod(text, &end);
	if (end != text + f.n || !isfinite(*out))
		return wrong(r, "expected a number");
	return fabs(*out) <= most || wrong(r, "the number is too small or too large");
}

static bool read_class(struct reader *r, struct classifier *c)
{
	struct class *class = &c->classes[c->n];
	if (!keyword(r, "class", "expected `class BIAS NAME`") || !fraction(r, 1e6, &class->bias))
		return false;
	if (r->line.n == 0 || r->line.n > CLASS_NAME_MAX || memchr(r->line.p, 0, r->line.n))
		return wrong(r, "the name of a class has 1 to 64 bytes");
	if (classifier_find(c, r->line) >= 0)
		return wrong(r, "there are two classes of this name");
	memcpy(class->name, r->line.p, r->line.n);
	class->n = r->line.n;
	c->n++;
	return true;
}

static bool read_head(struct reader *r, struct classifier *c)
{
	long version, bits, n;
	if (!keyword(r, "weir-classifier", "this is no classifier; `weir rules train` makes one") || !whole(r, 0, 1000000, &version))
		return false;
	if (version != CLASSIFIER_VERSION)
		return wrong(r, "this weir reads version 1 of the format");
	if (!keyword(r, "bits", "expected `bits N`") || !whole(r, CLASSIFIER_BITS_MIN, CLASSIFIER_BITS_MAX, &bits) ||
	    !keyword(r, "scale", "expected `scale X`") || !fraction(r, 1e6, &c->scale) ||
	    !keyword(r, "classes", "expected `classes N`") || !whole(r, 2, CLASSES_MAX, &n))
		return false;
	c->bits = (unsigned)bits;
	while (c->n < (unsigned)n)
		if (!read_class(r, c))
			return false;
	for (unsigned b = 0; b * LANES < c->n; b++)
		if (!(c->blocks[b] = calloc((size_t)1 << bits, sizeof(weights))))
			return wrong(r, "no memory");
	return true;
}

static bool read_bucket(struct reader *r, struct classifier *c, long *last)
{
	long bucket, w;
	if (!next_line(r) || !whole(r, *last + 1, (1L << c->bits) - 1, &bucket))
		return false;
	for (unsigned i = 0; i < c->n; i++) {
		if (!whole(r, -CLASSIFIER_WEIGHT_MAX, CLASSIFIER_WEIGHT_MAX, &w))
			return false;
		c->blocks[i / LANES][bucket][i % LANES] = (int8_t)w;
	}
	*last = bucket;
	return r->line.n == 0 || wrong(r, "there are more weights than classes");
}

static bool read_all(struct reader *r, struct classifier *c)
{
	long n, last = -1;
	if (!read_head(r, c) || !keyword(r, "buckets", "expected `buckets N`") || !whole(r, 0, 1L << c->bits, &n))
		return false;
	for (; n > 0; n--)
		if (!read_bucket(r, c, &last))
			return false;
	return keyword(r, "end", "expected `end`");
}

struct classifier *classifier_read(struct weir_text text, struct classifier_mistake *mistake)
{
	struct reader r = { .at = text.p, .end = text.p + text.n, .mistake = mistake };
	struct classifier *c = text.n <= CLASSIFIER_FILE_MAX ? calloc(1, sizeof(*c)) : NULL;
	*mistake = (struct classifier_mistake){ 0 };
	if (c && read_all(&r, c))
		return c;
	wrong(&r, text.n > CLASSIFIER_FILE_MAX ? "a classifier has at most 16 MiB" : "no memory");
	classifier_free(c);
	return NULL;
}

/* --- guessing --- */

static void sum_block(const weights *block, const uint32_t *features, unsigned n, long *out)
{
	for (unsigned from = 0; from < n; from += SUM_MAX) {
		unsigned to = n - from < SUM_MAX ? n : from + SUM_MAX;
		sums s = { 0 };
		for (unsigned i = from; i < to; i++)
			s += __builtin_convertvector(block[features[i]], sums);
		for (unsigned k = 0; k < LANES; k++)
			out[k] += s[k];
	}
}

bool classifier_guess(const struct classifier *c, struct weir_text text, struct guess *out)
{
	uint32_t features[FEATURES_MAX];
	long totals[CLASSES_MAX] = { 0 };
	double scores[CLASSES_MAX], all = 0;
	unsigned n = features_of(text, c->bits, features), best = 0;
	for (unsigned b = 0; b * LANES < c->n; b++)
		sum_block(c->blocks[b], features, n, totals + b * LANES);
	for (unsigned i = 0; n && i < c->n; i++) {
		scores[i] = c->classes[i].bias + c->scale * (double)totals[i] / sqrt(n);
		if (scores[i] > scores[best])
			best = i;
	}
	for (unsigned i = 0; n && i < c->n; i++)
		all += exp(scores[i] - scores[best]);
	*out = (struct guess){ best, n ? 1 / all : 0 };
	return n > 0;
}
