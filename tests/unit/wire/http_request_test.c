/*
 * http_request_test.c: requests a gateway meets, good and hostile; rows carry the names
 * of the matrix of faults where there is one.
 */
#include "http_cases.h"

static const struct side requests = { false, HTTP_UNKNOWN, &http_request_limits };

#define POST "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n"
#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

static void framing_of_requests(void **state)
{
	(void)state;
	static const struct row rows[] = {
		LENGTH("length", POST "Content-Length: 12\r\n\r\n", 12),
		LENGTH("leading zeros", POST "content-length:007\r\n\r\n", 7),
		LENGTH("largest", POST "content-length: 9223372036854775807\r\n\r\n", INT64_MAX),
		FINE("length 0", POST "Content-Length: 0\r\n\r\n"),
		CHUNKED("chunked", POST "Transfer-Encoding: chunked\r\n\r\n"),
		CHUNKED("chunked, odd case, blanks", POST "transfer-encoding:\t ChunkeD \t\r\n\r\n"),
		BAD("P1", POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
		BAD("P1", POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
		BAD("P2 twice", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
		BAD("P2 twice", POST "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n"),
		BAD("P2 list", POST "Transfer-Encoding: identity, chunked\r\n\r\n"),
		BAD("P2 list", POST "Transfer-Encoding: chunked, identity\r\n\r\n"),
		BAD("P2 list", POST "Transfer-Encoding: gzip, chunked\r\n\r\n"),
		BAD("P2 list", POST "Transfer-Encoding: chunked, chunked\r\n\r\n"),
		ERR("P2 identity", POST "Transfer-Encoding: identity\r\n\r\n", 501),
		ERR("P3", POST "Transfer-Encoding: xchunked\r\n\r\n", 501),
		BAD("P3 quotes", POST "Transfer-Encoding: \"chunked\"\r\n\r\n"),
		BAD("P3 VT", POST "Transfer-Encoding: \vchunked\r\n\r\n"),
		BAD("P3 VT", POST "Transfer-Encoding: chunked\v\r\n\r\n"),
		BAD("P3 NBSP", POST "Transfer-Encoding: \xa0" "chunked\r\n\r\n"),
		BAD("P3 NBSP", POST "Transfer-Encoding: \xc2\xa0" "chunked\r\n\r\n"),
		BAD("P3 NUL", POST "Transfer-Encoding: chunked\0\r\n\r\n"),
		BAD("P3 comma", POST "Transfer-Encoding: chunked,\r\n\r\n"),
		BAD("P3 comma", POST "Transfer-Encoding: ,chunked\r\n\r\n"),
		BAD("P3 parameter", POST "Transfer-Encoding: chunked;a=b\r\n\r\n"),
		BAD("P3 empty", POST "Transfer-Encoding:\r\n\r\n"),
		BAD("P3 blank", POST "Transfer-Encoding:  \r\n\r\n"),
		BAD("P4 space", POST "Transfer-Encoding : chunked\r\n\r\n"),
		BAD("P4 tab", POST "Transfer-Encoding\t: chunked\r\n\r\n"),
		BAD("P4 folded", POST "Transfer-Encoding:\r\n chunked\r\n\r\n"),
		BAD("P4 behind LF", POST "X: y\nTransfer-Encoding: chunked\r\n\r\n"),
		BAD("P4 behind CR", POST "X: y\rTransfer-Encoding: chunked\r\n\r\n"),
		BAD("P5", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
		BAD("P6", POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"),
		BAD("P6", POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"),
		BAD("P6", POST "Content-Length: 5, 5\r\n\r\n"),
		BAD("P7", POST "Content-Length: +5\r\n\r\n"),
		BAD("P7", POST "Content-Length: -5\r\n\r\n"),
		BAD("P7", POST "Content-Length: 0x5\r\n\r\n"),
		BAD("P7", POST "Content-Length: 5 x\r\n\r\n"),
		BAD("P7", POST "Content-Length: 5 5\r\n\r\n"),
		BAD("P7", POST "Content-Length: 5.0\r\n\r\n"),
		BAD("P7", POST "Content-Length: 5e0\r\n\r\n"),
		BAD("P7", POST "Content-Length:\r\n\r\n"),
		BAD("P7", POST "Content-Length: \"5\"\r\n\r\n"),
		BAD("P7", POST "Content-Length: 5\0\r\n\r\n"),
		ERR("P8", POST "Content-Length: 9223372036854775808\r\n\r\n", 413),
		BAD("P8", POST "Content-Length: 18446744073709551621\r\n\r\n"),
		BAD("P8", POST "Content-Length: 00000000000000000005\r\n\r\n"),
	};
	check_rows(&requests, rows, array_len(rows));
}

static void syntax_of_headers(void **state)
{
	(void)state;
	static const struct row rows[] = {
		FINE("empty value", "GET / HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nX-Blank: \t \r\n\r\n"),
		FINE("bytes above 0x7f", "GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: caf\xc3\xa9 \xff\r\n\r\n"),
		FINE("tab inside", "GET / HTTP/1.1\r\nHost: a\r\nA: b\tc\r\n\r\n"),
		FINE("odd token", "GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~09azAZ: b\r\n\r\n"),
		FINE("colons in value", "GET / HTTP/1.1\r\nHost: a\r\nA::b:c\r\n\r\n"),
		FINE("empty line before", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("two empty lines before", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("bare LF before", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("bare CR before", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("P13 fold", "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n"),
		BAD("P13 fold by tab", "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\tc\r\n\r\n"),
		BAD("P13 first", "GET / HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n"),
		BAD("P14 space", "GET / HTTP/1.1\r\nHost: a\r\nA B: c\r\n\r\n"),
		BAD("P14 (", "GET / HTTP/1.1\r\nHost: a\r\nA(B: c\r\n\r\n"),
		BAD("P14 high", "GET / HTTP/1.1\r\nHost: a\r\nA\xe9: c\r\n\r\n"),
		BAD("P14 high, long",
			"GET / HTTP/1.1\r\nHost: a\r\nLong-Name-Long-Name-\xe9-Long-Name: c\r\n\r\n"),
		BAD("P14 @", "GET / HTTP/1.1\r\nHost: a\r\nLong-Name-Long-Name-@-Long-Name: c\r\n\r\n"),
		BAD("P14 [", "GET / HTTP/1.1\r\nHost: a\r\nLong-Name-Long-Name-[-Long-Name: c\r\n\r\n"),
		BAD("P14 NUL", "GET / HTTP/1.1\r\nHost: a\r\nA\0: c\r\n\r\n"),
		BAD("P14 empty", "GET / HTTP/1.1\r\nHost: a\r\n: c\r\n\r\n"),
		BAD("P14 no colon", "GET / HTTP/1.1\r\nHost: a\r\nABC\r\n\r\n"),
		BAD("P15 NUL", "GET / HTTP/1.1\r\nHost: a\r\nA: b\0c\r\n\r\n"),
		BAD("P15 BEL", "GET / HTTP/1.1\r\nHost: a\r\nA: b\ac\r\n\r\n"),
		BAD("P15 DEL", "GET / HTTP/1.1\r\nHost: a\r\nA: b\x7f" "c\r\n\r\n"),
		BAD("P15 DEL, far",
			"GET / HTTP/1.1\r\nHost: a\r\nA: 0123456789abcdefghij\x7fklmnopqrstuv\r\n\r\n"),
		BAD("P15 CR", "GET / HTTP/1.1\r\nHost: a\r\nA: b\rc\r\n\r\n"),
		BAD("P15 CR CR", "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\r\n\r\n"),
		BAD("P16 one", "GET / HTTP/1.1\r\nHost: a\nA: b\r\n\r\n"),
		BAD("P16 all", "GET / HTTP/1.1\nHost: a\n\n"),
		BAD("P16 last", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
		BAD("P16 CR last", "GET / HTTP/1.1\r\nHost: a\r\n\rX"),
		BAD("P17 none", "GET / HTTP/1.1\r\nA: b\r\n\r\n"),
		FINE("no Host in 1.0", "GET / HTTP/1.0\r\nA: b\r\n\r\n"),
		BAD("P17 twice", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
		BAD("P17 twice in 1.0", "GET / HTTP/1.0\r\nHost: a\r\nhOST: b\r\n\r\n"),
		BAD("P17 /", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
		BAD("P17 ?", "GET / HTTP/1.1\r\nHost: a?b\r\n\r\n"),
		BAD("P17 #", "GET / HTTP/1.1\r\nHost: a#b\r\n\r\n"),
		BAD("P17 @", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"),
		BAD("P17 space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
		BAD("P17 empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
		BAD("P17 comma", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"),
		BAD("P17 port", "GET / HTTP/1.1\r\nHost: a:http\r\n\r\n"),
		BAD("P17 port", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"),
		BAD("P17 port", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n"),
		BAD("P17 v6", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"),
		BAD("P17 v6", "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n"),
		BAD("P17 v6", "GET / HTTP/1.1\r\nHost: []\r\n\r\n"),
		FINE("v6", "GET / HTTP/1.1\r\nHost: [::ffff:1.2.3.4]:8080\r\n\r\n"),
		FINE("port", "GET / HTTP/1.1\r\nHost: my_host-1.example:8080\r\n\r\n"),
		BAD("twice", POST "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n"),
		BAD("twice", POST "Content-Type: a/b\r\nContent-Type: a/b\r\n\r\n"),
		BAD("twice", POST "x-api-key: a\r\nX-Api-Key: a\r\n\r\n"),
		BAD("twice", POST "x-goog-api-key: a\r\nX-Goog-Api-Key: a\r\n\r\n"),
		FINE("others may", POST "accept: a\r\nAccept: b\r\ncookie: c\r\ncookie: d\r\n\r\n"),
	};
	check_rows(&requests, rows, array_len(rows));
}

static void request_lines(void **state)
{
	(void)state;
	static const struct row rows[] = {
		BAD("P18 two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("P18 two spaces", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("P18 space behind", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
		BAD("P18 space before", " GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("P18 tab", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("P18 tab", "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("P18 lower case", "GET / http/1.1\r\nHost: a\r\n\r\n"),
		BAD("P18 1.1x", "GET / HTTP/1.1x\r\nHost: a\r\n\r\n"),
		BAD("P18 1.", "GET / HTTP/1.\r\nHost: a\r\n\r\n"),
		BAD("P18 11", "GET / HTTP/11\r\nHost: a\r\n\r\n"),
		BAD("P18 no version", "GET /\r\n\r\n"),
		BAD("P18 no version", "GET / \r\n\r\n"),
		BAD("P18 bare CR", "GET / HTTP/1.1\rHost: a\r\n\r\n"),
		BAD("P18 bare LF", "GET / HTTP/1.1\nHost: a\r\n\r\n"),
		ERR("P18 2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
		ERR("P18 1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505),
		ERR("P18 0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
		BAD("P19 NUL", GET("/a\0b")),
		BAD("P19 control", GET("/a\x01" "b")),
		BAD("P19 DEL", GET("/a\x7f" "b")),
		BAD("P19 high", GET("/caf\xc3\xa9")),
		BAD("P19 space", GET("/a b")),
		BAD("P19 fragment", GET("/a#b")),
		BAD("P19 fragment", GET("/a?b#c")),
		BAD("P19 backslash", GET("/a\\..\\b")),
		BAD("P20 dots", GET("/v1/../admin")),
		BAD("P20 dots", GET("/..")),
		BAD("P20 dots", GET("/v1/./models")),
		BAD("P20 dots", GET("/v1/.")),
		BAD("P20 escaped dots", GET("/v1/%2e%2e/admin")),
		BAD("P20 escaped dots", GET("/v1/.%2E/admin")),
		BAD("P20 escaped dots", GET("/v1/%2e")),
		BAD("P20 escaped slash", GET("/v1/..%2fadmin")),
		BAD("P20 escaped slash", GET("/v1/models/a%2f..%2fadmin")),
		BAD("P20 escaped slash", GET("/v1%2F..%2Fadmin")),
		BAD("P20 escaped backslash", GET("/v1/..%5cadmin")),
		BAD("P20 %00", GET("/v1/models%00")),
		BAD("P20 %0a", GET("/v1/models%0aX")),
		BAD("P20 %00 in query", GET("/v1/models?a=%00")),
		BAD("P20 bad percent", GET("/v1/%")),
		BAD("P20 bad percent", GET("/v1/%2")),
		BAD("P20 bad percent", GET("/v1/%zz")),
		BAD("P20 bad percent", GET("/v1/%u002e")),
		BAD("P20 bad percent in query", GET("/v1/models?a=%g1")),
		BAD("P20 two slashes", GET("//admin")),
		BAD("not a path", GET("admin")),
		BAD("not a path", GET("?a=b")),
		BAD("asterisk", GET("*")),
		FINE("P20 data", GET("/v1/models/openai/gpt-5")),
		FINE("P20 data", GET("/v1/models/openai%2Fgpt-5")),
		FINE("P20 data", GET("/v1/models/a%3Ab%20c%C3%A9")),
		FINE("P20 data", GET("/v1/models/...")),
		FINE("P20 data", GET("/v1/models/.hidden/..two/a..b/c.")),
		FINE("P20 data", GET("/v1/models/%252e%252e/a")),
		FINE("doubled", GET("/v1/v1/models")),
		FINE("verb", GET("/v1beta/models/gemini-2.5-pro:generateContent?alt=sse&key=a%2Bb")),
		FINE("brackets in query", GET("/v1/responses/r?include[]=a/../b&x={}|^")),
	};
	check_rows(&requests, rows, array_len(rows));
}

static void methods(void **state)
{
	(void)state;
	static const struct row rows[] = {
		BAD("P21 long", "METHODMETHODMETHODMETHODMETHODMETHOD / HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("P21 empty", " / HTTP/1.1\r\nHost: a\r\n\r\n"),
		ERR("P21 CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
		FINE("P21 TRACE is the caller's to refuse", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"),
		FINE("P21 lower case is another", "post / HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("P27 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
		BAD("P27 TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
		BAD("P27 binary", "\x00\x01\x02\x03"),
		BAD("P27 binary", "GET\xff"),
		BAD("P27 socks", "\x05\x01\x00"),
	};
	check_rows(&requests, rows, array_len(rows));
	assert_int_equal(parse(&requests, STR("post / HTTP/1.1\r\nHost: a\r\n\r\n")), HTTP_DONE);
	assert_int_equal(head.method, HTTP_UNKNOWN);
	assert_true(str_eq(head.method_text, STR("post")));
	for (unsigned m = 0; m < HTTP_UNKNOWN; m++)
		assert_int_equal(http_method_of(http_method_name((enum http_method)m)), m);
	assert_int_equal(http_method_of(STR("PO")), HTTP_UNKNOWN);
	assert_int_equal(http_method_of(STR("")), HTTP_UNKNOWN);
}

static void targets(void **state)
{
	(void)state;
	assert_int_equal(parse(&requests, STR(GET("http://weir.example:8080/v1/models?a=b?c"))), HTTP_DONE);
	assert_true(head.absolute);
	assert_true(str_eq(head.authority, STR("weir.example:8080")));
	assert_true(str_eq(head.path, STR("/v1/models")));
	assert_true(str_eq(head.query, STR("a=b?c")));
	assert_int_equal(parse(&requests, STR(GET("HTTPS://[::1]"))), HTTP_DONE);
	assert_true(str_eq(head.path, STR("/")));
	assert_null(head.query.p);
	assert_int_equal(parse(&requests, STR(GET("http://a?b"))), HTTP_DONE);
	assert_true(str_eq(head.path, STR("/")) && str_eq(head.query, STR("b")));
	assert_int_equal(parse(&requests, STR(GET("/a?"))), HTTP_DONE);
	assert_false(head.absolute);
	assert_non_null(head.query.p);
	static const struct row bad[] = {
		BAD("user part", GET("http://a@b/")),
		BAD("no host", GET("http:///a")),
		BAD("scheme", GET("ftp://a/")),
		BAD("dots", GET("http://a/../b")),
		BAD("two slashes", GET("http://a//b")),
		BAD("fragment", GET("http://a#b")),
	};
	check_rows(&requests, bad, array_len(bad));
	assert_int_equal(parse(&requests, STR("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")), HTTP_DONE);
	assert_int_equal(head.method, HTTP_OPTIONS);
	assert_true(str_eq(head.path, STR("*")));
}

static void expectations(void **state)
{
	(void)state;
	assert_int_equal(parse(&requests, STR(POST "Expect: 100-Continue\r\nContent-Length: 3\r\n\r\n")),
			 HTTP_DONE);
	assert_true(head.expect_continue);
	assert_int_equal(parse(&requests, STR(POST "Expect: 100-continue\r\n\r\n")), HTTP_DONE);
	assert_false(head.expect_continue);
	assert_int_equal(parse(&requests, STR("POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 3\r\n\r\n")),
			 HTTP_DONE);
	assert_false(head.expect_continue);
	static const struct row rows[] = {
		ERR("P26", POST "Expect: 200-ok\r\nContent-Length: 3\r\n\r\n", 417),
		ERR("P26", POST "Expect: 100-continue, x\r\nContent-Length: 3\r\n\r\n", 417),
		ERR("P26", POST "Expect:\r\n\r\n", 417),
		LENGTH("P26",
		       POST "Expect: 100-continue\r\nContent-Length: 1099511627776\r\n\r\n",
		       UINT64_C(1) << 40),
	};
	check_rows(&requests, rows, array_len(rows));
}

static void connections(void **state)
{
	(void)state;
	static const struct {
		struct str text;
		bool keep, upgrade;
	} rows[] = {
		{ STR_INIT("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), true, false },
		{ STR_INIT("GET / HTTP/1.1\r\nHost: a\r\nConnection: CLOSE\r\n\r\n"), false, false },
		{ STR_INIT("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive , close\r\n\r\n"),
		  false, false },
		{ STR_INIT("GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: close\r\n\r\n"),
		  false, false },
		{ STR_INIT("GET / HTTP/1.1\r\nHost: a\r\nConnection: Host, Authorization\r\n\r\n"),
		  true, false },
		{ STR_INIT("GET / HTTP/1.0\r\n\r\n"), false, false },
		{ STR_INIT("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), true, false },
		{ STR_INIT("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
		  true, true },
	};
	for (size_t i = 0; i < array_len(rows); i++) {
		assert_int_equal(parse(&requests, rows[i].text), HTTP_DONE);
		assert_int_equal(head.keep_alive, rows[i].keep);
		assert_int_equal(head.upgrade, rows[i].upgrade);
	}
}

static void headers_are_found(void **state)
{
	(void)state;
	assert_int_equal(parse(&requests, STR(POST "AUTHORIZATION:  Bearer x \r\nX-Custom: y\r\n\r\n")),
			 HTTP_DONE);
	assert_true(str_eq(http_header(&head, HTTP_H_AUTHORIZATION), STR("Bearer x")));
	assert_null(http_header(&head, HTTP_H_X_API_KEY).p);
	assert_true(str_eq(http_header_find(&head, STR("x-custom")), STR("y")));
	assert_null(http_header_find(&head, STR("x-custo")).p);
	assert_int_equal(head.count, 3);
	for (unsigned i = 1; i < HTTP_HEADER_IDS; i++) {
		char other[64];
		struct str name = http_header_name((enum http_header_id)i);
		assert_true(name.n > 0 && name.n < sizeof(other));
		assert_int_equal(http_header_id(name), i);
		for (size_t at = 0; at < name.n; at++) {
			memcpy(other, name.p, name.n);
			other[at] = name.p[at] == '-' ? '-' : (char)(name.p[at] - 0x20);
			assert_int_equal(http_header_id(str_of(other, name.n)), i);
			other[at] = '_';
			assert_int_equal(http_header_id(str_of(other, name.n)), HTTP_H_OTHER);
		}
	}
}

/* P25: what follows a head is left alone. */
static void pipelined(void **state)
{
	(void)state;
	static const char one[] = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
	struct str text = STR("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3");
	assert_int_equal(parse(&requests, text), HTTP_DONE);
	assert_int_equal(head.size, sizeof(one) - 1);
	text = str_skip(text, head.size);
	assert_int_equal(parse(&requests, text), HTTP_DONE);
	assert_true(str_eq(head.path, STR("/2")));
	assert_int_equal(parse(&requests, str_skip(text, head.size)), HTTP_MORE);
}

static void limits(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(1 << 20);
	const char *line = " HTTP/1.1\r\nHost: a\r\n\r\n", *begin = "GET / HTTP/1.1\r\nHost: a\r\n";
	check_error(&requests, filled(&b, "GET /", 'a', 8192 - 5 - 11, line), 0);
	check_error(&requests, filled(&b, "GET /", 'a', 8192 - 5 - 10, line), 414);
	check_error(&requests, filled(&b, "GET /", 'a', 65536, ""), 414);
	check_error(&requests, filled(&b, "", 'A', 10240, ""), 400);
	check_error(&requests, filled(&b, "GET / HTTP/1.1\r\nHost: a\r\nA: ", 'b', 16384 - 5, "\r\n\r\n"), 0);
	check_error(&requests, filled(&b, "GET / HTTP/1.1\r\nHost: a\r\nA: ",
		'b', 16384 - 4, "\r\n\r\n"), 431);
	check_error(&requests, filled(&b, begin, 'a', HTTP_NAME_MAX, ": b\r\n\r\n"), 0);
	check_error(&requests, filled(&b, begin, 'a', HTTP_NAME_MAX + 1, ": b\r\n\r\n"), 431);
	check_error(&requests, filled(&b, "GET / HTTP/1.1\r\nHost: a\r\nA:", ' ', 20000, "\r\n\r\n"), 431);
	buf_free(&b);
}

static void count_and_size(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(1 << 20);
	for (unsigned n = 99; n <= 1000; n += n < 101 ? 1 : 899) {
		filled(&b, "GET / HTTP/1.1\r\nHost: a\r\n", 'x', 0, "");
		for (unsigned i = 1; i < n; i++)
			buf_addf(&b, "h%u: v\r\n", i);
		buf_add(&b, STR("\r\n"));
		check_error(&requests, buf_str(&b), n <= 100 ? 0 : 431);
	}
	/* 32 KiB in all, to the byte. */
	for (int more = -1; more <= 1; more++) {
		filled(&b, "GET / HTTP/1.1\r\nHost: a\r\nA: ", 'x', 16000, "\r\nB: 1\r\nC: ");
		for (unsigned i = 0; i < 500; i++)
			buf_addc(&b, 'x');
		buf_add(&b, STR("\r\nD: "));
		while (b.n < (size_t)(32768 + more - 4))
			buf_addc(&b, 'x');
		buf_add(&b, STR("\r\n\r\n"));
		check_error(&requests, buf_str(&b), more <= 0 ? 0 : 431);
	}
	buf_free(&b);
}

/* An error in a later read still tells what was asked. */
static void first_line_survives(void **state)
{
	(void)state;
	struct http_parser p = { 0, 0 };
	struct str text = STR("POST /v1/chat/completions?a=b HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n");
	assert_int_equal(step(&requests, &p, str_head(text, 50), &head), HTTP_MORE);
	assert_true(p.line > 0);
	assert_int_equal(step(&requests, &p, text, &head), HTTP_BAD);
	assert_int_equal(head.error, 400);
	assert_int_equal(head.method, HTTP_POST);
	assert_true(str_eq(head.path, STR("/v1/chat/completions")));
	assert_int_equal(p.line, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(framing_of_requests),
		cmocka_unit_test(syntax_of_headers),
		cmocka_unit_test(request_lines),
		cmocka_unit_test(methods),
		cmocka_unit_test(targets),
		cmocka_unit_test(expectations),
		cmocka_unit_test(connections),
		cmocka_unit_test(headers_are_found),
		cmocka_unit_test(pipelined),
		cmocka_unit_test(limits),
		cmocka_unit_test(count_and_size),
		cmocka_unit_test(first_line_survives),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
