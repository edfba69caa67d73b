/*
 * cascade_check_test.c: refusals and what only looks like one; and how alike two answers are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "upstream/cascade_check.h"
#include "upstream/compare.h"

static void refusals(void **state)
{
	(void)state;
	assert_true(cascade_is_refusal(STR("I'm sorry, but I can't help with that.")));
	assert_true(cascade_is_refusal(STR("Oh dear. I\xE2\x80\x99m sorry, but I cannot do this")));
	assert_true(cascade_is_refusal(STR("As an AI language model, I have no body.")));
	assert_true(cascade_is_refusal(STR("Es tut mir leid, aber ich kann das nicht.")));
	assert_false(cascade_is_refusal(STR("I'm sorry you had to wait. The answer is 4.")));
	assert_false(cascade_is_refusal(STR("")));
	assert_false(cascade_is_refusal(STR("\xE2\x80")));	/* cut inside a character */
	char late[400];
	memset(late, '.', sizeof(late));
	memcpy(late + 300, "I cannot assist", 15);
	assert_false(cascade_is_refusal(str_of(late, sizeof(late))));	/* it answered, and then refused more */
}

static void alike(void **state)
{
	(void)state;
	assert_true(compare_texts(STR("The capital is Paris."), STR("the CAPITAL -- is: paris")) > 1);
	assert_true(compare_texts(STR(""), STR("")) > 1);
	assert_true(compare_texts(STR("a b c d"), STR("d c b a")) == 1);
	assert_true(compare_texts(STR("a b c d"), STR("a b x y")) == 0.5);
	assert_true(compare_texts(STR("a a a a"), STR("a")) == 0.4);
	assert_true(compare_texts(STR("yes"), STR("")) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),
		cmocka_unit_test(alike),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
