/*
 * estimate_test.c: tokens of prompts a model has not seen, after it saw twenty others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/dialect.h"
#include "core/estimate.h"
#include "core/price.h"
#include "tests/unit/dialects/recordings.h"

enum { SEEN = 20, ROUNDS = 20, SAMPLES_MAX = 64, ERRORS_MAX = 4096 };

extern const struct dialect openai_chat_dialect;

struct sample {
	struct prompt prompt;
	int64_t tokens;
};

struct samples {
	struct str model;
	struct sample all[SAMPLES_MAX];
	unsigned n;
};

static double errors[ERRORS_MAX];
static unsigned n_errors;

static void collect(const struct recording *r, void *arg)
{
	struct samples *s = arg;
	struct usage u = { 0 };
	struct sample *at = &s->all[s->n];
	struct str request = json_value(r->request);
	if (r->status != 200 || !str_eq(r->endpoint, STR("chat")) || s->n == SAMPLES_MAX ||
	    !json_is(json_get(request, STR("model")), s->model) || !recording_usage(r, &u))
		return;
	openai_chat_dialect.measure(request, &at->prompt);
	at->tokens = u.input;
	s->n += at->prompt.images == 0 && at->prompt.sounds == 0;	/* their tokens are a guess, and said to be one */
}

static void shuffle(struct samples *s, unsigned *seed)
{
	for (unsigned i = s->n - 1; i > 0; i--) {
		*seed = *seed * 1103515245u + 12345u;
		unsigned k = (*seed >> 8) % (i + 1);
		struct sample other = s->all[i];
		s->all[i] = s->all[k];
		s->all[k] = other;
	}
}

static void learn_and_judge(struct samples *s)
{
	struct estimator e = { .busy = ATOMIC_FLAG_INIT };
	for (unsigned i = 0; i < SEEN; i++)
		estimate_learn(&e, &s->all[i].prompt, s->all[i].tokens);
	for (unsigned i = SEEN; i < s->n && n_errors < ERRORS_MAX; i++) {
		double tokens = (double)s->all[i].tokens, guess = (double)estimate_input(&e, &s->all[i].prompt);
		errors[n_errors++] = guess > tokens ? guess / tokens - 1 : 1 - guess / tokens;
	}
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void unseen_prompts_are_estimated_within_15_per_cent(void **state)
{
	static const char *const models[] = { "gpt-4o", "gpt-4o-mini" };
	unsigned seed = 7, used = 0;
	(void)state;
	for (size_t m = 0; m < array_len(models); m++) {
		static struct samples s;
		s = (struct samples){ .model = str_c(models[m]) };
		each_recording(collect, &s);
		used += s.n > SEEN;
		for (unsigned round = 0; round < ROUNDS && s.n > SEEN; round++) {
			shuffle(&s, &seed);
			learn_and_judge(&s);
		}
	}
	assert_true(used > 0 && n_errors >= ROUNDS);
	qsort(errors, n_errors, sizeof(*errors), by_size);
	double p95 = errors[n_errors * 95 / 100];
	print_message("%u estimates of %u models: median %.1f %%, 95th percentile %.1f %%\n", n_errors, used,
		      100 * errors[n_errors / 2], 100 * p95);
	assert_true(p95 <= 0.15);
}

static struct prompt prompt_of(const char *body)
{
	struct prompt p;
	openai_chat_dialect.measure(str_c(body), &p);
	return p;
}

static void needs_are_seen(void **state)
{
	(void)state;
	assert_int_equal(prompt_of("{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}").needs, 0);
	assert_int_equal(prompt_of("{\"messages\":[],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]}").needs,
			 FEATURE_TOOLS);
	assert_int_equal(prompt_of("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":"
				   "{\"url\":\"data:image/png;base64,AAAA\"}}]}]}").needs, FEATURE_VISION);
	assert_int_equal(prompt_of("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\",\"input_audio\":{}}]}]}").needs,
			 FEATURE_AUDIO);
	assert_int_equal(prompt_of("{\"messages\":[],\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{}}}").needs,
			 FEATURE_JSON_SCHEMA);
	assert_int_equal(prompt_of("{\"input\":\"x\",\"text\":{\"format\":{\"type\":\"json_schema\"}}}").needs, FEATURE_JSON_SCHEMA);
}

static void other_scripts_count_by_character(void **state)
{
	struct prompt latin = prompt_of("{\"messages\":[{\"role\":\"user\",\"content\":\"one two three four\"}]}");
	struct prompt chinese = prompt_of("{\"messages\":[{\"role\":\"user\",\"content\":\"一二三四五六七八\"}]}");
	struct prompt escaped = prompt_of("{\"messages\":[{\"role\":\"user\",\"content\":\"\\u4e00\\u4e8c\\u4e09\\u56db\"}]}");
	(void)state;
	assert_true(latin.part[PROMPT_TEXT] == 4);
	assert_true(chinese.part[PROMPT_TEXT] > 7 && chinese.part[PROMPT_TEXT] < 9);
	assert_true(escaped.part[PROMPT_TEXT] > 3.5 && escaped.part[PROMPT_TEXT] < 4.5);
}

/* A sample of a long text says about what the whole of it says. */
static void long_texts_are_sampled(void **state)
{
	struct buf b = BUF_INIT(1 << 20);
	(void)state;
	buf_add(&b, STR("{\"messages\":[{\"role\":\"user\",\"content\":\""));
	for (int i = 0; i < 20000; i++)
		buf_add(&b, STR("word "));
	buf_add(&b, STR("\"}]}"));
	buf_addc(&b, 0);
	float units = prompt_of(b.p).part[PROMPT_TEXT];
	assert_true(units > 19000 && units < 21000);
	buf_free(&b);
}

static void it_survives_a_restart_and_nonsense(void **state)
{
	struct estimator e = { .busy = ATOMIC_FLAG_INIT }, again = { .busy = ATOMIC_FLAG_INIT };
	struct prompt p = prompt_of("{\"messages\":[{\"role\":\"user\",\"content\":\"say this is a test\"}]}");
	double kept[ESTIMATE_NUMBERS];
	(void)state;
	for (int i = 0; i < 50; i++)
		estimate_learn(&e, &p, 30);
	assert_in_range(estimate_input(&e, &p), 26, 31);
	estimate_save(&e, kept);
	assert_true(estimate_restore(&again, kept, 50));
	assert_int_equal(estimate_input(&again, &p), estimate_input(&e, &p));
	kept[3] = 0.0 / 0.0;
	assert_false(estimate_restore(&again, kept, 50));
	estimate_learn(&e, &p, -5);
	estimate_learn(&e, &p, INT64_MAX);
	for (int i = 0; i < 20; i++)
		estimate_learn(&e, &p, 3000000);	/* a vendor that counts nonsense for a while does not ruin it at once */
	assert_true(estimate_input(&e, &p) >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unseen_prompts_are_estimated_within_15_per_cent),
		cmocka_unit_test(needs_are_seen),
		cmocka_unit_test(other_scripts_count_by_character),
		cmocka_unit_test(long_texts_are_sampled),
		cmocka_unit_test(it_survives_a_restart_and_nonsense),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
