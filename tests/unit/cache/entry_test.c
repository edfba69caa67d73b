/*
 * entry_test.c: what is kept is read again; whatever was damaged on the way is no entry.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cache/entry.h"

static const char body[] = "{\"choices\":[{\"message\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}";

static bool sealed(struct buf *b, const char *said)
{
	const struct entry e = { .cost = 1234, .stream = true, .usage_told = true, .ttl_us = 77,
				 .usage = { .known = true, .input = 10, .output = 5, .total = 15, .cached = 3, .cache_write = 4, .cache_write_1h = 2,
					    .reasoning = 1, .audio_input = 6, .audio_output = 7, .image_input = 8, .service = SERVICE_FLEX } };
	entry_begin(b, STR("application/json"), STR("a=b,c=d"));
	buf_add(b, str_c(said));
	assert_true(str_eq(entry_body(b), str_c(said)));
	return entry_seal(b, &e);
}

static void what_is_kept_is_read_again(void **state)
{
	struct buf b = BUF_INIT(4096);
	struct entry e;
	(void)state;
	assert_true(sealed(&b, body));
	assert_true(entry_read(buf_str(&b), &e));
	assert_true(str_eq(e.type, STR("application/json")) && str_eq(e.body, str_c(body)));
	assert_true(e.cost == 1234 && e.age_us >= 0 && e.ttl_us == 77 && str_eq(e.tags, STR("a=b,c=d")) && e.stream && e.usage_told);
	assert_true(e.usage.known && !e.usage.estimated && e.usage.service == SERVICE_FLEX);
	assert_true(e.usage.input == 10 && e.usage.output == 5 && e.usage.total == 15 && e.usage.cached == 3);
	assert_true(e.usage.cache_write == 4 && e.usage.cache_write_1h == 2 && e.usage.reasoning == 1);
	assert_true(e.usage.audio_input == 6 && e.usage.audio_output == 7 && e.usage.image_input == 8);
	buf_free(&b);
}

static void whatever_was_damaged_is_no_entry(void **state)
{
	struct buf b = BUF_INIT(4096);
	struct entry e;
	(void)state;
	assert_true(sealed(&b, body));
	for (size_t n = 0; n < b.n; n++) {	/* cut */
		char *part = malloc(n ? n : 1);	/* of its own, so that a look behind its end is seen */
		memcpy(part, b.p, n);
		assert_false(entry_read(str_of(part, n), &e));
		free(part);
	}
	for (size_t i = 0; i < b.n; i++) {	/* another byte, the head's included */
		b.p[i] ^= 0x41;
		assert_false(entry_read(buf_str(&b), &e));
		b.p[i] ^= 0x41;
	}
	buf_addc(&b, 'x');			/* longer */
	assert_false(entry_read(buf_str(&b), &e));
	buf_free(&b);
}

static void what_is_compressed_is_made_whole_within_a_bound(void **state)
{
	struct buf b = BUF_INIT(1 << 20), small = BUF_INIT(1 << 20), whole = BUF_INIT(1 << 20);
	struct entry e;
	char said[20001];
	(void)state;
	memset(said, 'x', sizeof(said) - 1);
	said[sizeof(said) - 1] = 0;
	assert_true(sealed(&b, said) && entry_pack(buf_str(&b), &small) && small.n < b.n / 10);
	assert_true(entry_read(buf_str(&small), &e) && e.packed == 20000 && e.cost == 1234 && e.usage.reasoning == 1 && str_eq(e.type, STR("application/json")));
	assert_false(entry_unpack(&e, 19999, &whole));		/* however little it takes */
	assert_int_equal(whole.n, 0);
	assert_true(entry_unpack(&e, 20000, &whole) && !e.packed && str_eq(e.body, str_c(said)));
	assert_true(entry_read(buf_str(&small), &e));
	for (size_t n = 0; n < 3; n++) {			/* it says another length than is made of it */
		buf_clear(&whole);
		e.packed = 20000 + (n == 0 ? -1 : n == 1 ? 1 : 100000);
		assert_false(entry_unpack(&e, 1 << 20, &whole));
	}
	buf_clear(&small);
	assert_true(sealed(&b, "ab") && !entry_pack(buf_str(&b), &small));	/* nothing to be gained */
	buf_free(&b);
	buf_free(&small);
	buf_free(&whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_kept_is_read_again), cmocka_unit_test(whatever_was_damaged_is_no_entry),
		cmocka_unit_test(what_is_compressed_is_made_whole_within_a_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
