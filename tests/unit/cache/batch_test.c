/*
 * batch_test.c: which requests for embeddings are taken apart, and into what.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "api/endpoints.h"
#include "cache/batch.h"
#include "core/call.h"
#include "core/endpoint.h"
#include "wire/json_scan.h"

/* The items with a bar between them; "" for a batch that stays as it is. */
static void check(const char *path, const char *body, const char *items)
{
	struct arena a = ARENA_INIT;
	struct buf got = BUF_INIT(1 << 16);
	struct str below, id;
	struct json_scan scan;
	struct call call = { .body = str_c(body), .json = &scan };
	struct txn t = { .call = &call };
	assert_int_equal(endpoint_find(HTTP_POST, str_c(path), &t.endpoint, &below, &id), ENDPOINT_FOUND);
	json_scan_init(&scan, &a);
	assert_int_equal(json_scan_feed(&scan, body, strlen(body), true), JSON_DONE);
	const struct batch *b = batch_read(&t);
	for (unsigned i = 0; b && i < b->n; i++)
		buf_addf(&got, "%s%.*s", i ? "|" : "", STR_FMT(b->items[i]));
	if (!str_eq(buf_str(&got), str_c(items)))
		fail_msg("%s: %.*s", body, STR_FMT(buf_str(&got)));
	buf_free(&got);
	arena_clear(&t.arena);
	arena_clear(&a);
}

#define EMBED(input) "{\"model\":\"m\",\"input\":" input ",\"user\":\"u\"}"

static void texts_and_tokens(void **state)
{
	static const char *const samples[][2] = {
		{ EMBED("\"a\""), "\"a\"" }, { EMBED("[\"a\"]"), "\"a\"" }, { EMBED("[ \"a\" , \"b,\\\"\" ]"), "\"a\"|\"b,\\\"\"" },
		{ EMBED("[1,2]"), "[1,2]" }, { EMBED("[[1,2]]"), "[1,2]" }, { EMBED("[[1],[2, 3]]"), "[1]|[2, 3]" }, { EMBED("\"\""), "\"\"" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		check("/v1/embeddings", samples[i][0], samples[i][1]);
}

static void what_stays_as_it_is(void **state)
{
	static const char *const samples[] = {
		EMBED("[]"), EMBED("null"), EMBED("1"), EMBED("{}"), EMBED("[[]]"), EMBED("[\"a\",1]"), EMBED("[1,\"a\"]"), EMBED("[[1],\"a\"]"), EMBED("[[\"a\"]]"),
		EMBED("[[[1]]]"), EMBED("[{\"text\":\"a\"}]"), EMBED("[\"a\",null]"), "{\"model\":\"m\"}", "{\"model\":\"m\",\"input\":[\"a\"],\"late_chunking\":true}",
		"{\"model\":\"m\",\"\\u0069nput\":\"a\"}", "{\"model\":\"m\",\"input\":\"a\",\"x\":null}",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		check("/v1/embeddings", samples[i], "");
	check("/v1/moderations", EMBED("[\"a\",\"b\"]"), "");
	check("/v1/responses", EMBED("\"a\""), "");
}

static void as_many_as_are_looked_up(void **state)
{
	for (unsigned n = BATCH_MOST; n <= BATCH_MOST + 1; n++) {
		struct buf body = BUF_INIT(1 << 16), items = BUF_INIT(1 << 16);
		buf_addf(&body, "{\"input\":[");
		for (unsigned i = 0; i < n; i++) {
			buf_addf(&body, "%s\"%u\"", i ? "," : "", i);
			buf_addf(&items, "%s\"%u\"", i ? "|" : "", i);
		}
		buf_addf(&body, "]}%c", 0);
		buf_addf(&items, "%c", 0);
		check("/v1/embeddings", body.p, n == BATCH_MOST ? items.p : "");
		buf_free(&body);
		buf_free(&items);
	}
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_and_tokens), cmocka_unit_test(what_stays_as_it_is), cmocka_unit_test(as_many_as_are_looked_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
