/*
 * learned.c: running means that fade.
 */
#include "core/learned.h"

#include <stdlib.h>

static const double LENGTH_FADE = 0.02, TIME_FADE = 0.12, PAUSE_FADE = 0.5;
static const int64_t PAUSE_US = 30000000;
enum { FIRSTS_LEAST = 16 };

#define get(x) atomic_load_explicit(&(x), memory_order_relaxed)
#define set(x, v) atomic_store_explicit(&(x), (v), memory_order_relaxed)

static double fade(double mean, double x, uint32_t n, double least)
{
	double share = 1.0 / (n + 1.0);
	return mean + (x - mean) * (share > least ? share : least);
}

static unsigned bucket(int64_t input)
{
	unsigned i = input > 1 ? (63u - (unsigned)__builtin_clzll((unsigned long long)input)) / 2 : 0;
	return i < LEARNED_LENGTHS ? i : LEARNED_LENGTHS - 1;
}

static void note(struct learned_length *l, double output)
{
	uint32_t n = get(l->n);
	set(l->mean, fade(get(l->mean), output, n, LENGTH_FADE));
	set(l->n, n < UINT32_MAX ? n + 1 : n);
}

void learned_note_length(struct learned *l, int64_t input, int64_t output)
{
	if (output < 0 || atomic_flag_test_and_set_explicit(&l->busy, memory_order_acquire))
		return;
	note(&l->lengths[bucket(input)], (double)output);
	note(&l->length, (double)output);
	uint32_t at = get(l->n_outputs);
	set(l->outputs[at % LEARNED_FIRSTS], output < UINT32_MAX ? (uint32_t)output : UINT32_MAX);
	set(l->n_outputs, at + 1);
	atomic_flag_clear_explicit(&l->busy, memory_order_release);
}

static void note_first(struct learned *l, bool stream, int64_t us)
{
	uint32_t at = get(l->firsts[!stream].n);
	set(l->firsts[!stream].us[at % LEARNED_FIRSTS], us < UINT32_MAX ? (uint32_t)us : UINT32_MAX);
	set(l->firsts[!stream].n, at + 1);
}

/* An observation after a long pause says more than the mean of old ones. */
static double time_fade(const struct learned *l, int64_t now_us)
{
	int64_t pause = now_us - get(l->seen_us);
	return pause > PAUSE_US ? PAUSE_FADE : TIME_FADE;
}

static bool begin(struct learned *l, int64_t us)
{
	return us >= 0 && !atomic_flag_test_and_set_explicit(&l->busy, memory_order_acquire);
}

static void end(struct learned *l, int64_t now_us)
{
	uint32_t n = get(l->n);
	set(l->n, n < UINT32_MAX ? n + 1 : n);
	set(l->seen_us, now_us);
	atomic_flag_clear_explicit(&l->busy, memory_order_release);
}

void learned_note_stream(struct learned *l, int64_t now_us, int64_t first_us, int64_t tokens, int64_t rest_us)
{
	if (!begin(l, first_us))
		return;
	uint32_t n = get(l->n);
	double share = time_fade(l, now_us);
	set(l->first_us, fade(get(l->first_us), (double)first_us, n, share));
	if (tokens > 0 && rest_us > 0)
		set(l->token_us, fade(get(l->token_us), (double)rest_us / (double)tokens, n, share));
	note_first(l, true, first_us);
	end(l, now_us);
}

/* Where its time went cannot be seen: both parts move by the same factor. */
void learned_note_plain(struct learned *l, int64_t now_us, int64_t us, int64_t tokens)
{
	if (!begin(l, us))
		return;
	uint32_t n = get(l->n);
	double expected = get(l->first_us) + (double)tokens * get(l->token_us);
	if (n == 0 || !(expected > 0)) {
		set(l->first_us, tokens > 1 ? (double)us / 2 : (double)us);
		set(l->token_us, tokens > 1 ? (double)us / 2 / (double)tokens : 0);
	} else {
		double factor = fade(1, (double)us / expected, n, time_fade(l, now_us));
		set(l->first_us, get(l->first_us) * factor);
		set(l->token_us, get(l->token_us) * factor);
	}
	note_first(l, false, us);
	end(l, now_us);
}

void learned_note_late(struct learned *l, int64_t now_us, int64_t us, bool stream)
{
	if (!begin(l, us))
		return;
	if ((double)us > get(l->first_us))
		set(l->first_us, fade(get(l->first_us), (double)us, get(l->n), TIME_FADE));
	note_first(l, stream, us);
	end(l, now_us);
}

double learned_output(const struct learned *l, int64_t input, uint32_t *n)
{
	const struct learned_length *of = &l->lengths[bucket(input)];
	*n = get(of->n);
	if (*n == 0)
		of = &l->length;	/* answers to other prompts are better than nothing */
	return get(of->n) ? get(of->mean) : -1;
}

int64_t learned_output_most(const struct learned *l)
{
	uint32_t n = get(l->n_outputs), most = 0;
	for (uint32_t i = 0; i < n && i < LEARNED_FIRSTS; i++)
		most = get(l->outputs[i]) > most ? get(l->outputs[i]) : most;
	return n >= FIRSTS_LEAST ? most : 0;
}

double learned_time(const struct learned *l, double output)
{
	return get(l->n) ? get(l->first_us) + (output > 1 ? output - 1 : 0) * get(l->token_us) : -1;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

int64_t learned_first(const struct learned *l, bool stream, int per_cent)
{
	uint32_t all[LEARNED_FIRSTS], n = get(l->firsts[!stream].n);
	n = n < LEARNED_FIRSTS ? n : LEARNED_FIRSTS;
	if (n < FIRSTS_LEAST)
		return 0;
	for (uint32_t i = 0; i < n; i++)
		all[i] = get(l->firsts[!stream].us[i]);
	qsort(all, n, sizeof(*all), by_size);
	return all[(n - 1) * (uint32_t)per_cent / 100];
}
