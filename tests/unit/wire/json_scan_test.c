/*
 * json_scan_test.c: what is JSON and what is not, cut anywhere; and what another parser says of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "wire/json_scan.h"

static enum json_result scan_cut(const char *text, size_t n, size_t cut)
{
	struct arena a = ARENA_INIT;
	struct json_scan s;
	char *first = malloc(cut + 1), *all = malloc(n + 1);
	memcpy(first, text, cut);
	memcpy(all, text, n);
	json_scan_init(&s, &a);
	enum json_result r = json_scan_feed(&s, first, cut, false);
	if (r != JSON_BAD)
		r = json_scan_feed(&s, all, n, true);	/* the bytes have moved */
	free(first);
	free(all);
	arena_clear(&a);
	return r;
}

static void check(const char *text, size_t n, bool good)
{
	for (size_t cut = 0; cut <= n; cut++) {
		enum json_result r = scan_cut(text, n, cut);
		if ((r == JSON_DONE) != good)
			fail_msg("%.*s cut at %zu: %d", (int)n, text, cut, (int)r);
	}
}

#define GOOD(text) check(text, sizeof(text) - 1, true)
#define BAD(text) check(text, sizeof(text) - 1, false)

static void test_good(void **state)
{
	(void)state;
	GOOD("{}");
	GOOD(" \t\r\n{ } \n");
	GOOD("\xEF\xBB\xBF{}");
	GOOD("{\"a\":[1,-0,0.5,1e3,1E+2,-1.25e-7,true,false,null,\"\",{},[]]}");
	GOOD("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\\ud800\\u0000\"}");
	GOOD("{\"a\":\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"}");
	GOOD("{\"a\":18446744073709551617,\"b\":0.1234567890123456789012345678,\"c\":1E400}");
	GOOD("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}");
}

static void test_bad(void **state)
{
	(void)state;
	BAD("");
	BAD(" ");
	BAD("[]");
	BAD("null");
	BAD("{\"a\":1");
	BAD("{\"a\":1}}");
	BAD("{\"a\":1} x");
	BAD("{}{}");
	BAD("{a:1}");
	BAD("{'a':1}");
	BAD("{\"a\":1,}");
	BAD("{\"a\":[1,]}");
	BAD("{\"a\" 1}");
	BAD("{\"a\":}");
	BAD("{\"a\":NaN}");
	BAD("{\"a\":Infinity}");
	BAD("{\"a\":01}");
	BAD("{\"a\":+1}");
	BAD("{\"a\":.5}");
	BAD("{\"a\":1.}");
	BAD("{\"a\":1e}");
	BAD("{\"a\":-}");
	BAD("{\"a\":0x10}");
	BAD("{\"a\":tru}");
	BAD("{\"a\":1//c\n}");
	BAD("{\"a\":\"\\x\"}");
	BAD("{\"a\":\"\\u12g4\"}");
	BAD("{\"a\":\"\n\"}");
	BAD("{\"a\":\"\0\"}");
	BAD("{\"a\":\"\xFF\"}");
	BAD("{\"a\":\"\xC0\x80\"}");
	BAD("{\"a\":\"\xED\xA0\x80\"}");
	BAD("{\"a\":\"\xE2\x82\"}");
	BAD("{\"a\":[}]");
	BAD("\xFE\xFF\0{\0}");
}

static void test_keys_given_twice(void **state)
{
	(void)state;
	BAD("{\"model\":1,\"model\":2}");
	BAD("{\"mod\\u0065l\":1,\"model\":2}");
	BAD("{\"model\":1,\"\\u006dodel\":2}");
	BAD("{\"a\":[{\"b\":1,\"c\":2,\"b\":3}]}");
	BAD("{\"a\\u0000\":1}");
	BAD("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"c\":1}");
	GOOD("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":{\"a\":1}}");
}

static enum json_result scan(struct str text)
{
	struct arena a = ARENA_INIT;
	struct json_scan s;
	json_scan_init(&s, &a);
	enum json_result r = json_scan_feed(&s, text.p, text.n, true);
	arena_clear(&a);
	return r;
}

static enum json_result scan_keys(unsigned n, bool twice)
{
	struct buf b = BUF_INIT(16 * 1024 * 1024);
	buf_addc(&b, '{');
	for (unsigned i = 0; i < n; i++)
		buf_addf(&b, "%s\"k%u\":0", i ? "," : "", i);
	if (twice)
		buf_add(&b, STR(",\"k7\":1"));
	buf_addc(&b, '}');
	enum json_result r = scan(buf_str(&b));
	buf_free(&b);
	return r;
}

static void test_many_keys(void **state)
{
	(void)state;
	assert_int_equal(scan_keys(JSON_KEYS_MAX, false), JSON_DONE);
	assert_int_equal(scan_keys(JSON_KEYS_MAX + 1, false), JSON_BAD);
	assert_int_equal(scan_keys(5000, true), JSON_BAD);
}

static enum json_result scan_depth(unsigned n)
{
	struct buf b = BUF_INIT(1024 * 1024);
	buf_add(&b, STR("{\"a\":"));
	for (unsigned i = 1; i < n; i++)
		buf_addc(&b, '[');
	for (unsigned i = 1; i < n; i++)
		buf_addc(&b, ']');
	if (n == 1)
		buf_addc(&b, '0');
	buf_addc(&b, '}');
	enum json_result r = scan(buf_str(&b));
	buf_free(&b);
	return r;
}

static void test_depth(void **state)
{
	(void)state;
	assert_int_equal(scan_depth(1), JSON_DONE);
	assert_int_equal(scan_depth(JSON_DEPTH_MAX), JSON_DONE);
	assert_int_equal(scan_depth(JSON_DEPTH_MAX + 1), JSON_BAD);
	assert_int_equal(scan_depth(100000), JSON_BAD);
}

static struct str member(const struct json_scan *s, struct str body, struct str key)
{
	const struct json_member *m = json_scan_find(s, body, key);
	return m ? str_of(body.p + m->value_at, m->value_length) : STR_NONE;
}

static void test_index(void **state)
{
	struct str body = STR("{ \"a\" : [1, {\"model\":\"x\"}] , \"mod\\u0065l\":\"m\",\"s\":true ,\"o\":{\"a\":2}}");
	struct arena a = ARENA_INIT;
	struct json_scan s;
	(void)state;
	json_scan_init(&s, &a);
	for (size_t i = 0; i <= body.n; i++)
		assert_int_not_equal(json_scan_feed(&s, body.p, i, i == body.n), JSON_BAD);
	assert_true(str_eq(member(&s, body, STR("a")), STR("[1, {\"model\":\"x\"}]")));
	assert_true(str_eq(member(&s, body, STR("model")), STR("\"m\"")));
	assert_true(str_eq(member(&s, body, STR("s")), STR("true")));
	assert_true(str_eq(member(&s, body, STR("o")), STR("{\"a\":2}")));
	assert_null(json_scan_find(&s, body, STR("b")));
	assert_int_equal(s.n_members, 4);
	arena_clear(&a);
}

/* Mutations of one document: jansson must agree, but where it is known to be of another mind. */
static void test_agrees_with_another_parser(void **state)
{
	static const char seed[] = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"h\\u00e9 \\\"x\\\" \xC3\xA9\"}],\"n\":1,\"t\":0.5e1,\"f\":[true,null]}";
	static const char alphabet[] = "{}[]\",:\\0123456789eE+-.tfnu a\xC3\xA9\x01";
	char text[sizeof(seed)];
	unsigned agreed = 0;
	(void)state;
	srand(3);
	for (int i = 0; i < 200000; i++) {
		size_t n = sizeof(seed) - 1;
		json_error_t why;
		memcpy(text, seed, sizeof(seed));
		for (int k = rand() % 3; k >= 0; k--)
			text[(size_t)rand() % n] = alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];
		json_t *theirs = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
		bool good = json_is_object(theirs), ours = scan(str_of(text, n)) == JSON_DONE;
		bool other_mind = !good && ours && (strstr(why.text, "Unicode") || strstr(why.text, "number") || strstr(why.text, "integer"));
		json_decref(theirs);
		if (good != ours && !other_mind)
			fail_msg("%.*s: we say %d, jansson %d (%s)", (int)n, text, ours, good, why.text);
		agreed += good == ours;
	}
	assert_true(agreed > 190000);
}

static void test_objects_at_once(void **state)
{
	(void)state;
	assert_true(json_scan_is_object(STR(" {\"a\":[1,{}]} ")));
	static const char *const others[] = { "", "{", "[1]", "null", "{}x", "{\"a\":1,\"a\":2}", "{\"a\":01}" };
	for (size_t i = 0; i < array_len(others); i++)
		assert_false(json_scan_is_object(str_c(others[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good), cmocka_unit_test(test_bad), cmocka_unit_test(test_keys_given_twice),
		cmocka_unit_test(test_many_keys), cmocka_unit_test(test_depth), cmocka_unit_test(test_index),
		cmocka_unit_test(test_agrees_with_another_parser), cmocka_unit_test(test_objects_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
