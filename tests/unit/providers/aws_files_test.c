/*
 * aws_files_test.c: sections, values and comments as AWS's own tools read them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "providers/aws_files.h"

static const char credentials[] =
	"# of mine\n[default]\r\naws_access_key_id = AKIA1\r\nAWS_Secret_Access_Key=a/b+c=\r\n"
	"\n[ work ]\naws_access_key_id=AKIA2 # old\naws_access_key_id=AKIA3\naws_secret_access_key = x#y ; z\n"
	"s3 =\n  aws_access_key_id = nested\n[\"two words\"]\nk = v\n[open\nk = w";
static const char config[] =
	"[default]\nregion = eu-west-1\n[profile work]\nregion=eu-west-2\n[work]\nregion = none\n[profile]\nregion = none\n"
	"[profilex]\nregion = none\n[sso-session s]\nregion = none\n";

static bool says(const char *text, enum aws_file kind, const char *profile, const char *key, const char *value)
{
	return str_eq(aws_file_get(str_c(text), kind, str_c(profile), str_c(key)), str_c(value));
}

static void credentials_files(void **state)
{
	(void)state;
	assert_true(says(credentials, AWS_CREDENTIALS, "default", "aws_access_key_id", "AKIA1"));
	assert_true(says(credentials, AWS_CREDENTIALS, "default", "aws_secret_access_key", "a/b+c="));
	assert_true(says(credentials, AWS_CREDENTIALS, "work", "aws_access_key_id", "AKIA3"));
	assert_true(says(credentials, AWS_CREDENTIALS, "work", "aws_secret_access_key", "x#y"));
	assert_true(says(credentials, AWS_CREDENTIALS, "two words", "k", "v"));
	assert_true(says(credentials, AWS_CREDENTIALS, "Work", "aws_access_key_id", ""));
	assert_true(says(credentials, AWS_CREDENTIALS, "", "k", "w"));	/* a section without its end has no name */
	assert_true(says("", AWS_CREDENTIALS, "default", "k", "") && says("=\n[a]\n=x\nk", AWS_CREDENTIALS, "a", "k", ""));
}

static void config_files(void **state)
{
	(void)state;
	assert_true(says(config, AWS_CONFIG, "default", "region", "eu-west-1"));
	assert_true(says(config, AWS_CONFIG, "work", "region", "eu-west-2"));
	assert_true(says(config, AWS_CONFIG, "s", "region", "") && says(config, AWS_CONFIG, "x", "region", ""));
	assert_true(aws_file_has(str_c(config), AWS_CONFIG, STR("work")) && !aws_file_has(str_c(config), AWS_CONFIG, STR("s")));
	assert_false(aws_file_has(str_c(config), AWS_CONFIG, STR_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credentials_files),
		cmocka_unit_test(config_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
