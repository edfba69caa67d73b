/*
 * code_signs_test.c: code, and prose about it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/code_signs.h"

static void code_is_told_from_prose(void **state)
{
	static const char *const code[] = { "a\\n```c\\nint x;\\n```", "#include <stdio.h>", "#include \\\"a.h\\\"", "def __init__(self):", "<div></div>" };
	static const char *const prose[] = { "", "Is C a good language?", "include a table", "public transport in a static town", "`x`" };
	(void)state;
	for (size_t i = 0; i < array_len(code); i++)
		assert_true(has_code_signs(str_c(code[i])));
	for (size_t i = 0; i < array_len(prose); i++)
		assert_false(has_code_signs(str_c(prose[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(code_is_told_from_prose) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
