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

static bool sealed(struct buf *b, const char *said, bool tools)
{
	struct txn t = { .cost = 1234, .usage = { .input = 10, .output = 5, .cached = 3 } };
	entry_begin(b, STR("application/json"));
	buf_add(b, str_c(said));
	return entry_seal(b, &t, tools);
}

static void what_is_kept_is_read_again(void **state)
{
	struct buf b = BUF_INIT(4096);
	struct entry e;
	(void)state;
	assert_true(sealed(&b, body, false));
	assert_true(entry_read(buf_str(&b), &e));
	assert_true(str_eq(e.type, STR("application/json")) && str_eq(e.body, str_c(body)));
	assert_true(e.cost == 1234 && e.usage.input == 10 && e.usage.output == 5 && e.usage.cached == 3 && e.usage.total == 15 && e.age_us >= 0);
	buf_free(&b);
}

static void whatever_was_damaged_is_no_entry(void **state)
{
	struct buf b = BUF_INIT(4096);
	struct entry e;
	(void)state;
	assert_true(sealed(&b, body, false));
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

static void what_is_not_worth_keeping(void **state)
{
	static const struct { const char *said; bool plain, tools; } cases[] = {
		{ body, true, true }, { "", false, false }, { "{\"choices\":[{\"finish_reason\" : \"content_filter\"}]}", false, false },
		{ "{\"stop_reason\":\"refusal\"}", false, false }, { "{\"status\":\"incomplete\"}", false, false },
		{ "{\"candidates\":[{\"finishReason\": \"SAFETY\"}]}", false, false }, { "{\"promptFeedback\":{\"blockReason\":\"OTHER\"}}", false, false },
		{ "{\"tool_calls\":[{\"id\":\"1\"}]}", false, true }, { "{\"content\":[{\"type\":\"tool_use\"}]}", false, true },
		{ "{\"parts\":[{\"functionCall\":{\"name\":\"f\"}}]}", false, true }, { "{\"tool_calls\":[]}", true, true },
		{ "{\"text\":\"a \\\"finish_reason\\\":\\\"content_filter\\\"\"}", true, true },
	};
	struct buf b = BUF_INIT(4096);
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(sealed(&b, cases[i].said, false), cases[i].plain);
		assert_int_equal(sealed(&b, cases[i].said, true), cases[i].tools);
	}
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_kept_is_read_again), cmocka_unit_test(whatever_was_damaged_is_no_entry), cmocka_unit_test(what_is_not_worth_keeping),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
