/*
 * openai_usage_test.c: one usage out of every vendor's way to report it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/target.h"
#include "dialects/openai_usage.h"
#include "tests/unit/dialects/recordings.h"

struct row {
	struct str json;
	unsigned quirks;
	struct usage want;
};

static void check(const struct row *r)
{
	struct usage u = { 0 };
	if (openai_usage(r->json, r->quirks, &u) != r->want.known)
		fail_msg("%.*s", STR_FMT(r->json));
	if (u.input != r->want.input || u.output != r->want.output || u.total != r->want.total ||
	    u.cached != r->want.cached || u.cache_write != r->want.cache_write || u.reasoning != r->want.reasoning ||
	    u.audio_input != r->want.audio_input || u.audio_output != r->want.audio_output)
		fail_msg("%.*s: %d in, %d out, %d in all, %d cached, %d reasoning", STR_FMT(r->json), (int)u.input,
			 (int)u.output, (int)u.total, (int)u.cached, (int)u.reasoning);
}

static void test_vendors_ways(void **state)
{
	static const struct row rows[] = {
		{ STR_INIT("{\"prompt_tokens\":9,\"completion_tokens\":12,\"total_tokens\":21}"), 0,
		  { .known = true, .input = 9, .output = 12, .total = 21 } },
		{ STR_INIT("{\"input_tokens\":5,\"output_tokens\":3}"), 0, { .known = true, .input = 5, .output = 3, .total = 8 } },
		{ STR_INIT("{\"prompt_tokens\":100,\"completion_tokens\":50,\"total_tokens\":150,\"prompt_tokens_details\":"
			   "{\"cached_tokens\":64,\"audio_tokens\":7},\"completion_tokens_details\":{\"reasoning_tokens\":20,"
			   "\"audio_tokens\":8}}"), 0,
		  { .known = true, .input = 100, .output = 50, .total = 150, .cached = 64, .reasoning = 20, .audio_input = 7,
		    .audio_output = 8 } },
		{ STR_INIT("{\"input_tokens\":100,\"input_tokens_details\":{\"cached_tokens\":64,\"cache_write_tokens\":3},"
			   "\"output_tokens\":50,\"output_tokens_details\":{\"reasoning_tokens\":20}}"), 0,
		  { .known = true, .input = 100, .output = 50, .total = 150, .cached = 64, .cache_write = 3, .reasoning = 20 } },
		/* DeepSeek; Moonshot; Mistral; Voyage */
		{ STR_INIT("{\"prompt_tokens\":10,\"completion_tokens\":1,\"total_tokens\":11,\"prompt_cache_hit_tokens\":8}"), 0,
		  { .known = true, .input = 10, .output = 1, .total = 11, .cached = 8 } },
		{ STR_INIT("{\"prompt_tokens\":10,\"completion_tokens\":1,\"cached_tokens\":4}"), 0,
		  { .known = true, .input = 10, .output = 1, .total = 11, .cached = 4 } },
		{ STR_INIT("{\"completion_tokens\":6,\"num_cached_tokens\":32,\"prompt_tokens\":64,\"total_tokens\":70}"), 0,
		  { .known = true, .input = 64, .output = 6, .total = 70, .cached = 32 } },
		{ STR_INIT("{\"total_tokens\":17}"), 0, { .known = true, .input = 17, .total = 17 } },
	};
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		check(&rows[i]);
}

/* Reasoning beside completion: where the sum says so, or the preset. */
static void test_reasoning_beside_the_completion(void **state)
{
	static const struct row rows[] = {
		{ STR_INIT("{\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":40,"
			   "\"completion_tokens_details\":{\"reasoning_tokens\":25}}"), 0,
		  { .known = true, .input = 10, .output = 30, .total = 40, .reasoning = 25 } },
		{ STR_INIT("{\"prompt_tokens\":10,\"completion_tokens\":30,\"total_tokens\":40,"
			   "\"completion_tokens_details\":{\"reasoning_tokens\":25}}"), QUIRK_COMPLETION_EXCLUDES_REASONING,
		  { .known = true, .input = 10, .output = 30, .total = 40, .reasoning = 25 } },
		{ STR_INIT("{\"prompt_tokens\":10,\"completion_tokens\":5,"
			   "\"completion_tokens_details\":{\"reasoning_tokens\":25}}"), QUIRK_COMPLETION_EXCLUDES_REASONING,
		  { .known = true, .input = 10, .output = 30, .total = 40, .reasoning = 25 } },
	};
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		check(&rows[i]);
}

static void test_what_is_no_usage(void **state)
{
	static const struct row rows[] = {
		{ STR_INIT("null"), 0, { false } }, { STR_INIT(""), 0, { false } },
		{ STR_INIT("{}"), 0, { false } },
		{ STR_INIT("[]"), 0, { false } },
		{ STR_INIT("{\"prompt_tokens\":0,\"completion_tokens\":0}"), 0, { false } },
		{ STR_INIT("{\"prompt_tokens\":-5,\"completion_tokens\":\"7\",\"total_tokens\":1.5}"), 0, { false } },
		{ STR_INIT("{\"prompt_tokens\":99999999999999999999}"), 0, { false } },
	};
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		check(&rows[i]);
}

/* What no answer can have is not counted, and so no sum runs over. */
static void test_huge_numbers(void **state)
{
	static const struct row rows[] = {
		{ STR_INIT("{\"prompt_tokens\":9223372036854775807,\"completion_tokens\":9223372036854775807}"),
		  0, { false } },
		{ STR_INIT("{\"prompt_tokens\":7,\"completion_tokens\":3,\"total_tokens\":9223372036854775807,"
			   "\"completion_tokens_details\":{\"reasoning_tokens\":9223372036854775807}}"),
		  QUIRK_COMPLETION_EXCLUDES_REASONING, { .known = true, .input = 7, .output = 3, .total = 10 } },
	};
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		check(&rows[i]);
}

static void found(struct str body, int64_t input)
{
	struct usage u = { 0 };
	assert_int_equal(openai_find_usage(body, 0, &u), input > 0);
	assert_int_equal(u.input, input);
}

static void test_the_last_usage_of_a_body(void **state)
{
	(void)state;
	found(STR("{\"usage\":{\"prompt_tokens\":1},\"x\":{\"usage\" : {\"prompt_tokens\":2}}}"), 2);
	found(STR("...cut\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}"), 3);
	found(STR("{\"x_groq\":{\"usage\":{\"prompt_tokens\":4}}}"), 4);
	found(STR("{\"usage\":\n {\"prompt_tokens\":5}}\n"), 5);
	found(STR("{\"usage\":null}"), 0);
	found(STR("{\"usage\":{\"prompt_tokens\":6}, \"later\":{\"usage\":null}}"), 6);
	found(STR("{\"usage\":{\"prompt_tokens\":7"), 0);
	found(STR("{}"), 0);
	found(STR(""), 0);
}

static void test_words_that_are_no_key(void **state)
{
	(void)state;
	found(STR("{\"usage\":{\"prompt_tokens\":1},"
			   "\"content\":\"say \\\"usage\\\":{\\\"prompt_tokens\\\":9}\"}"), 1);
	found(STR("{\"usage\":{\"prompt_tokens\":2},\"object\":\"usage\",\"a\":{\"prompt_tokens\":9}}"), 2);
	found(STR("{\"usage\":{\"prompt_tokens\":3},\"names\":[\"usage\"]}"), 3);
}

/* --- recorded answers --- */

static void check_plain(const struct recording *r, void *counted)
{
	unsigned *n = counted;
	struct usage u = { 0 }, want = { 0 };
	struct str body = json_value(r->answer), usage = json_get(body, STR("usage"));
	if (r->stream || r->status != 200)
		return;
	bool any = openai_usage(usage, 0, &want);
	if (openai_find_usage(r->answer, 0, &u) != any || u.input != want.input || u.output != want.output)
		fail_msg("%.*s", STR_FMT(r->name));
	*n += any;
}

static void test_recorded_answers(void **state)
{
	unsigned n = 0;
	(void)state;
	assert_true(each_recording(check_plain, &n) > 500);
	assert_true(n > 250);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vendors_ways), cmocka_unit_test(test_reasoning_beside_the_completion),
		cmocka_unit_test(test_what_is_no_usage), cmocka_unit_test(test_huge_numbers),
		cmocka_unit_test(test_the_last_usage_of_a_body), cmocka_unit_test(test_words_that_are_no_key),
		cmocka_unit_test(test_recorded_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
