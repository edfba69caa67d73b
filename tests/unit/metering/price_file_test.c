/*
 * price_file_test.c: tables that are refused with their place, and what costs what.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/price_book.h"
#include "core/target.h"
#include "metering/price_file.h"

static struct arena arena;
static struct price_book book;
static struct price_fault fault;

static bool parse(const char *text)
{
	return price_file_parse(str_c(text), &arena, &book, &fault);
}

static void mistakes_are_named_where_they_are(void **state)
{
	static const struct { const char *text; unsigned line, column; const char *words; } rows[] = {
		{ "", 0, 0, "no table" },
		{ "# nothing\n", 2, 1, "no table" },
		{ "name,input\n", 1, 1, "no column `name`" },
		{ "input,output\n", 1, 1, "`model` among them" },
		{ "model,input,input\n", 1, 13, "twice" },
		{ "model,input,output\na/b,1,-2\n", 2, 7, "`output`: expected dollars, at least 0" },
		{ "model,input,output\na/b,1e-6,2\n", 2, 5, "`input`" },
		{ "model,input,output\na/b,\"1\",2\n", 2, 5, "`input`" },
		{ "model,input,output\na/b,one,2\n", 2, 5, "not `one`" },
		{ "model,input,output\na/b,1,999999\n", 2, 7, "at most 100000" },
		{ "model,input,output\na/b,99999999999999999999999999999999,1\n", 2, 5, "`input`" },
		{ "model,input,output\na/b,0.00000000001,1\n", 2, 5, "nine decimals" },
		{ "model,input,output\na/b,1\n", 2, 1, "2 fields, but 3 columns" },
		{ "model,input,output\na/b,1,2,3\n", 2, 9, "more fields" },
		{ "model,input,output\nb,1,2\n", 2, 1, "provider/model" },
		{ "model,input,output\n,1,2\n", 2, 1, "provider/model" },
		{ "model,input,output\na/b,,2\n", 2, 1, "none for its input" },
		{ "model,input,output\na/b,1,\n", 2, 1, "no price for its output" },
		{ "model,input,output\na/b,0,0\n", 2, 1, "would cost nothing" },
		{ "model,input,output,cached_input\na/b,1,2,1.5\n", 2, 1, "cached input costs more" },
		{ "model,input,output\na/b,1,2\na/c,1,2\na/b,3,4\n", 4, 1, "comes twice" },
		{ "model,input,output,context\na/b,1,2,-5\n", 2, 9, "whole number of tokens" },
		{ "model,input,output,retires\na/b,1,2,soon\n", 2, 9, "a date" },
		{ "model,input,output,mode\na/b,1,2,talk\n", 2, 9, "chat, responses, embedding" },
		{ "model,input,output,features\na/b,1,2,tools wings\n", 2, 9, "`wings`" },
		{ "model,input,output,above\na/b,1,2,many\n", 2, 9, "TOKENS" },
		{ "model,input,output,above\na/b,1,2,200:2/4/ 100:1/2/\n", 2, 9, "rise" },
		{ "model,input,output,above\na/b,1,2,1:1/1/ 2:1/1/ 3:1/1/ 4:1/1/\n", 2, 9, "three tiers" },
		{ "model,input,output,batch\na/b,1,2,0.5\n", 2, 9, "input/output/cached" },
	};
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		if (parse(rows[i].text))
			fail_msg("taken: %s", rows[i].text);
		if (!str_has(str_c(fault.message), str_c(rows[i].words)) || (rows[i].line && (fault.line != rows[i].line ||
		    fault.column != rows[i].column)))
			fail_msg("%s\n%u:%u: %s", rows[i].text, fault.line, fault.column, fault.message);
		assert_int_equal(book.n, 0);
	}
}

static void the_built_in_table_is_read(void **state)
{
	const struct price_book *b = price_file_builtin();
	const struct model_facts *row = price_book_find(b, STR("openai"), STR("gpt-4o"));
	(void)state;
	assert_true(b->n > 1500);
	assert_true(b->date >= 20260801);
	assert_non_null(row);
	assert_int_equal(row->price.rates[RATE_INPUT], 2500000000);
	assert_int_equal(row->price.rates[RATE_CACHED_INPUT], 1250000000);
	assert_true(row->features & FEATURE_TOOLS && row->features & FEATURE_VISION && row->context == 128000);
	assert_ptr_not_equal(price_book_find(b, STR("openai"), STR("gpt-4")), row);
	assert_null(price_book_find(b, STR("openai"), STR("gpt-4o-")));
	assert_null(price_book_find(b, STR("nobody"), STR("gpt-4o")));
}

/* --- what an unknown model is thought to cost --- */

static struct target target_of(const char *provider, const char *preset, const char *model)
{
	static struct provider p;
	p = (struct provider){ .name = str_c(provider), .preset = str_c(preset) };
	return (struct target){ .provider = &p, .model = str_c(model) };
}

/* A model without a price is never free: demands 28 and 28b of users. */
static void an_unknown_model_is_priced_like_its_relatives(void **state)
{
	struct pricing p = { .books = { &book }, .n = 1, .unpriced = UNPRICED_ESTIMATE };
	(void)state;
	assert_true(parse("model,input,output,mode\n"
			  "v/alpha-2,1,2,chat\nv/alpha-3,3,4,chat\nv/beta,9,9,chat\nv/alpha-embed,0.1,0,embedding\nw/x,50,50,chat\n"));
	struct target t = target_of("v", "", "alpha-9");
	pricing_apply(&p, &t);
	assert_true(t.price && t.price->estimated && !t.price->free);
	assert_int_equal(t.price->rates[RATE_INPUT], 3000000000);	/* the dearer of two that are equally like it */
	t = target_of("mine", "v", "alpha-9");
	pricing_apply(&p, &t);
	assert_int_equal(t.price->rates[RATE_INPUT], 3000000000);
	t = target_of("v", "", "omega");
	pricing_apply(&p, &t);
	assert_int_equal(t.price->rates[RATE_INPUT], 9000000000);	/* its vendor's 90th percentile */
	t = target_of("nobody", "", "alpha-9");
	pricing_apply(&p, &t);
	assert_null(t.price);
	p.unpriced = UNPRICED_ALLOW;
	t = target_of("v", "", "alpha-9");
	pricing_apply(&p, &t);
	assert_null(t.price);
	t = target_of("v", "", "alpha-2");
	t.free = true;
	pricing_apply(&p, &t);
	assert_true(t.price->free);
}

static void the_operators_own_price_lies_on_top(void **state)
{
	static struct price_book own;
	struct price_fault f;
	(void)state;
	assert_true(parse("model,input,output,context,features\nopenai/gpt-x,1,2,1000,tools\n"));
	assert_true(price_file_parse(STR("model,input,output\nwest/gpt-x,7,8\n"), &arena, &own, &f));
	struct pricing p = { .books = { &own, &book }, .n = 2, .unpriced = UNPRICED_ESTIMATE };
	struct target t = target_of("west", "openai", "gpt-x");
	pricing_apply(&p, &t);
	assert_int_equal(t.price->rates[RATE_INPUT], 7000000000);
	assert_true(t.context == 1000 && t.features == FEATURE_TOOLS && t.features_known);
}

static int begin(void **state)
{
	(void)state;
	arena_init(&arena);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_clear(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_named_where_they_are),
		cmocka_unit_test(the_built_in_table_is_read),
		cmocka_unit_test(an_unknown_model_is_priced_like_its_relatives),
		cmocka_unit_test(the_operators_own_price_lies_on_top),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
