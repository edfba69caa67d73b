/*
 * rules_calculate_test.c: calculations, units, rows of tables, and texts without regard to case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rules/calculate.h"
#include "rules/text.h"

static struct weir_text text(const char *s)
{
	return (struct weir_text){ s, strlen(s) };
}

static void calculations(void **state)
{
	static const char *const pairs[][2] = {
		{ "what is 12*(3+4)?", "84" }, { "0.1 + 0.2", "0.3" }, { "Hi, please calculate 1/3", "0.333333333333" }, { "2^10=", "1024" },
		{ "What is 15% of 80?", "12" }, { "how much is 7 times 8", "56" }, { "12 divided by 5", "2.4" }, { "-2^2 + 1", "-3" },
		{ "what is 1,250 + 1", "1251" }, { "What's 10 / 4 please?", "2.5" }, { "calculate 9/12", "0.75" }, { "2 x 3.50", "7" },
		{ "3 \xc3\x97 4", "12" }, { "2^3^2", "512" }, { "10 - 4 - 3", "3" }, { "(1-1)*5", "0" }, { "what is -3 - -4", "1" },
	};
	struct worked w;
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (!calculate(text(pairs[i][0]), &w))
			fail_msg("not answered: %s", pairs[i][0]);
		assert_string_equal(w.result, pairs[i][1]);
	}
}

static void what_is_no_clear_calculation_is_left_alone(void **state)
{
	static const char *const texts[] = {
		"", "42", "what is 42?", "what is 1/0?", "0^0", "what is 9/11?", "24/7", "2024-11-28", "what is 2024-11-28", "555-1234", "555-0123 + 1",
		"6/2(1+2)", "what is 1,5 + 1", "1,250 * 2", "what is x + 1", "what is 50 + 10%?", "12*(3+4", "10 of 12", "what is 3 + 4 in binary", "9^999",
		"999999999999 * 999999999999", "(-8)^(1/3)", "1.2.3 + 4", "what is love", "call 5 + 5 people", "how much is the 3 + 1 offer", "1 +", "* 3",
		"what is 0x10?", "0x1F + 1", "1920x1080", "what is 10 * 0X2",
		"((((((((((((((((((((((((((((((((((((((((1+1))))))))))))))))))))))))))))))))))))))))", "----------------------------------------1+1",
	};
	struct worked w;
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (calculate(text(texts[i]), &w))
			fail_msg("answered: %s = %s", texts[i], w.result);
}

static void conversions(void **state)
{
	static const char *const rows[][3] = {
		{ "how many kilometers are 10 miles?", "16.09344", "kilometres" }, { "Convert 100 \xc2\xb0""F to celsius", "37.778", "\xc2\xb0""C" },
		{ "what is 5 feet in cm?", "152.4", "centimetres" }, { "-40 degrees celsius in fahrenheit", "-40", "\xc2\xb0""F" },
		{ "How many MB are in 2.5 GB?", "2500", "megabytes" }, { "1 KiB in bytes", "1024", "bytes" }, { "60 mph to km/h", "96.56064", "kilometres per hour" },
		{ "how many grams are there in a pound", "453.59237", "grams" }, { "10km in miles", "6.213711922", "miles" },
		{ "please convert 2 cups to ml", "473.176473", "millilitres" }, { "1 mm to km", "0.000001", "kilometres" }, { "how many seconds in one week?", "604800", "seconds" },
		{ "0 c to k", NULL, NULL }, { "0 celsius to kelvin", "273.15", "K" }, { "how many liters is 1 gallon", "3.785411784", "litres" },
	};
	struct worked w;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool found = convert(text(rows[i][0]), &w);
		if (found != (rows[i][1] != NULL))
			fail_msg("%s: %s", found ? "answered" : "not answered", rows[i][0]);
		if (!found)
			continue;
		assert_string_equal(w.result, rows[i][1]);
		assert_string_equal(w.unit, rows[i][2]);
	}
}

static void what_is_no_clear_conversion_is_left_alone(void **state)
{
	static const char *const texts[] = {
		"", "10 miles", "how many miles in a gallon", "5 feet 10 inches in cm", "10 tons in kg", "10 mb in gb", "-5 miles in km", "-300 celsius in kelvin",
		"1,5 km in m", "10 miles in km and back", "how many kilometers is it to Rome", "what is a mile in", "10 kg in kg", "1..5 km in m",
	};
	struct worked w;
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (convert(text(texts[i]), &w))
			fail_msg("answered: %s = %s", texts[i], w.result);
}

static void rows_are_found_by_their_key(void **state)
{
	const char *error;
	unsigned line;
	size_t column;
	struct table *t = table_read(text("order,status\nA-1,sent\n\"B,2\",\"waiting \"\"long\"\"\"\nc-3\n"), text("Order"), &error, &line);
	(void)state;
	assert_non_null(t);
	assert_true(table_column(t, text("status"), &column));
	assert_false(table_column(t, text("price"), &column));
	assert_true(table_column(t, text("status"), &column));
	assert_memory_equal(table_field(t, table_find(t, text(" a-1 ")), column).p, "sent", 4);
	assert_memory_equal(table_field(t, table_find(t, text("b,2")), column).p, "waiting \"long\"", 14);
	assert_int_equal(table_field(t, table_find(t, text("C-3")), column).n, 0);
	assert_int_equal(table_find(t, text("A")), 0);
	assert_int_equal(table_find(t, text("")), 0);
	table_free(t);
}

static void wrong_tables_are_told(void **state)
{
	static const struct { const char *csv, *error; unsigned line; } wrong[] = {
		{ "order\n", "the table has no rows", 1 }, { "a,b\n1,2\n", "the first row does not name the column of keys", 1 },
		{ "order\n1\n2\n1\n", "a row before it has the same key", 4 }, { "order,b\n1,2\n,3\n", "the row has no key", 3 },
		{ "order\n1,2\n", "the row has more fields than the first one names", 2 }, { "order\n\"1\n", "a quote is not closed", 2 },
	};
	const char *error;
	unsigned line;
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_null(table_read(text(wrong[i].csv), text("order"), &error, &line));
		assert_string_equal(error, wrong[i].error);
		assert_int_equal(line, wrong[i].line);
	}
}

static void case_does_not_count_in_any_alphabet(void **state)
{
	(void)state;
	assert_true(text_same(text("GR\xc3\x96SSE \xce\x9f\xce\x94\xce\x9f\xce\xa3"), text("gr\xc3\xb6sse \xce\xbf\xce\xb4\xce\xbf\xcf\x82")));
	assert_false(text_same(text("a"), text("ab")));
	assert_false(text_same(text("ab"), text("a")));
	assert_true(text_begins(text("\xd0\x9f\xd0\xa0\xd0\x98\xd0\x92\xd0\x95\xd0\xa2 x"), text("\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82")));
	assert_true(text_has_word(text("\xc3\x9c""BER uns"), text("\xc3\xbc""ber")));
	assert_false(text_has_word(text("gegen\xc3\xbc""ber"), text("\xc3\xbc""ber")));
	assert_true(text_has_word(text("so \xe2\x80\x9cword\xe2\x80\x9d"), text("word")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calculations),
		cmocka_unit_test(what_is_no_clear_calculation_is_left_alone),
		cmocka_unit_test(conversions),
		cmocka_unit_test(what_is_no_clear_conversion_is_left_alone),
		cmocka_unit_test(rows_are_found_by_their_key),
		cmocka_unit_test(wrong_tables_are_told),
		cmocka_unit_test(case_does_not_count_in_any_alphabet),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
