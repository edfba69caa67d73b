/*
 * json_write_test.c: what is written is the JSON that was meant, and mistakes are told at the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/json_write.h"

enum { PLENTY = 65536 };

struct page {
	struct buf out;
	struct json_write w;
};

static struct json_write *blank(struct page *p, size_t max)
{
	buf_init(&p->out, max);
	json_write_init(&p->w, &p->out);
	return &p->w;
}

static void check_text(struct page *p, struct str wanted)
{
	assert_true(json_write_end(&p->w));
	assert_int_equal(p->out.n, wanted.n);
	assert_memory_equal(p->out.p, wanted.p, wanted.n);
	buf_free(&p->out);
}

static void check_mistake(struct page *p, size_t written)
{
	assert_false(json_write_end(&p->w));
	json_write_null(&p->w);
	assert_int_equal(p->out.n, written);
	assert_false(json_write_end(&p->w));
	buf_free(&p->out);
}

static void write_example(struct json_write *w)
{
	json_write_object(w);
	json_write_key(w, STR("model"));
	json_write_string(w, STR("a \"b\"\n\xC3\xA1"));
	json_write_key(w, STR("k\"ey"));
	json_write_array(w);
	json_write_int(w, 0);
	json_write_int(w, INT64_MIN);
	json_write_int(w, INT64_MAX);
	json_write_object(w);
	json_write_object_end(w);
	json_write_array(w);
	json_write_array_end(w);
	json_write_bool(w, true);
	json_write_bool(w, false);
	json_write_null(w);
	json_write_array_end(w);
	json_write_key_escaped(w, STR("\\u0041"));
	json_write_escaped(w, STR("\\ud83d\\/"));
	json_write_key(w, STR(""));
	json_write_raw(w, STR("{\"t\": 0.70}"));
	json_write_object_end(w);
}

#define EXAMPLE "{\"model\":\"a \\\"b\\\"\\n\xC3\xA1\",\"k\\\"ey\":[0,-9223372036854775808,9223372036854775807,{},[]," \
	"true,false,null],\"\\u0041\":\"\\ud83d\\/\",\"\":{\"t\": 0.70}}"

/* An event of a stream is one line, however its provider wrote what is in it. */
static void test_one_line(void **state)
{
	struct buf b = BUF_INIT(100);
	struct json_write w;
	(void)state;
	json_write_init(&w, &b);
	json_write_raw(&w, STR("{\r\n\"a\": \"\\n\"\n}"));
	assert_true(json_write_end(&w) && str_eq(buf_str(&b), STR("{  \"a\": \"\\n\" }")));
	buf_free(&b);
}

static void test_every_kind(void **state)
{
	(void)state;
	struct page p;
	write_example(blank(&p, PLENTY));
	check_text(&p, STR(EXAMPLE));
}

static void test_strings(void **state)
{
	(void)state;
	struct page p;
	json_write_string(blank(&p, PLENTY), str_of("\0\x1f\x7f\xff\xed\xa0\x80", 7));
	check_text(&p, STR("\"\\u0000\\u001f\\u007f\\ufffd\\ufffd\\ufffd\\ufffd\""));
	json_write_string(blank(&p, PLENTY), STR_NONE);
	check_text(&p, STR("\"\""));
}

static void test_what_stood_there_stays(void **state)
{
	(void)state;
	struct page p;
	blank(&p, PLENTY);
	buf_add(&p.out, STR("data: "));
	json_write_array(&p.w);
	json_write_array_end(&p.w);
	check_text(&p, STR("data: []"));
}

static void test_every_ceiling(void **state)
{
	(void)state;
	for (size_t max = 0; max < sizeof(EXAMPLE) - 1; max++) {
		struct page p;
		write_example(blank(&p, max));
		assert_false(json_write_end(&p.w));
		assert_true(p.out.n <= max);
		buf_free(&p.out);
	}
	struct page p;
	write_example(blank(&p, sizeof(EXAMPLE) - 1));
	check_text(&p, STR(EXAMPLE));
}

static void nest(struct json_write *w, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++) {
		if (i % 2) {
			json_write_object(w);
			json_write_key(w, STR("k"));
		} else {
			json_write_array(w);
		}
	}
}

static void test_depth(void **state)
{
	(void)state;
	struct page p;
	struct json_write *w = blank(&p, PLENTY);
	nest(w, JSON_WRITE_DEPTH);
	json_write_int(w, 1);
	for (unsigned i = JSON_WRITE_DEPTH; i-- > 0;)
		(i % 2 ? json_write_object_end : json_write_array_end)(w);
	assert_true(json_write_end(w));
	buf_free(&p.out);

	w = blank(&p, PLENTY);
	nest(w, JSON_WRITE_DEPTH);
	size_t n = p.out.n;
	json_write_array(w);
	check_mistake(&p, n);
}

static void test_mistakes(void **state)
{
	(void)state;
	struct page p;
	struct json_write *w = blank(&p, PLENTY);
	assert_false(json_write_end(w));	/* nothing at all */

	json_write_null(w);
	json_write_null(w);			/* a second root */
	check_mistake(&p, 4);

	json_write_object(w = blank(&p, PLENTY));
	json_write_null(w);			/* no key */
	check_mistake(&p, 1);

	json_write_object(w = blank(&p, PLENTY));
	json_write_key(w, STR("a"));
	json_write_key(w, STR("b"));		/* no value */
	check_mistake(&p, 5);

	json_write_object(w = blank(&p, PLENTY));
	json_write_key(w, STR("a"));
	json_write_object_end(w);		/* no value */
	check_mistake(&p, 5);

	json_write_array(w = blank(&p, PLENTY));
	json_write_key(w, STR("a"));		/* no object */
	check_mistake(&p, 1);

	json_write_array(w = blank(&p, PLENTY));
	json_write_object_end(w);		/* another's end */
	check_mistake(&p, 1);

	json_write_array_end(w = blank(&p, PLENTY));
	check_mistake(&p, 0);

	json_write_raw(w = blank(&p, PLENTY), STR_NONE);
	check_mistake(&p, 0);

	json_write_array(w = blank(&p, PLENTY));
	assert_false(json_write_end(w));	/* still open */
	buf_free(&p.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind),
		cmocka_unit_test(test_one_line),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_what_stood_there_stays),
		cmocka_unit_test(test_every_ceiling),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_mistakes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
