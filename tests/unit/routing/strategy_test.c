/*
 * strategy_test.c: strategies against simulated targets, with chance that can be repeated.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "core/breaker.h"
#include "core/live.h"
#include "core/price.h"
#include "routing/expect.h"
#include "routing/strategy.h"

enum { TARGETS = 3, REQUESTS = 10000 };

/* --- dice that fall the same way each time --- */

static uint64_t seed;

static uint64_t dice(void)
{
	seed += UINT64_C(0x9E3779B97F4A7C15);
	uint64_t z = seed;
	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

static double unit(void)
{
	return (double)(dice() >> 11) / 9007199254740992.0;
}

/* --- targets --- */

static struct provider providers[TARGETS];
static struct target targets[TARGETS];
static struct model model;
static struct plan_entry entries[TARGETS];

static void make_targets(const char *of, const double (*prices)[2])
{
	static char names[TARGETS][64];
	model = (struct model){ .policy = { .explore = 3, .affinity = true } };
	for (int i = 0; i < TARGETS; i++) {
		struct price p;
		price_init(&p);
		p.rates[RATE_INPUT] = prices ? (int64_t)(prices[i][0] * 1e9) : 1000000000;
		p.rates[RATE_OUTPUT] = prices ? (int64_t)(prices[i][1] * 1e9) : 1000000000;
		int n = snprintf(names[i], sizeof(names[i]), "%s%d/model", of, i);
		providers[i] = (struct provider){ .name = str_of(names[i], (size_t)n - 6), .usable = true };
		targets[i] = (struct target){ .provider = &providers[i], .name = str_of(names[i], (size_t)n), .weight = 1,
					      .price = price_intern(&p), .live = live_target(str_of(names[i], (size_t)n)) };
	}
}

/* The plan of one request; the result is the index of the target that comes first. */
static int first_of(const struct strategy *s, const struct prompt *p, struct live_target *home, uint32_t turn)
{
	struct plan_entry *order[TARGETS];
	struct strategy_view v = { .model = &model, .entries = order, .n = TARGETS, .home = home, .turn = turn, .dice = dice() };
	for (int i = 0; i < TARGETS; i++) {
		entries[i] = (struct plan_entry){ .target = &targets[i], .input = -1, .output = -1, .cost = -1, .time_us = -1 };
		order[i] = &entries[i];
	}
	if (p)
		expect(&(struct expect_view){ .prompt = p, .home = home }, entries, TARGETS);
	s->order(&v);
	return (int)(order[0]->target - targets);
}

/* --- cheapest --- */

static struct prompt prompt_of(double tokens)
{
	return (struct prompt){ .measured = true, .part = { 1, 1, (float)tokens } };
}

/* What a target charges: the real tokens, not the estimate. */
static double spend(int i, double input, double output)
{
	struct usage u = { .input = (int64_t)input, .output = (int64_t)output };
	return (double)price_cost(targets[i].price, &u, SERVICE_UNSAID);
}

/*
 * Three doubles: one cheap to read and dear to write, one the other way round, one in between
 * that says little. Short questions, long documents and everything between them.
 */
static void cheapest_is_within_3_per_cent_of_hindsight(void **state)
{
	static const double prices[TARGETS][2] = { { 0.2, 4.0 }, { 1.5, 1.0 }, { 0.6, 2.4 } };
	static const double lengths[TARGETS] = { 1.0, 1.3, 0.6 };
	double spent = 0, best = 0, fixed[TARGETS] = { 0 };
	(void)state;
	seed = 42;
	make_targets("cost", prices);
	for (int k = 0; k < REQUESTS; k++) {
		double tokens = exp(log(30) + unit() * (log(20000) - log(30))), base = 80 + 3 * sqrt(tokens), costs[TARGETS], least = INFINITY;
		struct prompt p = prompt_of(tokens);
		for (int i = 0; i < TARGETS; i++) {
			double output = base * lengths[i] * (0.85 + 0.3 * unit());
			costs[i] = spend(i, tokens, output);
			fixed[i] += costs[i];
			least = costs[i] < least ? costs[i] : least;
			entries[i].output = (int64_t)output;
		}
		int64_t outputs[TARGETS] = { entries[0].output, entries[1].output, entries[2].output };
		int chosen = first_of(&cheapest_strategy, &p, NULL, (uint32_t)k);
		spent += costs[chosen];
		best += least;
		learned_note_length(&targets[chosen].live->learned, entries[chosen].input, outputs[chosen]);
		estimate_learn(&targets[chosen].live->learned.input, &p, (int64_t)tokens);
	}
	print_message("cheapest: %.2f %% above hindsight; fixed choices %.0f, %.0f, %.0f %% above it\n", 100 * (spent / best - 1),
		      100 * (fixed[0] / best - 1), 100 * (fixed[1] / best - 1), 100 * (fixed[2] / best - 1));
	assert_true(spent <= 1.03 * best);
	for (int i = 0; i < TARGETS; i++)
		assert_true(spent < fixed[i]);
}

static void a_session_stays_where_its_prompt_is_cached(void **state)
{
	static const double prices[TARGETS][2] = { { 1.0, 4.0 }, { 1.1, 4.4 }, { 3, 12 } };
	struct prompt p = prompt_of(8000);
	struct price cached;
	(void)state;
	seed = 1;
	make_targets("session", prices);
	model.policy.explore = 0;
	assert_int_equal(first_of(&cheapest_strategy, &p, NULL, 0), 0);
	memcpy(&cached, targets[1].price, sizeof(cached));
	cached.rates[RATE_CACHED_INPUT] = 110000000;
	targets[1].price = price_intern(&cached);
	assert_int_equal(first_of(&cheapest_strategy, &p, targets[1].live, 0), 1);
	assert_int_equal(first_of(&cheapest_strategy, &p, targets[2].live, 0), 0);	/* no cache is worth that */
	assert_int_equal(first_of(&weighted_strategy, NULL, targets[2].live, 0), 2);
}

static void an_unknown_price_comes_last_and_free_first(void **state)
{
	struct prompt p = prompt_of(100);
	struct price nothing;
	(void)state;
	seed = 2;
	make_targets("unknown", NULL);
	targets[0].price = NULL;
	price_init(&nothing);
	nothing.free = true;
	targets[2].price = price_intern(&nothing);
	for (int k = 0; k < 200; k++)
		assert_int_equal(first_of(&cheapest_strategy, &p, NULL, 0), 2);
	assert_int_equal(entries[0].cost, -1);
}

/* --- weighted --- */

static void weights_are_kept_smoothly(void **state)
{
	int counts[TARGETS] = { 0 }, gap = 0, longest = 0;
	(void)state;
	make_targets("weight", NULL);
	targets[0].weight = 70;
	targets[1].weight = 25;
	targets[2].weight = 5;
	for (uint32_t k = 0; k < 1000; k++) {
		int i = first_of(&weighted_strategy, NULL, NULL, k);
		counts[i]++;
		gap = i == 2 ? 0 : gap + 1;
		longest = gap > longest ? gap : longest;
	}
	assert_in_range(counts[0], 695, 705);
	assert_in_range(counts[1], 245, 255);
	assert_in_range(counts[2], 46, 54);
	assert_in_range(longest, 15, 40);	/* one in twenty comes about every twenty */
	targets[2].weight = 0;
	for (uint32_t k = 0; k < 1000; k++)
		assert_int_not_equal(first_of(&weighted_strategy, NULL, NULL, k), 2);
}

/* --- least busy --- */

static void the_least_busy_is_asked(void **state)
{
	int counts[TARGETS] = { 0 };
	(void)state;
	make_targets("busy", NULL);
	for (uint32_t k = 0; k < 300; k++)
		counts[first_of(&least_busy_strategy, NULL, NULL, k)]++;
	for (int i = 0; i < TARGETS; i++)
		assert_int_equal(counts[i], 100);	/* equals take turns */
	atomic_store(&targets[0].live->in_flight, 3);
	atomic_store(&targets[1].live->in_flight, 1);
	atomic_store(&targets[2].live->in_flight, 2);
	assert_int_equal(first_of(&least_busy_strategy, NULL, NULL, 0), 1);
	targets[0].max_concurrent = 40;
	assert_int_equal(first_of(&least_busy_strategy, NULL, NULL, 0), 0);
}

/* --- fastest --- */

static int64_t now_us;

static void answer(int i, double first_ms, double token_ms, int64_t tokens)
{
	double noise = 0.8 + 0.4 * unit();
	now_us += 500000;
	learned_note_stream(&targets[i].live->learned, now_us, (int64_t)(1000 * first_ms * noise), tokens,
			    (int64_t)(1000 * token_ms * noise * (double)tokens));
}

/* Times drift: who is fastest changes twice. */
static void fastest_finds_the_best_and_adapts(void **state)
{
	static const double phases[3][TARGETS][2] = {
		{ { 300, 20 }, { 500, 30 }, { 900, 40 } }, { { 3000, 90 }, { 500, 30 }, { 900, 40 } },
		{ { 3000, 90 }, { 2500, 80 }, { 900, 40 } },
	};
	static const int best[3] = { 0, 1, 2 };
	struct prompt p = prompt_of(200);
	(void)state;
	seed = 3;
	make_targets("fast", NULL);
	for (int phase = 0; phase < 3; phase++) {
		int hits = 0, late = 0, explored = 0;
		for (int k = 0; k < 1000; k++) {
			int i = first_of(&fastest_strategy, &p, NULL, 0);
			bool looked = false;
			for (int e = 0; e < TARGETS; e++)
				looked |= entries[e].placed != NULL;
			answer(i, phases[phase][i][0], phases[phase][i][1], 150);
			learned_note_length(&targets[i].live->learned, 200, 150);
			explored += looked;
			hits += i == best[phase];
			if (k < 50)
				late = k;
			else if (k < 150)
				late += i == best[phase];
		}
		print_message("fastest, phase %d: %.1f %% to the best, %.1f %% looking around; of the 100 after 50: %d\n", phase + 1,
			      hits / 10.0, explored / 10.0, late - 49);
		assert_true(hits >= 900);
		assert_true(explored <= 50);
		assert_true(late - 49 >= 90);
	}
}

/* --- a target that comes back --- */

/* Twenty requests at a time; the target breaks when more than `bears` come at once in its first moments. */
static void a_recovered_target_is_not_run_over(void **state)
{
	struct live_target *t = live_target(STR("ramp/model"));
	struct breaker *b = &t->breakers[BREAKER_ERROR];
	const struct breaker_settings s = { true, 3, 30 * SECOND_US, 10 * SECOND_US };
	int64_t now = SECOND_US;
	bool trials[20];
	(void)state;
	for (int k = 0; k < 3; k++)
		breaker_fail(b, &s, now, false);
	assert_false(breaker_allows(b, now));
	now += 11 * SECOND_US;
	int bears = 1, most = 0, outages = 0;
	for (int round = 0; round < 10; round++, bears *= 2) {
		int entered = 0;
		for (int k = 0; k < 20; k++)
			if (breaker_enter(b, now, &trials[entered]))
				entered++;
		outages += entered > bears;
		most = entered > most ? entered : most;
		for (int k = 0; k < entered; k++) {
			if (k == 0)
				breaker_succeed(b, trials[k]);	/* the first success widens, the rest come in its wake */
			else
				breaker_release(b, trials[k]);
		}
	}
	assert_int_equal(outages, 0);
	assert_int_equal(most, 20);
	assert_true(breaker_allows(b, now));
	assert_int_equal(atomic_load(&b->open_until), 0);
}

/* --- what it costs --- */

static void a_plan_over_twenty_targets(void **state)
{
	enum { MANY = 20, ROUNDS = 20000 };
	struct target many[MANY];
	struct plan_entry plan[MANY], *order[MANY];
	struct prompt p = prompt_of(1000);
	char names[MANY][32];
	(void)state;
	make_targets("many", NULL);
	for (int i = 0; i < MANY; i++) {
		int n = snprintf(names[i], sizeof(names[i]), "plan%d/model", i);
		many[i] = targets[i % TARGETS];
		many[i].live = live_target(str_of(names[i], (size_t)n));
		for (int k = 0; k < 40; k++) {
			learned_note_length(&many[i].live->learned, 1000, 100 + 10 * i);
			estimate_learn(&many[i].live->learned.input, &p, 1000 + i);
		}
	}
	int64_t began = clock_us();
	for (int k = 0; k < ROUNDS; k++) {
		struct strategy_view v = { .model = &model, .entries = order, .n = MANY, .dice = dice() };
		for (int i = 0; i < MANY; i++) {
			plan[i] = (struct plan_entry){ .target = &many[i] };
			order[i] = &plan[i];
		}
		expect(&(struct expect_view){ .prompt = &p }, plan, MANY);
		cheapest_strategy.order(&v);
	}
	print_message("a plan over %d targets: %.2f us\n", MANY, (double)(clock_us() - began) / ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cheapest_is_within_3_per_cent_of_hindsight),
		cmocka_unit_test(a_session_stays_where_its_prompt_is_cached),
		cmocka_unit_test(an_unknown_price_comes_last_and_free_first),
		cmocka_unit_test(weights_are_kept_smoothly),
		cmocka_unit_test(the_least_busy_is_asked),
		cmocka_unit_test(fastest_finds_the_best_and_adapts),
		cmocka_unit_test(a_recovered_target_is_not_run_over),
		cmocka_unit_test(a_plan_over_twenty_targets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
