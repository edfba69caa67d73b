/*
 * str_map_test.c: what was put in is found, and nothing else, however many there are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/str_map.h"

enum { MANY = 5000 };

static void what_was_put_in_is_found(void **state)
{
	struct arena a = ARENA_INIT;
	struct str_map m = STR_MAP_INIT(&a);
	static int values[MANY];
	char key[16];
	(void)state;
	assert_null(str_map_get(&m, STR("0")));
	for (int i = 0; i < MANY; i++) {
		void **at = str_map_at(&m, arena_printf(&a, "%d", i));
		assert_null(*at);
		*at = &values[i];
	}
	for (int i = 0; i < MANY; i++) {
		struct str k = str_of(key, (size_t)sprintf(key, "%d", i));
		assert_ptr_equal(str_map_get(&m, k), &values[i]);
		assert_ptr_equal(*str_map_at(&m, k), &values[i]);
	}
	assert_int_equal(m.used, MANY);
	assert_null(str_map_get(&m, STR("-1")));
	assert_null(str_map_get(&m, STR("")));
	*str_map_at(&m, STR("")) = &m;
	assert_ptr_equal(str_map_get(&m, STR("")), &m);
	arena_clear(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_was_put_in_is_found) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
