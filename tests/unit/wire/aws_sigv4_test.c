/*
 * aws_sigv4_test.c: the published vectors, step by step, and what they leave out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/digest.h"
#include "tests/unit/wire/vectors.h"
#include "wire/aws_sigv4.h"

enum { HEADERS = 32 };

/* A request and the place for what it points to. */
struct example {
	struct arena a;
	struct sigv4_request r;
	struct sigv4_credentials c;
	struct http_header headers[HEADERS];
	struct sigv4_signature s;
};

static struct str hex_digest(struct arena *a, struct str bytes)
{
	uint8_t digest[DIGEST_SIZE];
	char *text = arena_alloc(a, 2 * DIGEST_SIZE + 1);
	digest_sha256(bytes, digest);
	digest_to_hex(digest, text);
	return str_of(text, 2 * DIGEST_SIZE);
}

/* "2015-08-30T12:36:00[.000]Z" as "20150830T123600Z". */
static struct str basic_time(struct arena *a, struct str t)
{
	return arena_printf(a, "%.4s%.2s%.5s%.2s%.2sZ", t.p, t.p + 5, t.p + 8, t.p + 14, t.p + 17);
}

static void add_header(struct example *e, struct str name, struct str value)
{
	assert_true(e->r.header_count < HEADERS);
	e->headers[e->r.header_count++] = (struct http_header){ name, value };
}

static void split_target(struct example *e, struct str target)
{
	ptrdiff_t mark = str_chr(target, '?');
	e->r.path = mark < 0 ? target : str_head(target, (size_t)mark);
	e->r.query = mark < 0 ? STR_NONE : str_skip(target, (size_t)mark + 1);
}

static void begin(struct example *e)
{
	*e = (struct example){ .a = ARENA_INIT };
	e->r.headers = e->headers;
	e->r.body_digest = hex_digest(&e->a, STR(""));
}

static void check_signed(struct example *e)
{
	assert_true(sigv4_sign(&e->a, &e->r, &e->c, &e->s));
	assert_true(e->s.add_count >= 2);
	assert_str(e->s.add[0].name, STR("X-Amz-Date"));
}

static struct str added(const struct example *e, struct str name)
{
	for (size_t i = 0; i < e->s.add_count; i++)
		if (str_eq(e->s.add[i].name, name))
			return e->s.add[i].value;
	return STR_NONE;
}

/* --- requests as text --- */

/* The lines up to the empty one; a line that begins with a blank goes on with the one before. */
static void read_lines(struct example *e, struct str text)
{
	struct str line, body = STR("");
	assert_true(str_split(&text, '\n', &line));
	ptrdiff_t first = str_chr(line, ' '), last = str_find(line, STR(" HTTP/1.1"));
	e->r.method = str_head(line, (size_t)first);
	split_target(e, str_skip(str_head(line, (size_t)last), (size_t)first + 1));
	while (str_split(&text, '\n', &line) && line.n) {
		ptrdiff_t colon = str_chr(line, ':');
		struct str *value = e->r.header_count ? &e->headers[e->r.header_count - 1].value : NULL;
		if (line.p[0] == ' ')
			value->n = (size_t)(line.p + line.n - value->p);
		else
			add_header(e, str_head(line, (size_t)colon), str_skip(line, (size_t)colon + 1));
	}
	if (text.p)
		body = text;
	e->r.body_digest = hex_digest(&e->a, body);
}

static void read_suite(struct example *e, json_t *v)
{
	json_t *context = json_object_get(v, "context"), *keys = json_object_get(context, "credentials");
	e->c = (struct sigv4_credentials){ vector_text(keys, "access_key_id"),
					   vector_text(keys, "secret_access_key"), vector_text(keys, "token") };
	read_lines(e, vector_text(v, "request"));
	e->r.region = vector_text(context, "region");
	e->r.service = vector_text(context, "service");
	e->r.time = basic_time(&e->a, vector_text(context, "timestamp"));
	e->r.path_untidied = !json_is_true(json_object_get(context, "normalize"));
	e->r.sign_digest = json_is_true(json_object_get(context, "sign_body"));
	e->r.token_unsigned = json_is_true(json_object_get(context, "omit_session_token"));
}

static void check_suite(json_t *v)
{
	struct example e;
	begin(&e);
	read_suite(&e, v);
	check_signed(&e);
	assert_str(e.s.canonical_request, vector_text(v, "header_canonical_request"));
	assert_str(e.s.string_to_sign, vector_text(v, "header_string_to_sign"));
	assert_str(e.s.signature, vector_text(v, "header_signature"));
	struct str text = vector_text(v, "header_signed_request");
	for (size_t i = 0; i < e.s.add_count; i++) {
		struct http_header h = e.s.add[i];
		struct str line = arena_printf(&e.a, "\n%.*s:%.*s\n", STR_FMT(h.name), STR_FMT(h.value));
		assert_true(str_ihas(text, line));
	}
	arena_clear(&e.a);
}

static void test_suite(void **state)
{
	(void)state;
	unsigned n = each_vector("tests/cases/vectors/sigv4/get-*.json", check_suite);
	assert_int_equal(n + each_vector("tests/cases/vectors/sigv4/post-*.json", check_suite), 38);
}

/* The time of its signing is another than that of its headers, so only the steps before are compared. */
static void check_double(json_t *v)
{
	struct example e;
	begin(&e);
	read_lines(&e, vector_text(v, "request"));
	e.r.time = STR("20210511T154045Z");
	e.r.region = STR("us-east-2");
	e.r.service = STR("lambda");
	check_signed(&e);
	assert_str(e.s.canonical_request, vector_text(v, "header_canonical_request"));
	if (vector_text(v, "header_string_to_sign").p)
		assert_true(str_starts(vector_text(v, "header_string_to_sign"), e.s.string_to_sign));
	arena_clear(&e.a);
}

static void test_double_encoding(void **state)
{
	(void)state;
	assert_int_equal(each_vector("tests/cases/vectors/sigv4/smithy-rs-*.json", check_double), 2);
}

/* --- requests for Bedrock --- */

static void read_url(struct example *e, struct str url)
{
	struct str host = str_skip(url, STR("https://").n);
	size_t n = (size_t)str_chr(host, '/');
	add_header(e, STR("Host"), str_head(host, n));
	split_target(e, str_skip(host, n));
}

static void read_bedrock(struct example *e, json_t *v)
{
	json_t *context = json_object_get(v, "context"), *value;
	const char *name;
	e->c = (struct sigv4_credentials){ vector_text(context, "access_key_id"),
					   vector_text(context, "secret_access_key"), vector_text(context, "token") };
	e->r.method = vector_text(v, "method");
	e->r.region = vector_text(context, "region");
	e->r.service = vector_text(context, "service");
	e->r.time = basic_time(&e->a, vector_text(context, "timestamp"));
	e->r.body_digest = hex_digest(&e->a, vector_text(v, "body"));
	read_url(e, vector_text(v, "url"));
	json_object_foreach(json_object_get(v, "headers_before_signing"), name, value)
		add_header(e, str_c(name), str_c(json_string_value(value)));
}

static void check_bedrock(json_t *v)
{
	struct example e;
	json_t *after = json_object_get(v, "headers_after_signing");
	if (json_object_get(v, "vector"))
		return;
	begin(&e);
	read_bedrock(&e, v);
	check_signed(&e);
	assert_str(e.s.canonical_request, vector_text(v, "canonical_request"));
	assert_str(e.s.string_to_sign, vector_text(v, "string_to_sign"));
	assert_str(e.s.signature, vector_text(v, "signature"));
	for (size_t i = 0; i < e.s.add_count; i++)
		assert_str(e.s.add[i].value, vector_text(after, e.s.add[i].name.p));
	arena_clear(&e.a);
}

static void check_mantle(json_t *v)
{
	struct example e;
	json_t *vector = json_object_get(v, "vector"), *keys = json_object_get(vector, "credentials");
	json_t *request = json_object_get(vector, "request"), *wanted = json_object_get(vector, "expected");
	begin(&e);
	e.c = (struct sigv4_credentials){ vector_text(keys, "accessKeyId"), vector_text(keys, "secretAccessKey"),
					  vector_text(keys, "sessionToken") };
	e.r.method = vector_text(request, "method");
	e.r.region = vector_text(vector, "region");
	e.r.service = vector_text(vector, "service");
	e.r.time = basic_time(&e.a, vector_text(vector, "signingDate"));
	e.r.body_digest = hex_digest(&e.a, vector_text(request, "body"));
	e.r.sign_digest = true;
	read_url(&e, vector_text(request, "url"));
	add_header(&e, STR("Content-Type"), vector_text(request, "contentType"));
	check_signed(&e);
	assert_str(hex_digest(&e.a, e.s.canonical_request), vector_text(wanted, "canonicalRequestHash"));
	assert_str(added(&e, STR("X-Amz-Date")), vector_text(wanted, "date"));
	assert_str(added(&e, STR("X-Amz-Content-Sha256")), vector_text(wanted, "payloadHash"));
	assert_str(added(&e, STR("Authorization")), vector_text(wanted, "authorization"));
	arena_clear(&e.a);
}

static void test_bedrock(void **state)
{
	(void)state;
	assert_int_equal(each_vector("tests/cases/vectors/sigv4/bedrock-*.json", check_bedrock), 6);
	assert_int_equal(each_vector("tests/cases/vectors/sigv4/bedrock-mantle-*.json", check_mantle), 1);
}

/* --- what the vectors leave out --- */

static void small(struct example *e, struct str target)
{
	begin(e);
	e->c = (struct sigv4_credentials){ STR("id"), STR("secret"), STR_NONE };
	e->r.method = STR("GET");
	e->r.region = STR("us-east-1");
	e->r.service = STR("s3");
	e->r.time = STR("20150830T123600Z");
	split_target(e, target);
	add_header(e, STR("host"), STR("h"));
}

static void check_begins(struct example *e, struct str wanted)
{
	check_signed(e);
	assert_str(str_head(e->s.canonical_request, wanted.n), wanted);
	arena_clear(&e->a);
}

static void test_paths(void **state)
{
	(void)state;
	struct example e;
	small(&e, STR("/a%2Fb//../c/."));
	e.r.path_as_is = true;
	check_begins(&e, STR("GET\n/a%2Fb//../c/.\n\n"));
	small(&e, STR("/a%2Fb//../c/."));
	check_begins(&e, STR("GET\n/c\n\n"));
	small(&e, STR("/../../a/"));
	check_begins(&e, STR("GET\n/a/\n\n"));
	small(&e, STR(""));
	check_begins(&e, STR("GET\n/\n\n"));
}

static void test_queries(void **state)
{
	(void)state;
	struct example e;
	small(&e, STR("/?b=2&a&&a=%7e%2f+=&b=10&c=%zz%4&ab=%"));
	check_begins(&e, STR("GET\n/\na=&a=~%2F%2B%3D&ab=%25&b=10&b=2&c=%25zz%254\n"));
	small(&e, STR("/"));
	e.r.query = str_of("%41", 2);	/* the escape would end behind the query */
	check_begins(&e, STR("GET\n/\n%254=\n"));
}

static void test_headers_that_are_left_out(void **state)
{
	(void)state;
	struct example e;
	small(&e, STR("/"));
	add_header(&e, STR("User-Agent"), STR("x"));
	add_header(&e, STR("CONNECTION"), STR("close"));
	add_header(&e, STR("x-amz-date"), STR("20000101T000000Z"));
	add_header(&e, STR("Authorization"), STR("Bearer x"));
	add_header(&e, STR("A"), STR(" \t"));
	check_signed(&e);
	assert_str(e.s.signed_headers, STR("a;host;x-amz-date"));
	check_begins(&e, STR("GET\n/\n\na:\nhost:h\nx-amz-date:20150830T123600Z\n\n"));
}

static void check_refused(struct example *e)
{
	assert_false(sigv4_sign(&e->a, &e->r, &e->c, &e->s));
	assert_int_equal(e->s.add_count, 0);
	arena_clear(&e->a);
}

static void test_refused(void **state)
{
	(void)state;
	static const struct str times[] = { STR_INIT(""), STR_INIT("2015-08-30T12:36"), STR_INIT("20150830T123600"),
					    STR_INIT("20150830T12360xZ"), STR_INIT("20150830T123600Z ") };
	struct example e;
	for (size_t i = 0; i < array_len(times); i++) {
		small(&e, STR("/"));
		e.r.time = times[i];
		check_refused(&e);
	}
	small(&e, STR("/"));
	e.r.header_count = 0;	/* no Host */
	check_refused(&e);
}

static void test_ceilings(void **state)
{
	(void)state;
	char *big = malloc(SIGV4_CANONICAL_MAX);
	memset(big, '/', SIGV4_CANONICAL_MAX);
	struct example e;
	small(&e, str_of(big, SIGV4_PART_MAX + 1));
	check_refused(&e);
	memset(big, '&', SIGV4_CANONICAL_MAX);
	small(&e, STR("/"));
	e.r.query = str_of(big, SIGV4_PART_MAX + 1);
	check_refused(&e);
	memset(big, '%', SIGV4_CANONICAL_MAX);
	small(&e, STR("/"));
	e.r.path = e.r.query = str_of(big, SIGV4_PART_MAX);
	check_signed(&e);
	arena_clear(&e.a);
	small(&e, STR("/"));
	add_header(&e, STR("a"), str_of(big, SIGV4_CANONICAL_MAX));
	check_refused(&e);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_suite),
		cmocka_unit_test(test_double_encoding),
		cmocka_unit_test(test_bedrock),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_headers_that_are_left_out),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_ceilings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
