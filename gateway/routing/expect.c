/*
 * expect.c: expectations, from what each target's answers taught.
 *
 * Where nothing is known of a target's answers, the shortest that is known of its rivals is
 * assumed: so it is tried, and known afterwards.
 */
#include "routing/expect.h"

#include "core/live.h"
#include "core/price.h"

static const int64_t OUTPUT_UNKNOWN = 256, CACHED_LEAST = 1024;
static const double CACHED_SHARE = 0.8;		/* of a session's prompt that was sent before */

static double shortest(const struct plan_entry *entries, unsigned n)
{
	double least = -1;
	for (unsigned i = 0; i < n; i++)
		if (entries[i].output >= 0 && (least < 0 || (double)entries[i].output < least))
			least = (double)entries[i].output;
	return least < 0 ? (double)OUTPUT_UNKNOWN : least;
}

static void expect_tokens(const struct expect_view *v, struct plan_entry *e)
{
	const struct learned *l = e->target->live ? &e->target->live->learned : NULL;
	uint32_t n;
	e->input = estimate_input(l ? &l->input : NULL, v->prompt);
	double output = l ? learned_output(l, e->input, &n) : -1;
	e->output = output < 0 ? -1 : (int64_t)(output + 0.5);
}

static int64_t cap(int64_t n, int64_t most)
{
	return most > 0 && n > most ? most : n;
}

static int64_t expect_cost(const struct expect_view *v, const struct plan_entry *e)
{
	bool cached = v->home && v->home == e->target->live && e->input >= CACHED_LEAST;
	struct usage u = { .known = true, .input = e->input, .output = e->output,
			   .cached = cached ? (int64_t)((double)e->input * CACHED_SHARE) : 0 };
	return e->target->price ? price_cost(e->target->price, &u, (enum service_tier)v->service) : -1;
}

/* Time is compared for one length, or a model would be fast by saying little. */
static double mean_output(const struct plan_entry *entries, unsigned n)
{
	double sum = 0;
	for (unsigned i = 0; i < n; i++)
		sum += (double)entries[i].output;
	return n ? sum / n : 0;
}

void expect(const struct expect_view *v, struct plan_entry *entries, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		expect_tokens(v, &entries[i]);
	double least = shortest(entries, n);
	for (unsigned i = 0; i < n; i++) {
		struct plan_entry *e = &entries[i];
		if (e->output < 0)
			e->output = (int64_t)least;
		e->output = cap(cap(e->output, v->max_output), e->target->max_output);
		e->cost = expect_cost(v, e);
	}
	double output = mean_output(entries, n);
	for (unsigned i = 0; i < n; i++)
		entries[i].time_us = entries[i].target->live ? learned_time(&entries[i].target->live->learned, output) : -1;
}
