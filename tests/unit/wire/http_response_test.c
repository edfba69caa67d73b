/*
 * http_response_test.c: answers of vendors, good, careless and hostile.
 */
#include "http_cases.h"

static const struct side answers = { true, HTTP_POST, &http_response_limits };

#define OK "HTTP/1.1 200 OK\r\n"
#define REF(name, text) { name, STR_INIT(text), 502, HTTP_BODY_NONE, 0 }
#define CLOSE(name, text) { name, STR_INIT(text), 0, HTTP_BODY_UNTIL_CLOSE, 0 }

static void framing_of_answers(void **state)
{
	(void)state;
	static const struct row rows[] = {
		LENGTH("length", OK "Content-Length: 12\r\n\r\n", 12),
		LENGTH("equal twice", OK "Content-Length: 12\r\nContent-Length: 12\r\n\r\n", 12),
		FINE("length 0", OK "Content-Length: 0\r\n\r\n"),
		CHUNKED("chunked", OK "Transfer-Encoding: Chunked\r\n\r\n"),
		CLOSE("until close", OK "\r\n"),
		CLOSE("until close, 1.0", "HTTP/1.0 200 OK\r\n\r\n"),
		LENGTH("no reason", "HTTP/1.1 200\x20\r\nContent-Length: 1\r\n\r\n", 1),
		REF("no space", "HTTP/1.1\r\nContent-Length: 1\r\n\r\n"),
		LENGTH("odd reason", "HTTP/1.1 529 caf\xe9\tx\r\nContent-Length: 1\r\n\r\n", 1),
		LENGTH("obs-text", OK "X: \xff\xfe\r\nContent-Length: 1\r\n\r\n", 1),
		LENGTH("repeated",
		       OK "Via: a\r\nVia: b\r\nServer: a\r\nServer: b\r\nContent-Length: 1\r\n\r\n", 1),
		FINE("U18 interim", "HTTP/1.1 100 Continue\r\n\r\n"),
		FINE("U18 interim", "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"),
		FINE("204", "HTTP/1.1 204 No Content\r\n\r\n"),
		FINE("304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
		REF("U18 two lengths", OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
		REF("U18 list", OK "Content-Length: 1, 1\r\n\r\n"),
		REF("U18 length", OK "Content-Length: -1\r\n\r\n"),
		REF("U18 length", OK "Content-Length: 9223372036854775808\r\n\r\n"),
		REF("U18 both", OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
		REF("U18 both, no body",
		    "HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"),
		REF("U18 coding", OK "Transfer-Encoding: gzip, chunked\r\n\r\n"),
		REF("U18 coding", OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
		REF("U18 coding in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
		REF("U18 not HTTP", "SSH-2.0-OpenSSH_9.2\r\n"),
		REF("U18 not HTTP", "<html>"),
		REF("U18 not HTTP", "\x15\x03\x01"),
		REF("U18 HTTP/2", "HTTP/2 200\r\n\r\n"),
		REF("U18 version", "HTTP/1.2 200 OK\r\n\r\n"),
		REF("U18 version", "http/1.1 200 OK\r\n\r\n"),
		REF("U18 status", "HTTP/1.1 20 OK\r\n\r\n"),
		REF("U18 status", "HTTP/1.1 2000 OK\r\n\r\n"),
		REF("U18 status", "HTTP/1.1 099 OK\r\n\r\n"),
		REF("U18 status", "HTTP/1.1 2x0 OK\r\n\r\n"),
		REF("U18 status", "HTTP/1.1  200 OK\r\n\r\n"),
		REF("U17 CR", OK "A: b\rc\r\n\r\n"),
		REF("U17 LF", OK "A: b\nContent-Length: 1\r\n\r\n"),
		REF("U17 fold", OK "A: b\r\n c\r\n\r\n"),
		REF("U17 NUL", OK "A: b\0c\r\n\r\n"),
		REF("CR in reason", "HTTP/1.1 200 O\rK\r\n\r\n"),
		REF("empty line before", "\r\nHTTP/1.1 200 OK\r\n\r\n"),
	};
	check_rows(&answers, rows, array_len(rows));
}

static void answers_in_detail(void **state)
{
	(void)state;
	assert_int_equal(parse(&answers, STR("HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n")), HTTP_DONE);
	assert_int_equal(head.status, 200);
	assert_int_equal(head.reason.n, 0);
	assert_int_equal(parse(&answers, STR("HTTP/1.1 404 Not Found\r\nRetry-After: 3\r\n"
						"Content-Length: 1\r\n\r\n")),
			 HTTP_DONE);
	assert_int_equal(head.status, 404);
	assert_true(str_eq(head.reason, STR("Not Found")));
	assert_true(str_eq(http_header(&head, HTTP_H_RETRY_AFTER), STR("3")));
	assert_true(head.keep_alive);
	assert_int_equal(parse(&answers, STR(OK "\r\n")), HTTP_DONE);
	assert_false(head.keep_alive);
	assert_int_equal(parse(&answers, STR("HTTP/1.1 101 x\r\nUpgrade: h2c\r\n\r\n")), HTTP_DONE);
	assert_true(head.upgrade);
	assert_false(head.keep_alive);
	static const struct side to_head = { true, HTTP_HEAD, &http_response_limits };
	assert_int_equal(parse(&to_head, STR(OK "Content-Length: 10\r\n\r\n")), HTTP_DONE);
	assert_int_equal(head.body, HTTP_BODY_NONE);
	assert_true(head.keep_alive);
	assert_int_equal(parse(&to_head, STR(OK "\r\n")), HTTP_DONE);
	assert_true(head.keep_alive);
}

/* U17: 90 headers pass, 512 KiB do not. */
static void limits_of_answers(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(1 << 20);
	filled(&b, OK, 'x', 0, "Content-Length: 1\r\n");
	for (unsigned i = 1; i < 90; i++)
		buf_addf(&b, "header-%u: v\r\n", i);
	buf_add(&b, STR("\r\n"));
	check_error(&answers, buf_str(&b), 0);
	filled(&b, OK, 'x', 0, "");
	for (unsigned i = 0; b.n < 512 * 1024; i++)
		buf_addf(&b, "header-%u: %08192u\r\n", i, i);
	check_error(&answers, buf_str(&b), 431);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(framing_of_answers),
		cmocka_unit_test(answers_in_detail),
		cmocka_unit_test(limits_of_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
