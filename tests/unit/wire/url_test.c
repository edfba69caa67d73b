/*
 * url_test.c: base URLs, percent-encoding and queries.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "wire/url.h"

#define URL(text, tls, v6, host, port, path) { STR_INIT(text), tls, v6, STR_INIT(host), port, STR_INIT(path) }

static void good(void **state)
{
	(void)state;
	static const struct {
		struct str text;
		bool tls, v6;
		struct str host;
		unsigned port;
		struct str path;
	} rows[] = {
		URL("https://api.openai.com/v1", true, false, "api.openai.com", 443, "/v1"),
		URL("https://api.openai.com", true, false, "api.openai.com", 443, ""),
		URL("https://api.openai.com//", true, false, "api.openai.com", 443, ""),
		URL("HTTP://127.0.0.1:11434/v1/", false, false, "127.0.0.1", 11434, "/v1"),
		URL("http://[::1]:8080/a/b", false, true, "::1", 8080, "/a/b"),
		URL("http://[fe80::1]", false, true, "fe80::1", 80, ""),
		URL("http://my_server/%41", false, false, "my_server", 80, "/%41"),
		URL("https://x.y?api-version=1", true, false, "x.y", 443, ""),
	};
	for (size_t i = 0; i < array_len(rows); i++) {
		struct url u;
		const char *why = url_parse(rows[i].text, &u);
		if (why)
			fail_msg("%.*s %s", STR_FMT(rows[i].text), why);
		assert_int_equal(u.tls, rows[i].tls);
		assert_int_equal(u.v6, rows[i].v6);
		assert_int_equal(u.port, rows[i].port);
		assert_true(str_eq(u.host, rows[i].host));
		assert_true(str_eq(u.path, rows[i].path));
	}
}

static void parts(void **state)
{
	(void)state;
	struct url u;
	assert_null(url_parse(STR("https://r.azure.com:8443/openai/?api-version=2024-10-21"), &u));
	assert_true(str_eq(u.authority, STR("r.azure.com:8443")));
	assert_true(u.port_written);
	assert_true(str_eq(u.path, STR("/openai")));
	assert_true(str_eq(u.query, STR("api-version=2024-10-21")));
	assert_null(url_parse(STR("http://a"), &u));
	assert_false(u.port_written);
	assert_null(u.query.p);
}

static void bad(void **state)
{
	(void)state;
	static const struct str rows[] = {
		STR_INIT(""), STR_INIT("api.openai.com/v1"), STR_INIT("ftp://a"), STR_INIT("https:/a"),
		STR_INIT("https://"), STR_INIT("https:///v1"), STR_INIT("https://user@a/"),
		STR_INIT("https://u:p@a"), STR_INIT("https://a#f"), STR_INIT("https://a/#f"),
		STR_INIT("https://a/?q#f"), STR_INIT("https://a\\b/"), STR_INIT("https://a/\\b"),
		STR_INIT("https://a b/"), STR_INIT("https://a/b c"), STR_INIT(" https://a"),
		STR_INIT("https://a "), STR_INIT("https://a\n"), STR_INIT("https://a/\0"),
		STR_INIT("https://a\0"), STR_INIT("https://a:"), STR_INIT("https://a:0"),
		STR_INIT("https://a:65536"), STR_INIT("https://a:80x"), STR_INIT("https://a:80:80"),
		STR_INIT("https://::1/"), STR_INIT("https://[::1"), STR_INIT("https://[::1]80"),
		STR_INIT("https://[g::1]"), STR_INIT("https://[]"), STR_INIT("https://%61/"),
		STR_INIT("https://a/%"), STR_INIT("https://a/%4"), STR_INIT("https://a/%zz"),
		STR_INIT("https://a/../b"), STR_INIT("https://a/."), STR_INIT("https://caf\xc3\xa9/"),
		STR_INIT("https://a/caf\xc3\xa9"), STR_INIT("https://a/?b c"),
		STR_INIT("https://a/{x}"),
	};
	for (size_t i = 0; i < array_len(rows); i++) {
		struct url u;
		if (!url_parse(rows[i], &u))
			fail_msg("taken: %.*s", STR_FMT(rows[i]));
	}
}

static void decoding(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct str out, plain = STR("gpt-5+x");
	assert_true(url_decode(&a, plain, false, &out));
	assert_ptr_equal(out.p, plain.p);
	assert_true(url_decode(&a, plain, true, &out));
	assert_true(str_eq(out, STR("gpt-5 x")));
	assert_true(url_decode(&a, STR("openai%2Fgpt%3a5%25%c3%A9"), false, &out));
	assert_true(str_eq(out, STR("openai/gpt:5%\xc3\xa9")));
	assert_true(url_decode(&a, STR(""), true, &out));
	assert_int_equal(out.n, 0);
	static const struct str rows[] = {
		STR_INIT("%"), STR_INIT("a%4"), STR_INIT("%g1"), STR_INIT("%1g"), STR_INIT("%00"),
		STR_INIT("%%41"),
	};
	for (size_t i = 0; i < array_len(rows); i++)
		assert_false(url_decode(&a, rows[i], true, &out));
	arena_clear(&a);
}

static void queries(void **state)
{
	(void)state;
	struct str v;
	assert_int_equal(url_query_find(STR("alt=sse&key=a%20b&key=c"), STR("key"), &v), 2);
	assert_true(str_eq(v, STR("a%20b")));
	assert_int_equal(url_query_find(STR("alt=sse&key=a=b"), STR("alt"), &v), 1);
	assert_true(str_eq(v, STR("sse")));
	assert_int_equal(url_query_find(STR("key=a=b"), STR("key"), &v), 1);
	assert_true(str_eq(v, STR("a=b")));
	assert_int_equal(url_query_find(STR("beta&key"), STR("key"), &v), 1);
	assert_int_equal(v.n, 0);
	assert_int_equal(url_query_find(STR("xkey=1&keyx=2&&="), STR("key"), &v), 0);
	assert_int_equal(url_query_find(STR_NONE, STR("key"), &v), 0);
	assert_null(v.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(parts),
		cmocka_unit_test(bad),
		cmocka_unit_test(decoding),
		cmocka_unit_test(queries),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
