/*
 * estimate.c: the regression. Nine unknowns, so solving it outright costs less than anything cleverer.
 */
#include "core/estimate.h"

#include <math.h>

#define P PROMPT_PARTS

/* Fitted over recorded answers of thirty models; and how firmly each is believed. */
static const double prior[P] = { 3, 3.8, 0.95, 13.5, 6.6, 1.2, 1.36, 0.5, 7.6 };
static const double firm[P] = { 2e-2, 2e-2, 2, 2e-5, 2e-4, 2e-1, 2e-2, 2e-2, 2e-3 };
static const double DECAY = 0.995, LEAST = 10, IMAGE_TOKENS = 800, SOUND_TOKENS = 400, TOKENS_MAX = 1e12;

static double get(const _Atomic double *x)
{
	return atomic_load_explicit(x, memory_order_relaxed);
}

static double tokens_of(const struct estimator *e, const struct prompt *p)
{
	bool learned = e && atomic_load_explicit(&e->n, memory_order_acquire) > 0;
	double sum = 0;
	for (int i = 0; i < P; i++)
		sum += (double)p->part[i] * (learned ? get(&e->weight[i]) : prior[i]);
	return sum;
}

int64_t estimate_input(const struct estimator *e, const struct prompt *p)
{
	double tokens = tokens_of(e, p) + p->images * IMAGE_TOKENS + p->sounds * SOUND_TOKENS;
	if (!(tokens >= 1))
		return 1;
	return tokens < TOKENS_MAX ? (int64_t)(tokens + 0.5) : (int64_t)TOKENS_MAX;
}

/* Solves (a + firm) w = b + firm * prior by Cholesky's decomposition; false when it has none. */
static bool solve(const double a[P][P], const double b[P], double w[P])
{
	double l[P][P] = { { 0 } }, y[P];
	for (int i = 0; i < P; i++) {
		for (int j = 0; j <= i; j++) {
			double sum = a[i][j] + (i == j ? firm[i] : 0);
			for (int k = 0; k < j; k++)
				sum -= l[i][k] * l[j][k];
			if (i == j && !(sum > 0))
				return false;
			l[i][j] = i == j ? sqrt(sum) : sum / l[j][j];
		}
	}
	for (int i = 0; i < P; i++) {
		y[i] = b[i] + firm[i] * prior[i];
		for (int k = 0; k < i; k++)
			y[i] -= l[i][k] * y[k];
		y[i] /= l[i][i];
	}
	for (int i = P - 1; i >= 0; i--) {
		w[i] = y[i];
		for (int k = i + 1; k < P; k++)
			w[i] -= l[k][i] * w[k];
		w[i] /= l[i][i];
		if (!isfinite(w[i]))
			return false;
	}
	return true;
}

static void publish(struct estimator *e, uint32_t n)
{
	double w[P];
	if (!solve((const double (*)[P])e->a, e->b, w))
		return;
	for (int i = 0; i < P; i++)
		atomic_store_explicit(&e->weight[i], w[i], memory_order_relaxed);
	atomic_store_explicit(&e->n, n, memory_order_release);
}

/* An answer far from what was expected is a prompt we measured wrongly: it weighs little. */
static double trust(const struct estimator *e, const struct prompt *p, double tokens)
{
	double expected = tokens_of(e, p), off = expected > 0 ? tokens / expected : 0;
	if (atomic_load_explicit(&e->n, memory_order_relaxed) < ESTIMATE_SURE)
		return 1;
	return off > 3 || off < 1.0 / 3 ? 0.05 : 1;
}

void estimate_learn(struct estimator *e, const struct prompt *p, int64_t tokens)
{
	if (!p->measured || p->images || p->sounds || tokens <= 0 || (double)tokens > TOKENS_MAX)
		return;
	if (atomic_flag_test_and_set_explicit(&e->busy, memory_order_acquire))
		return;		/* another worker is at it: this answer teaches nothing */
	double y = (double)tokens, scale = y > LEAST ? y : LEAST, w = trust(e, p, y) / (scale * scale);
	for (int i = 0; i < P; i++) {
		for (int j = 0; j < P; j++)
			e->a[i][j] = e->a[i][j] * DECAY + w * (double)p->part[i] * (double)p->part[j];
		e->b[i] = e->b[i] * DECAY + w * (double)p->part[i] * y;
	}
	uint32_t n = atomic_load_explicit(&e->n, memory_order_relaxed);
	publish(e, n < UINT32_MAX ? n + 1 : n);
	atomic_flag_clear_explicit(&e->busy, memory_order_release);
}

/* --- over a restart --- */

static void hold(struct estimator *e)
{
	while (atomic_flag_test_and_set_explicit(&e->busy, memory_order_acquire))
		;	/* held for a microsecond at a time */
}

void estimate_save(struct estimator *e, double out[ESTIMATE_NUMBERS])
{
	hold(e);
	for (int i = 0; i < P; i++)
		for (int j = 0; j < P; j++)
			out[i * P + j] = e->a[i][j];
	for (int i = 0; i < P; i++)
		out[P * P + i] = e->b[i];
	atomic_flag_clear_explicit(&e->busy, memory_order_release);
}

bool estimate_restore(struct estimator *e, const double in[ESTIMATE_NUMBERS], uint32_t n)
{
	for (int i = 0; i < ESTIMATE_NUMBERS; i++)
		if (!isfinite(in[i]))
			return false;
	hold(e);
	for (int i = 0; i < P; i++)
		for (int j = 0; j < P; j++)
			e->a[i][j] = in[i * P + j];
	for (int i = 0; i < P; i++)
		e->b[i] = in[P * P + i];
	publish(e, n);
	atomic_flag_clear_explicit(&e->busy, memory_order_release);
	return atomic_load(&e->n) == n;
}
