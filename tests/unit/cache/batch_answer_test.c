/*
 * batch_answer_test.c: what is one vector for each item is taken apart and put together again, and nothing else is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cache/batch_answer.h"

#define ITEM(n, vector) "{\"object\":\"embedding\",\"index\":" #n ",\"embedding\":" vector "}"
#define USAGE ",\"usage\":{\"prompt_tokens\":8,\"total_tokens\":8,\"more\":1}"
#define ANSWER(items) "{\"object\":\"list\",\"data\":[" items "],\"model\":\"m\"" USAGE "}"

static const struct usage three = { .known = true, .input = 3, .total = 3 };

static void what_is_whole_is_taken_apart(void **state)
{
	struct batch_frame f;
	struct batch_vector v[3];
	(void)state;
	assert_true(batch_answer_read(STR(" " ANSWER(ITEM(2, "[7,8]") "," ITEM(0, "[1, 2]") " ," ITEM(1, "[3.5e-1,4]")) "\n"), &f, v, 3));
	assert_true(str_eq(v[0].element, STR(ITEM(0, "[1, 2]"))) && str_eq(v[2].element, STR(ITEM(2, "[7,8]"))) && str_eq(v[1].index, STR("1")));
	assert_true(v[0].size == v[1].size && v[1].size == v[2].size && v[0].size != 0);
	assert_true(str_starts(f.body, STR("{")) && str_ends(f.body, STR("}")) && str_starts(f.usage, STR("{\"prompt")));
}

static void whatever_else_it_is_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "null", "[]", "{}", "nonsense", "{\"data\":", "{\"data\":[", "{\"data\":[{", "{\"data\":{}}", "{\"data\":\"ab\"}", ANSWER(""), ANSWER(ITEM(0, "[1]")),
		ANSWER(ITEM(0, "[1]") "," ITEM(1, "[1]") "," ITEM(2, "[1]")), ANSWER(ITEM(0, "[1]") "," ITEM(0, "[1]")), ANSWER(ITEM(1, "[1]") "," ITEM(2, "[1]")),
		ANSWER(ITEM(0, "[1]") "," ITEM(-1, "[1]")), ANSWER(ITEM(0, "[1]") "," ITEM(1.0, "[1]")), ANSWER(ITEM(0, "[1]") "," ITEM(4294967297, "[1]")),
		ANSWER(ITEM(0, "[1]") ",{\"embedding\":[1]}"), ANSWER(ITEM(0, "[1]") ",[1]"), ANSWER(ITEM(0, "[1]") ",\"a\""), ANSWER(ITEM(0, "[1]") ",null"),
		ANSWER(ITEM(0, "[1]") "," ITEM(1, "[]")), ANSWER(ITEM(0, "[1]") "," ITEM(1, "\"\"")), ANSWER(ITEM(0, "[1]") "," ITEM(1, "{\"a\":1}")),
		ANSWER(ITEM(0, "[1]") "," ITEM(1, "[[1]]")), ANSWER(ITEM(0, "[1]") "," ITEM(1, "[\"a\"]")), ANSWER(ITEM(0, "[1]") "," ITEM(1, "null")),
	};
	struct batch_frame f;
	struct batch_vector v[2];
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (batch_answer_read(str_c(bad[i]), &f, v, 2))
			fail_msg("%s", bad[i]);
	assert_true(batch_answer_read(STR(ANSWER(ITEM(0, "[1]") "," ITEM(1, "[2]"))), &f, v, 2));
}

static void vectors_that_cannot_be_compared_differ_in_size(void **state)
{
	struct batch_frame f;
	struct batch_vector v[6];
	(void)state;
	assert_true(batch_answer_read(STR(ANSWER(ITEM(0, "[1,2]") "," ITEM(1, "[ 1.25 , -2 ]") "," ITEM(2, "[1,2,3]") "," ITEM(3, "\"AAAA\"") ","
						 ITEM(4, "\"BBBB\"") "," ITEM(5, "\"AAAAAAAA\""))), &f, v, 6));
	assert_true(v[0].size == v[1].size && v[3].size == v[4].size);
	assert_true(v[0].size != v[2].size && v[0].size != v[3].size && v[3].size != v[5].size && v[2].size != v[5].size);
}

static void check_written(const char *body, const char *expected)
{
	struct batch_frame f;
	struct batch_vector v[2];
	struct buf out = BUF_INIT(4096);
	assert_true(batch_answer_read(str_c(body), &f, v, 2));
	const struct batch_vector *order[] = { &v[1], &v[0], &v[1] };
	batch_answer_write(&f, order, 3, &three, &out);
	assert_true(str_eq(buf_str(&out), str_c(expected)));
	buf_free(&out);
}

static void places_and_usage_are_written_and_all_else_is_copied(void **state)
{
	(void)state;
	check_written("{\"data\":[{\"index\":0,\"embedding\":[1e-3]},{\"embedding\": \"ab\\/c=\", \"index\" : 1 }] , \"usage\":{\"x\":1, \"prompt_tokens\" : 7,\"y\":[0.0,{\"9\":0}],\"total_tokens\":7 , \"z\":{\"a\":[0.5]} },\"id\":\"\\u0041\"}",
		      "{\"data\":[{\"embedding\": \"ab\\/c=\", \"index\" : 0 },{\"index\":1,\"embedding\":[1e-3]},{\"embedding\": \"ab\\/c=\", \"index\" : 2 }]"
		      " , \"usage\":{\"prompt_tokens\" : 3,\"y\":[0.0,{\"9\":0}],\"total_tokens\":3 },\"id\":\"\\u0041\"}");
	check_written("{\"usage\":{ \"total_tokens\":8,\"cost\":1},\"data\":[{\"index\":1,\"embedding\":[1]},{\"index\":0,\"embedding\":[2]}]}",
		      "{\"usage\":{ \"total_tokens\":3},\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":1,\"embedding\":[2]},{\"index\":2,\"embedding\":[1]}]}");
	check_written("{\"usage\":null,\"data\":[{\"index\":1,\"embedding\":[1]},{\"index\":0,\"embedding\":[2]}]}",
		      "{\"usage\":null,\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":1,\"embedding\":[2]},{\"index\":2,\"embedding\":[1]}]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_whole_is_taken_apart), cmocka_unit_test(whatever_else_it_is_is_refused),
		cmocka_unit_test(vectors_that_cannot_be_compared_differ_in_size), cmocka_unit_test(places_and_usage_are_written_and_all_else_is_copied),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
