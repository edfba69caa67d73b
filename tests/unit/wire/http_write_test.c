/*
 * http_write_test.c: heads are written as they should be read, and nothing adds a line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "wire/http_parser.h"
#include "wire/http_write.h"

static void answers(void **state)
{
	(void)state;
	char memory[128];
	struct buf b = HTTP_FIXED_BUF(memory, sizeof(memory));
	http_put_status(&b, 200);
	http_put_header(&b, STR("content-type"), STR("application/json"));
	http_put_header_u64(&b, STR("content-length"), 0);
	http_put_header(&b, STR("x-empty"), STR(""));
	http_put_end(&b);
	assert_false(b.failed);
	assert_true(str_eq(buf_str(&b), STR("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
					    "content-length: 0\r\nx-empty: \r\n\r\n")));
	buf_clear(&b);
	assert_true(http_put_header_u64(&b, STR("n"), UINT64_MAX));
	assert_true(str_eq(buf_str(&b), STR("n: 18446744073709551615\r\n")));
	buf_clear(&b);
	assert_true(http_put_status(&b, 599));
	assert_true(str_eq(buf_str(&b), STR("HTTP/1.1 599 \r\n")));
	buf_clear(&b);
	assert_false(http_put_status(&b, 99));
	assert_false(http_put_status(&b, 1000));
	assert_true(b.failed);
	assert_int_equal(b.n, 0);
}

static void requests(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(4096);
	assert_true(http_put_request(&b, HTTP_POST, STR("/v1"), STR("/chat/completions"), STR("")));
	assert_true(http_put_request(&b, HTTP_GET, STR(""), STR("/models"), STR("a=b")));
	assert_true(str_eq(buf_str(&b), STR("POST /v1/chat/completions HTTP/1.1\r\n"
					    "GET /models?a=b HTTP/1.1\r\n")));
	size_t n = b.n;
	assert_false(http_put_request(&b, HTTP_POST, STR("v1"), STR("/a"), STR("")));
	assert_false(http_put_request(&b, HTTP_POST, STR(""), STR(""), STR("")));
	assert_false(http_put_request(&b, HTTP_UNKNOWN, STR(""), STR("/"), STR("")));
	assert_false(http_put_request(&b, HTTP_POST, STR(""), STR("/a HTTP/1.1"), STR("")));
	assert_false(http_put_request(&b, HTTP_POST, STR("/\r\n"), STR("/a"), STR("")));
	assert_false(http_put_request(&b, HTTP_POST, STR(""), STR("/a"), STR("\r\nX: y")));
	assert_false(http_put_request(&b, HTTP_POST, STR(""), STR("/\0"), STR("")));
	assert_int_equal(b.n, n);
	buf_free(&b);
}

static void headers_refused(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(4096);
	for (unsigned c = 0; c < 256; c++) {
		buf_clear(&b);
		char name[] = "X-A-Long-Enough-?-Name", value[] = "a long enough value ? indeed";
		name[16] = value[20] = (char)c;
		bool text = (c >= ' ' && c != 0x7f) || c == '\t';
		bool token = c > ' ' && c < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", (int)c);
		assert_int_equal(http_header_fits(str_of(name, sizeof(name) - 1), STR("v")), token);
		assert_int_equal(http_header_fits(STR("n"), str_of(value, sizeof(value) - 1)), text);
		assert_int_equal(http_put_header(&b, STR("n"), str_of(value, sizeof(value) - 1)), text);
		/* Short ones take the path without vectors. */
		assert_int_equal(http_header_fits(str_of(name + 16, 1), STR("v")), token);
		assert_int_equal(http_header_fits(STR("n"), str_of(value + 20, 1)), text);
	}
	assert_false(http_header_fits(STR(""), STR("v")));
	assert_false(http_put_header(&b, STR("a:b"), STR("v")));
	assert_true(b.failed);
	buf_free(&b);
}

static void fixed_memory_ends(void **state)
{
	(void)state;
	char memory[20];
	struct buf b = HTTP_FIXED_BUF(memory, sizeof(memory));
	assert_true(http_put_status(&b, 200));
	assert_false(http_put_header(&b, STR("a"), STR("b")));
	assert_true(b.failed);
	assert_ptr_equal(b.p, memory);
	assert_int_equal(b.n, 17);
}

static void chunk_prefixes(void **state)
{
	(void)state;
	static const struct {
		size_t n;
		struct str text;
	} rows[] = {
		{ 1, STR_INIT("1\r\n") }, { 15, STR_INIT("f\r\n") }, { 16, STR_INIT("10\r\n") },
		{ 500, STR_INIT("1f4\r\n") }, { 65536, STR_INIT("10000\r\n") },
		{ SIZE_MAX, STR_INIT("ffffffffffffffff\r\n") },
	};
	for (size_t i = 0; i < array_len(rows); i++) {
		char out[HTTP_CHUNK_PREFIX_MAX];
		size_t n = http_chunk_prefix(out, rows[i].n);
		assert_true(str_eq(str_of(out, n), rows[i].text));
	}
	assert_true(str_eq(http_reason(429), STR("Too Many Requests")));
	assert_int_equal(http_reason(299).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(requests),
		cmocka_unit_test(headers_refused),
		cmocka_unit_test(fixed_memory_ends),
		cmocka_unit_test(chunk_prefixes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
