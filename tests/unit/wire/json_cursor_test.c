/*
 * json_cursor_test.c: values read in place, out of good bytes and out of nonsense.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "wire/json_cursor.h"

static void assert_str(struct str have, struct str want)
{
	if (!str_eq(have, want))
		fail_msg("%.*s instead of %.*s", STR_FMT(have), STR_FMT(want));
}

static void test_a_value_and_its_type(void **state)
{
	static const struct { struct str text, value; enum json_type type; } rows[] = {
		{ STR_INIT(" {\"a\":\"}\"} x"), STR_INIT("{\"a\":\"}\"}"), JSON_OBJECT },
		{ STR_INIT("\n[1,[2]],"), STR_INIT("[1,[2]]"), JSON_ARRAY },
		{ STR_INIT("\"a\\\"b\\\\\","), STR_INIT("\"a\\\"b\\\\\""), JSON_STRING },
		{ STR_INIT("-1.5e3}"), STR_INIT("-1.5e3"), JSON_NUMBER },
		{ STR_INIT("true]"), STR_INIT("true"), JSON_TRUE },
		{ STR_INIT("false"), STR_INIT("false"), JSON_FALSE },
		{ STR_INIT("\tnull "), STR_INIT("null"), JSON_NULL },
		{ STR_INIT("tru"), STR_INIT("tru"), JSON_NONE },
		{ STR_INIT("NaN"), STR_INIT("NaN"), JSON_NONE },
	};
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		assert_str(json_value(rows[i].text), rows[i].value);
		assert_int_equal(json_type(json_value(rows[i].text)), rows[i].type);
	}
}

static void test_what_has_no_end_is_no_value(void **state)
{
	static const struct str rows[] = {
		STR_INIT(""), STR_INIT("  "), STR_INIT("{"), STR_INIT("[1,{]"), STR_INIT("\"abc"),
		STR_INIT("\"abc\\\""),
		STR_INIT("{\"a\":\"}"), STR_INIT("}"), STR_INIT(","), STR_INIT(":"),
	};
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		assert_null(json_value(rows[i]).p);
	assert_null(json_value(STR_NONE).p);
	assert_int_equal(json_type(STR_NONE), JSON_NONE);
}

static void test_members_in_their_order(void **state)
{
	static const struct { struct str key, value; } want[] = {
		{ STR_INIT("a"), STR_INIT("1") }, { STR_INIT("b\\n"), STR_INIT("[ 2 , {} ]") },
		{ STR_INIT(""), STR_INIT("\"x,y\"") },
		{ STR_INIT("c"), STR_INIT("null") },
	};
	struct json_cursor c;
	size_t n = 0;
	(void)state;
	assert_true(json_cursor_open(&c, STR("{ \"a\" : 1, \"b\\n\":[ 2 , {} ],\"\":\"x,y\" , \"c\":null }")));
	assert_true(c.object);
	for (; json_cursor_next(&c); n++) {
		assert_str(c.key, want[n].key);
		assert_str(c.value, want[n].value);
	}
	assert_int_equal(n, array_len(want));
	assert_false(json_cursor_next(&c));
}

static void test_elements_in_their_order(void **state)
{
	static const struct str want[] = { STR_INIT("1"), STR_INIT("\"]\""), STR_INIT("[[]]"),
		STR_INIT("{\"a\":[3]}"), STR_INIT("true"),
	};
	struct json_cursor c;
	size_t n = 0;
	(void)state;
	assert_true(json_cursor_open(&c, STR("[1, \"]\",[[]] ,{\"a\":[3]},true]")));
	assert_false(c.object);
	for (; json_cursor_next(&c); n++)
		assert_str(c.value, want[n]);
	assert_int_equal(n, array_len(want));
}

static void test_only_containers_are_opened(void **state)
{
	struct json_cursor c;
	(void)state;
	assert_false(json_cursor_open(&c, STR("1")));
	assert_false(json_cursor_open(&c, STR("\"[]\"")));
	assert_false(json_cursor_open(&c, STR_NONE));
	assert_true(json_cursor_open(&c, STR("{}")) && !json_cursor_next(&c));
	assert_true(json_cursor_open(&c, STR("[ ]")) && !json_cursor_next(&c));
}

static void test_nonsense_ends(void **state)
{
	static const struct str rows[] = {
		STR_INIT("{"), STR_INIT("["), STR_INIT("{\"a\"}"), STR_INIT("{\"a\":}"), STR_INIT("{a:1}"),
		STR_INIT("{\"a"), STR_INIT("[,,]"),
		STR_INIT("{,}"), STR_INIT("[}"), STR_INIT("[:]"), STR_INIT("{\"a\":\"\\"),
	};
	struct json_cursor c;
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		assert_true(json_cursor_open(&c, rows[i]));
		assert_false(json_cursor_next(&c));
	}
}

static void test_first(void **state)
{
	(void)state;
	assert_int_equal(json_first(STR("[ {\"a\":1} ]")), '{');
	assert_int_equal(json_first(STR("{ \"a\":1}")), '"');
	assert_int_equal(json_first(STR("[-1]")), '-');
	assert_int_equal(json_first(STR("[ ]")), 0);
	assert_int_equal(json_first(STR("{}")), 0);
	assert_int_equal(json_first(STR("\"a\"")), 0);
	assert_int_equal(json_first(STR("[")), 0);
}

static void test_lists_of_one_type(void **state)
{
	(void)state;
	assert_true(json_list_of(STR("[1]"), JSON_NUMBER));
	assert_true(json_list_of(STR("[ -1.5e3 , 2 ]"), JSON_NUMBER));
	assert_true(json_list_of(STR("[\"a\",\"]\"]"), JSON_STRING));
	static const char *const others[] = { "[]", "[ ]", "[1,\"2\"]", "[1,[2]]", "[null]", "1", "\"1\"", "{\"a\":1}", "[", "[,", "" };
	for (size_t i = 0; i < array_len(others); i++)
		assert_false(json_list_of(str_c(others[i]), JSON_NUMBER));
}

static void test_members_by_key(void **state)
{
	struct str object = STR("{\"a\":{\"model\":0},\"mod\\u0065l\":\"m\",\"x\\\\\":2,\"\\ud83d\\ude00\":3,\"model\":4}");
	(void)state;
	assert_str(json_get(object, STR("model")), STR("\"m\""));	/* the first of two */
	assert_str(json_get(object, STR("x\\")), STR("2"));
	assert_str(json_get(object, STR("\xF0\x9F\x98\x80")), STR("3"));
	assert_str(json_get(json_get(object, STR("a")), STR("model")), STR("0"));
	assert_null(json_get(object, STR("mod")).p);
	assert_null(json_get(object, STR("")).p);
	assert_null(json_get(STR("[\"model\",1]"), STR("model")).p);
	assert_null(json_get(STR_NONE, STR("model")).p);
}

static void test_several_members_in_one_pass(void **state)
{
	static const struct str keys[] = { STR_INIT("model"), STR_INIT("x\\"), STR_INIT("absent"), STR_INIT("a"), STR_INIT("") };
	struct str object = STR("{\"a\":{\"model\":0},\"mod\\u0065l\":\"m\",\"x\\\\\":2,\"model\":4}"), out[array_len(keys)];
	(void)state;
	json_get_all(object, keys, array_len(keys), out);
	for (size_t i = 0; i < array_len(keys); i++)
		assert_ptr_equal(out[i].p, json_get(object, keys[i]).p);
	assert_str(out[0], STR("\"m\""));
	json_get_all(STR("[\"model\",1]"), keys, array_len(keys), out);
	for (size_t i = 0; i < array_len(keys); i++)
		assert_null(out[i].p);
}

static void test_the_whole_of_a_text(void **state)
{
	(void)state;
	assert_str(json_whole(STR(" \r\n{\"a\": [1, 2] }\t\n")), STR("{\"a\": [1, 2] }"));
	assert_str(json_whole(STR("\"x \"")), STR("\"x \""));
	assert_int_equal(json_whole(STR(" \n ")).n, 0);
	assert_int_equal(json_whole(STR_NONE).n, 0);
}

/* Asked in any order, twice, for what is absent, and for the first of two that are called the same. */
static void test_fields(void **state)
{
	struct json_fields f;
	(void)state;
	json_fields_open(&f, STR("{\"b\":[1,{\"a\":0}],\"\\u0061\":2,\"c\":\"x\",\"a\":3,\"n\":-4}"));
	assert_str(json_field(&f, STR("c")), STR("\"x\""));
	assert_str(json_field(&f, STR("b")), STR("[1,{\"a\":0}]"));
	assert_str(json_field(&f, STR("a")), STR("2"));
	assert_null(json_field(&f, STR("d")).p);
	assert_str(json_field(&f, STR("c")), STR("\"x\""));
	assert_int_equal(json_field_count(&f, STR("a")), 2);
	assert_int_equal(json_field_count(&f, STR("n")), 0);
	json_fields_open(&f, STR("[\"a\",1]"));
	assert_null(json_field(&f, STR("a")).p);
	json_fields_open(&f, STR_NONE);
	assert_null(json_field(&f, STR("a")).p);
	json_fields_open(&f, STR("{\"a\" \"b\":1}"));
	assert_null(json_field(&f, STR("a")).p);
	assert_null(json_field(&f, STR("b")).p);
}

static void test_more_fields_than_are_remembered(void **state)
{
	char text[4096] = "{", key[16];
	int n = 1;
	struct json_fields f;
	(void)state;
	for (int i = 0; i < 2 * JSON_FIELDS; i++)
		n += sprintf(text + n, "%s\"k%d\":%d", i ? "," : "", i, i);
	strcpy(text + n, "}");
	json_fields_open(&f, str_c(text));
	for (int i = 2 * JSON_FIELDS - 1; i >= 0; i--) {
		sprintf(key, "k%d", i);
		assert_int_equal(json_field_count(&f, str_c(key)), i);
	}
	assert_null(json_field(&f, STR("k")).p);
}

static void test_text(void **state)
{
	static const struct { struct str value, text; } rows[] = {
		{ STR_INIT("\"\""), STR_INIT("") },
		{ STR_INIT("\"a b\""), STR_INIT("a b") },
		{ STR_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), STR_INIT("\"\\/\b\f\n\r\t") },
		{ STR_INIT("\"\\u0041\\u00e9\\u20AC\\uD83D\\uDE00\""),
		STR_INIT("A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80") },
		{ STR_INIT("\"a\\u0000b\""), STR_INIT("a\0b") },
		{ STR_INIT("\"\\ud800x\\udc00\\ud800\\ud800\\udc00\""),
		STR_INIT("\xED\xA0\x80x\xED\xB0\x80\xED\xA0\x80\xF0\x90\x80\x80") },
	};
	struct arena a = ARENA_INIT;
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		assert_str(json_text(&a, rows[i].value), rows[i].text);
		assert_true(json_is(rows[i].value, rows[i].text));
		assert_false(json_is(rows[i].value, STR("a")));
	}
	assert_false(json_is(STR("\"ab\""), STR("a")));
	assert_false(json_is(STR("\"\\u0061\""), STR("ab")));
	assert_false(json_is(STR("\"\\u00e9\""), STR("\xC3")));
	arena_clear(&a);
}

static void test_what_is_no_text(void **state)
{
	static const struct str rows[] = {
		STR_INIT("1"), STR_INIT("null"), STR_INIT("\""), STR_INIT(""), STR_INIT("\"\\x\""),
		STR_INIT("\"\\u12\""),
		STR_INIT("\"\\u12g4\""), STR_INIT("\"\\\""), STR_INIT("[\"a\"]"),
	};
	struct arena a = ARENA_INIT;
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		assert_null(json_text(&a, rows[i]).p);
		assert_false(json_is(rows[i], STR("")));
	}
	assert_null(json_raw(STR("[1]")).p);
	assert_str(json_raw(STR("\"a\\n\"")), STR("a\\n"));
	arena_clear(&a);
}

static void test_integers(void **state)
{
	static const struct { struct str text; int64_t n; bool good; } rows[] = {
		{ STR_INIT("0"), 0, true }, { STR_INIT("-0"), 0, true }, { STR_INIT("42"), 42, true },
		{ STR_INIT("-42"), -42, true },
		{ STR_INIT("9223372036854775807"), INT64_MAX, true },
		{ STR_INIT("-9223372036854775807"), -INT64_MAX, true },
		{ STR_INIT("9223372036854775808"), 0, false }, { STR_INIT("18446744073709551617"), 0, false },
		{ STR_INIT("1.0"), 0, false }, { STR_INIT("1e3"), 0, false },
		{ STR_INIT("\"1\""), 0, false }, { STR_INIT("-"), 0, false },
		{ STR_INIT("--1"), 0, false }, { STR_INIT("1-"), 0, false }, { STR_INIT(""), 0, false },
		{ STR_INIT("true"), 0, false },
	};
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		int64_t n = 7;
		assert_int_equal(json_int(rows[i].text, &n), rows[i].good);
		assert_int_equal(n, rows[i].good ? rows[i].n : 7);
	}
}

static void test_counts(void **state)
{
	struct str usage = STR("{\"a\":12,\"b\":-1,\"c\":1.5,\"d\":null,\"e\":\"3\",\"f\":99999999999999999999}");
	(void)state;
	assert_int_equal(json_count(usage, STR("a")), 12);
	for (const char *k = "bcdefg"; *k; k++)
		assert_int_equal(json_count(usage, str_of(k, 1)), 0);
	assert_int_equal(json_count(STR("null"), STR("a")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_value_and_its_type), cmocka_unit_test(test_what_has_no_end_is_no_value),
		cmocka_unit_test(test_members_in_their_order), cmocka_unit_test(test_elements_in_their_order),
		cmocka_unit_test(test_only_containers_are_opened), cmocka_unit_test(test_nonsense_ends),
		cmocka_unit_test(test_first), cmocka_unit_test(test_lists_of_one_type), cmocka_unit_test(test_members_by_key), cmocka_unit_test(test_several_members_in_one_pass), cmocka_unit_test(test_fields), cmocka_unit_test(test_the_whole_of_a_text),
		cmocka_unit_test(test_more_fields_than_are_remembered), cmocka_unit_test(test_text),
		cmocka_unit_test(test_what_is_no_text), cmocka_unit_test(test_integers), cmocka_unit_test(test_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
