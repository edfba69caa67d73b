/*
 * fit.c: gradient descent. A feature counts for one over the root of how many its text has, so that long and short texts
 * weigh the same.
 */
#include "rules/fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rules/classifier.h"

enum { EPOCHS = 30, FOLDS = 4, TEMPERATURES = 60 };

static const float RATE = 3.0F, SLOWER = 0.15F, DECAY = 1e-3F;

bool fit_open(struct fit *f, unsigned bits, unsigned classes)
{
	*f = (struct fit){ .bits = bits, .classes = classes };
	f->weights = calloc(((size_t)1 << bits) * classes, sizeof(float));
	f->bias = calloc(classes, sizeof(float));
	return f->weights && f->bias;
}

void fit_close(struct fit *f)
{
	free(f->weights);
	free(f->bias);
}

/* --- one lesson --- */

static void score(const struct fit *f, const struct lesson *l, float *out)
{
	float length = sqrtf((float)l->n);
	memset(out, 0, f->classes * sizeof(*out));
	for (unsigned i = 0; i < l->n; i++) {
		const float *w = f->weights + (size_t)l->features[i] * f->classes;
		for (unsigned k = 0; k < f->classes; k++)
			out[k] += w[k];
	}
	for (unsigned k = 0; k < f->classes; k++)
		out[k] /= length;
}

/* Scores become probabilities. */
static void soften(const struct fit *f, float *scores, float temperature)
{
	float most = -HUGE_VALF, all = 0;
	unsigned n = f->classes;
	for (unsigned k = 0; k < n; k++) {
		scores[k] = scores[k] / temperature + f->bias[k];
		most = scores[k] > most ? scores[k] : most;
	}
	for (unsigned k = 0; k < n; k++)
		all += scores[k] = expf(scores[k] - most);
	for (unsigned k = 0; k < n; k++)
		scores[k] /= all;
}

static void step(struct fit *f, const struct lesson *l, const uint8_t *common, float rate)
{
	float g[CLASSES_MAX], length = sqrtf((float)l->n);
	score(f, l, g);
	soften(f, g, 1);
	g[l->class] -= 1;
	for (unsigned k = 0; k < f->classes; k++)
		g[k] *= rate / length;
	for (unsigned i = 0; i < l->n; i++) {
		float *w = f->weights + (size_t)l->features[i] * f->classes;
		for (unsigned k = 0; common[l->features[i]] && k < f->classes; k++)
			w[k] -= g[k] + rate * DECAY * w[k];
	}
}

/* --- all of them --- */

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void shuffle(size_t *order, size_t n, uint64_t *state)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = (size_t)(next_random(state) % i), x = order[i - 1];
		order[i - 1] = order[k];
		order[k] = x;
	}
}

/* A byte for each bucket: more than one lesson has it. */
static uint8_t *find_common(const struct fit *f, const struct lesson *lessons, size_t n)
{
	size_t buckets = (size_t)1 << f->bits;
	uint8_t *common = calloc(buckets, 1);
	size_t *first = calloc(buckets, sizeof(*first));	/* the lesson that had it first, from 1 */
	for (size_t e = 0; common && first && e < n; e++)
		for (unsigned i = 0; i < lessons[e].n; i++) {
			size_t *seen = &first[lessons[e].features[i]];
			common[lessons[e].features[i]] |= *seen && *seen != e + 1;
			*seen = *seen ? *seen : e + 1;
		}
	free(first);
	return common;
}

/* Of a text nothing is known of, only this is known: how many of the lessons belong to a class. */
static void set_bias(struct fit *f, const struct lesson *lessons, size_t n)
{
	for (unsigned k = 0; k < f->classes; k++) {
		size_t count = 1;
		for (size_t i = 0; i < n; i++)
			count += lessons[i].class == k;
		f->bias[k] = logf((float)count / (float)(n + f->classes));
	}
}

/* Learns from all but one fold; fold FOLDS leaves nothing out. */
static bool descend(struct fit *f, const struct lesson *lessons, size_t n, const uint8_t *common, size_t fold)
{
	size_t *order = calloc(n ? n : 1, sizeof(*order)), count = 0;
	uint64_t state = UINT64_C(88172645463325252);
	for (size_t i = 0; order && i < n; i++)
		if (i % FOLDS != fold && lessons[i].n)
			order[count++] = i;
	memset(f->weights, 0, ((size_t)1 << f->bits) * f->classes * sizeof(float));
	for (int epoch = 0; order && epoch < EPOCHS; epoch++) {
		shuffle(order, count, &state);
		for (size_t i = 0; i < count; i++)
			step(f, &lessons[order[i]], common, RATE / (1 + SLOWER * (float)epoch));
	}
	bool good = order;
	free(order);
	return good;
}

/* --- sureness --- */

static double surprise(const struct fit *f, const float *scores, const struct lesson *lessons, size_t n, double temperature)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		float p[CLASSES_MAX];
		memcpy(p, scores + i * f->classes, f->classes * sizeof(*p));
		soften(f, p, (float)temperature);
		sum -= log((double)p[lessons[i].class] + 1e-12);
	}
	return sum;
}

/* By what the scores have to be divided to be believed; from a quarter to eight. */
static double temperature_of(const struct fit *f, const float *scores, const struct lesson *lessons, size_t n)
{
	double best = 1, least = HUGE_VAL;
	for (int i = 0; i <= TEMPERATURES; i++) {
		double t = 0.25 * pow(32, (double)i / TEMPERATURES), s = surprise(f, scores, lessons, n, t);
		if (s < least) {
			least = s;
			best = t;
		}
	}
	return best;
}

/* Each lesson is judged by weights that have not seen it. */
static bool cross_score(struct fit *f, const struct lesson *lessons, size_t n, const uint8_t *common, float *scores)
{
	for (size_t fold = 0; fold < FOLDS; fold++) {
		if (!descend(f, lessons, n, common, fold))
			return false;
		for (size_t i = fold; i < n; i += FOLDS)
			if (lessons[i].n)
				score(f, &lessons[i], scores + i * f->classes);
	}
	return true;
}

bool fit_learn(struct fit *f, const struct lesson *lessons, size_t n)
{
	uint8_t *common = find_common(f, lessons, n);
	float *scores = calloc(n * f->classes + 1, sizeof(*scores));
	set_bias(f, lessons, n);
	bool good = common && scores && cross_score(f, lessons, n, common, scores) && descend(f, lessons, n, common, FOLDS);
	double t = good ? temperature_of(f, scores, lessons, n) : 1;
	for (size_t i = 0; good && i < ((size_t)f->classes << f->bits); i++)
		f->weights[i] /= (float)t;
	free(common);
	free(scores);
	return good;
}
