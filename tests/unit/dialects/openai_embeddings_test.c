/*
 * openai_embeddings_test.c: numbers become base64 where the caller asked for it, and nothing else changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dialects/openai_embeddings.h"
#include "tests/unit/dialects/recordings.h"

static void becomes(struct str body, struct str want)
{
	struct call call = { .base64 = true };
	struct buf out = BUF_INIT(1 << 20);
	assert_true(openai_embeddings_to_base64(&call, body, &out));
	if (!str_eq(buf_str(&out), want))
		fail_msg("%.*s", STR_FMT(buf_str(&out)));
	buf_free(&out);
}

static void stays(struct str body, bool wanted)
{
	struct call call = { .base64 = wanted };
	struct buf out = BUF_INIT(1 << 20);
	assert_false(openai_embeddings_to_base64(&call, body, &out));
	buf_free(&out);
}

static void test_vectors(void **state)
{
	(void)state;
	/* 1.0f is 00 00 80 3F, -2.0f 00 00 00 C0, 0.5f 00 00 00 3F */
	becomes(STR("{\"object\":\"list\","
			   "\"data\":[{\"embedding\":[1.0],\"index\":0}],\"usage\":{\"prompt_tokens\":3}}"),
		STR("{\"object\":\"list\",\"data\":[{\"embedding\":\"AACAPw==\","
				   "\"index\":0}],\"usage\":{\"prompt_tokens\":3}}"));
	becomes(STR("{\"data\":[{\"embedding\" : [ 1, -2e0 ,5E-1]},{\"index\":1,\"embedding\":[0]}]}\n"),
		STR("{\"data\":[{\"embedding\" : \"AACAPwAAAMAAAAA/\"},{\"index\":1,\"embedding\":\"AAAAAA==\"}]}\n"));
}

static void test_what_is_base64_already_stays(void **state)
{
	(void)state;
	becomes(STR("{\"data\":[{\"embedding\":\"AACAPw==\"},{\"embedding\":[1]},{\"embedding\":{\"int8\":[1]}}]}"),
		STR("{\"data\":[{\"embedding\":\"AACAPw==\"},{\"embedding\":\"AACAPw==\"},"
				   "{\"embedding\":{\"int8\":[1]}}]}"));
	stays(STR("{\"data\":[{\"embedding\":\"AACAPw==\"}]}"), true);
}

static void test_what_is_no_vector_stays(void **state)
{
	static const struct str rows[] = {
		STR_INIT("{\"data\":[{\"embedding\":[]}]}"),
		STR_INIT("{\"data\":[{\"embedding\":[1,\"2\"]}]}"),
		STR_INIT("{\"data\":[{\"embedding\":[1,null]}]}"),
		STR_INIT("{\"data\":[{\"embedding\":[[1]]}]}"),
		STR_INIT("{\"data\":[{\"embedding\":[1-2]}]}"), STR_INIT("{\"data\":[]}"),
		STR_INIT("{\"data\":{\"embedding\":[1]}}"),
		STR_INIT("{\"embedding\":[1]}"), STR_INIT("{\"data\":[{\"embedding\":[1"), STR_INIT("[]"),
		STR_INIT(""),
		STR_INIT("{\"data\":[{\"embedding\":[0.0000000000000000000000000000000000000000000000000000000000000001]}]}"),
	};
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		stays(rows[i], true);
	stays(STR("{\"data\":[{\"embedding\":[1.0]}]}"), false);
}

/* --- recorded answers --- */

static unsigned count_vectors(struct str body, enum json_type type)
{
	struct json_cursor c;
	unsigned n = 0;
	for (bool more = json_cursor_open(&c, json_get(json_value(body),
		STR("data"))); more && json_cursor_next(&c);)
		n += json_type(json_get(c.value, STR("embedding"))) == type;
	return n;
}

static void check_recorded(const struct recording *r, void *arg)
{
	unsigned *converted = arg, vectors = count_vectors(r->answer, JSON_ARRAY);
	struct call call = { .base64 = true };
	struct buf out = BUF_INIT(16 << 20);
	if (!str_eq(r->endpoint, STR("embeddings")) || r->status != 200)
		return;
	assert_int_equal(openai_embeddings_to_base64(&call, r->answer, &out), vectors > 0);
	assert_true(vectors == 0 || count_vectors(buf_str(&out), JSON_STRING) >= vectors);
	assert_int_equal(count_vectors(buf_str(&out), JSON_ARRAY), 0);
	*converted += vectors;
	buf_free(&out);
}

static void test_recorded_vectors(void **state)
{
	unsigned converted = 0;
	(void)state;
	each_recording(check_recorded, &converted);
	assert_true(converted > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors), cmocka_unit_test(test_what_is_base64_already_stays),
		cmocka_unit_test(test_what_is_no_vector_stays), cmocka_unit_test(test_recorded_vectors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
