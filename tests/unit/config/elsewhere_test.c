/*
 * How other gateways write variables and options.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/elsewhere.h"

static void variables_of_others_are_known(void **state)
{
	(void)state;
	assert_true(elsewhere_variable(STR("os.environ/OPENAI_API_KEY")));
	assert_true(elsewhere_variable(STR("env.KEY_2")));
	assert_true(elsewhere_variable(STR("env::KEY")));
	assert_true(elsewhere_variable(STR("env:_KEY")));
	assert_true(elsewhere_variable(STR("$KEY")));
}

static void secrets_are_not(void **state)
{
	(void)state;
	static const char *const secrets[] = { "", "$", "$ecret", "$KEY-1", "$2KEY", "env.", "env.key", "os.environ/", "sk-os.environ/KEY", "KEY" };
	for (size_t i = 0; i < array_len(secrets); i++)
		assert_false(elsewhere_variable(str_c(secrets[i])));
}

static void options_of_others_are_named(void **state)
{
	(void)state;
	assert_string_equal(elsewhere_option(STR("api_base")), "`base_url`");
	assert_null(elsewhere_option(STR("base_url")));
	assert_null(elsewhere_option(STR("api_bas")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables_of_others_are_known),
		cmocka_unit_test(secrets_are_not),
		cmocka_unit_test(options_of_others_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
