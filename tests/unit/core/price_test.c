/*
 * price_test.c: tokens times rates; and money in and out of text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/price.h"

static struct price base(void)
{
	struct price p;
	price_init(&p);
	p.rates[RATE_INPUT] = 1000000000;	/* 1 and 4 dollars a million */
	p.rates[RATE_OUTPUT] = 4000000000;
	return p;
}

static int64_t cost(const struct price *p, struct usage u)
{
	return price_cost(p, &u, (enum service_tier)u.service);
}

static void plain_tokens(void **state)
{
	struct price p = base();
	(void)state;
	assert_int_equal(cost(&p, (struct usage){ .input = 1000, .output = 500 }), 1000000 + 2000000);
	assert_int_equal(cost(&p, (struct usage){ 0 }), 0);
	p.rates[RATE_INPUT] = 1;	/* a millionth of a nano-dollar each: rounded up once */
	assert_int_equal(cost(&p, (struct usage){ .input = 3 }), 1);
	p.request = 5000000;
	assert_int_equal(cost(&p, (struct usage){ .input = 3 }), 5000001);
}

/* Cached reads and writes at their own rates, once, not twice: demands 26 and 30 of users. */
static void cached_tokens(void **state)
{
	struct price p = base();
	(void)state;
	struct usage u = { .input = 1000, .output = 0, .cached = 600, .cache_write = 300, .cache_write_1h = 100 };
	assert_int_equal(cost(&p, u), 1000000);		/* unknown rates: as input */
	p.rates[RATE_CACHED_INPUT] = 100000000;
	p.rates[RATE_CACHE_WRITE] = 1250000000;
	assert_int_equal(cost(&p, u), 600 * 100 + 300 * 1250 + 100 * 1000);
	p.rates[RATE_CACHE_WRITE_1H] = 2000000000;
	assert_int_equal(cost(&p, u), 600 * 100 + 200 * 1250 + 100 * 2000 + 100 * 1000);
}

static void reasoning_audio_and_images(void **state)
{
	struct price p = base();
	struct usage u = { .input = 100, .output = 100, .reasoning = 50, .audio_input = 20, .audio_output = 10, .image_input = 30 };
	(void)state;
	assert_int_equal(cost(&p, u), 100 * 1000 + 100 * 4000);
	p.rates[RATE_REASONING] = 6000000000;
	p.rates[RATE_AUDIO_INPUT] = 40000000000;
	p.rates[RATE_AUDIO_OUTPUT] = 80000000000;
	p.rates[RATE_IMAGE_INPUT] = 2000000000;
	assert_int_equal(cost(&p, u), 50 * 1000 + 20 * 40000 + 30 * 2000 + 40 * 4000 + 50 * 6000 + 10 * 80000);
}

/* The whole request is charged at the tier its prompt falls into. */
static void long_prompts(void **state)
{
	struct price p = base();
	(void)state;
	p.rates[RATE_CACHED_INPUT] = 100000000;
	p.tiers[0].above = 200000;
	p.tiers[0].price = (struct price_three){ 2000000000, 6000000000, PRICE_UNKNOWN };
	p.tiers[1].above = 500000;
	p.tiers[1].price = (struct price_three){ 3000000000, 9000000000, 500000000 };
	assert_int_equal(cost(&p, (struct usage){ .input = 200000, .output = 10 }), 200000 * INT64_C(1000) + 10 * 4000);
	assert_int_equal(cost(&p, (struct usage){ .input = 200001, .output = 10 }), 200001 * INT64_C(2000) + 10 * 6000);
	assert_int_equal(cost(&p, (struct usage){ .input = 300000, .cached = 300000 }), 300000 * INT64_C(200));	/* scaled along */
	assert_int_equal(cost(&p, (struct usage){ .input = 600000, .cached = 600000 }), 600000 * INT64_C(500));
}

static void service_tiers(void **state)
{
	struct price p = base();
	(void)state;
	p.services[SERVICE_BATCH] = (struct price_three){ 500000000, 2000000000, PRICE_UNKNOWN };
	p.services[SERVICE_PRIORITY] = (struct price_three){ 2000000000, 8000000000, PRICE_UNKNOWN };
	struct usage u = { .input = 1000, .output = 1000 };
	assert_int_equal(cost(&p, u), 5000000);
	u.service = SERVICE_BATCH;
	assert_int_equal(cost(&p, u), 2500000);
	u.service = SERVICE_PRIORITY;
	assert_int_equal(cost(&p, u), 10000000);
	u.service = SERVICE_FLEX;	/* no such price: the standard one */
	assert_int_equal(cost(&p, u), 5000000);
	u.service = SERVICE_STANDARD;
	assert_int_equal(cost(&p, u), 5000000);
}

/* Never negative, never free by nonsense: demand 31 of users. */
static void nonsense_stays_within_its_whole(void **state)
{
	struct price p = base();
	(void)state;
	p.rates[RATE_CACHED_INPUT] = 0;
	assert_int_equal(cost(&p, (struct usage){ .input = 100, .cached = 5000, .output = 1 }), 4000);
	assert_int_equal(cost(&p, (struct usage){ .input = -5, .output = -9, .cached = -1, .reasoning = -3 }), 0);
	assert_int_equal(cost(&p, (struct usage){ .input = 10, .output = 10, .reasoning = 400 }), 10 * 1000 + 10 * 4000);
	assert_true(cost(&p, (struct usage){ .input = INT64_MAX, .output = INT64_MAX }) > 0);
	assert_true(cost(&p, (struct usage){ .input = INT64_MAX, .output = INT64_MAX }) <= MONEY_MAX);
}

static void amounts_as_text(void **state)
{
	static const struct { const char *text; int64_t nano; } good[] = {
		{ "0", 0 }, { "1", NANO }, { "1.5", 1500000000 }, { "0.000000001", 1 }, { ".25", 250000000 }, { "3.", 3 * NANO },
		{ "0.0000000010000", 1 }, { "1000000000", MONEY_MAX },
	};
	static const char *const bad[] = { "", ".", "-1", "+1", "1e3", "1,5", " 1", "0x1", "1000000001", "0.0000000001", "nan",
					   "99999999999999999999999", "9999999999", "999999999999999999", "9223372036.9" };
	char to[MONEY_SIZE];
	int64_t n;
	(void)state;
	for (size_t i = 0; i < array_len(good); i++) {
		assert_true(money_parse(str_c(good[i].text), &n));
		assert_int_equal(n, good[i].nano);
	}
	for (size_t i = 0; i < array_len(bad); i++)
		if (money_parse(str_c(bad[i]), &n))
			fail_msg("taken: %s", bad[i]);
	assert_true(str_eq(money_format(to, 12450), STR("0.00001245")));
	assert_true(str_eq(money_format(to, 0), STR("0")));
	assert_true(str_eq(money_format(to, 3 * NANO), STR("3")));
	assert_true(str_eq(money_format(to, -1500000000), STR("-1.5")));
	assert_true(str_eq(money_format(to, INT64_MAX), STR("9223372036.854775807")));
	assert_true(money_parse_json(STR("8.725e-05"), &n) && n == 87250);
	assert_true(money_parse_json(STR("0.00020436"), &n) && n == 204360);
	assert_true(money_parse_json(STR("1E-12"), &n) && n == 1);	/* rounded up */
	assert_false(money_parse_json(STR("-0.1"), &n));
	assert_false(money_parse_json(STR("1e300"), &n));
	assert_false(money_parse_json(STR("null"), &n));
}

static void equal_prices_are_one(void **state)
{
	struct price a = base(), b = base();
	(void)state;
	assert_ptr_equal(price_intern(&a), price_intern(&b));
	b.request = 1;
	assert_ptr_not_equal(price_intern(&a), price_intern(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_tokens), cmocka_unit_test(cached_tokens), cmocka_unit_test(reasoning_audio_and_images),
		cmocka_unit_test(long_prompts), cmocka_unit_test(service_tiers), cmocka_unit_test(nonsense_stays_within_its_whole),
		cmocka_unit_test(amounts_as_text), cmocka_unit_test(equal_prices_are_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
