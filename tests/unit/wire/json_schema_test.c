/*
 * json_schema_test.c: words of the standard, one by one, and schemas that mean harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "wire/json_schema.h"

static const struct { const char *schema, *value, *broken; } cases[] = {
	{ "{}", "1", NULL },
	{ "true", "1", NULL },
	{ "false", "1", "depth" },
	{ "{\"type\":\"string\"}", "\"a\"", NULL },
	{ "{\"type\":\"string\"}", "1", "type" },
	{ "{\"type\":\"integer\"}", "1.0", NULL },
	{ "{\"type\":\"integer\"}", "1.5", "type" },
	{ "{\"type\":[\"string\",\"null\"]}", "null", NULL },
	{ "{\"type\":[\"string\",\"null\"]}", "false", "type" },
	{ "{\"type\":\"boolean\"}", "false", NULL },
	{ "{\"enum\":[\"a\",1,{\"x\":[1]}]}", "{\"x\":[1.0]}", NULL },
	{ "{\"enum\":[\"a\",1]}", "\"\\u0061\"", NULL },
	{ "{\"enum\":[\"a\",1]}", "\"b\"", "enum" },
	{ "{\"const\":{\"a\":1,\"b\":2}}", "{\"b\":2,\"a\":1}", NULL },
	{ "{\"const\":[1,2]}", "[2,1]", "const" },
	{ "{\"properties\":{\"a\":{\"type\":\"string\"}}}", "{\"a\":1}", "type" },
	{ "{\"properties\":{\"a\":{\"type\":\"string\"}}}", "[1]", NULL },
	{ "{\"required\":[\"a\",\"b\"]}", "{\"a\":1}", "required" },
	{ "{\"required\":[\"a\"]}", "{\"\\u0061\":null}", NULL },
	{ "{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"a\":1}", NULL },
	{ "{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"a\":1,\"b\":1}", "additionalProperties" },
	{ "{\"additionalProperties\":{\"type\":\"null\"}}", "{\"b\":null}", NULL },
	{ "{\"items\":{\"type\":\"number\"}}", "[1,2,\"3\"]", "type" },
	{ "{\"prefixItems\":[{\"type\":\"string\"}],\"items\":false}", "[\"a\"]", NULL },
	{ "{\"prefixItems\":[{\"type\":\"string\"}],\"items\":false}", "[\"a\",1]", "items" },
	{ "{\"minItems\":2}", "[1]", "minItems" },
	{ "{\"maxItems\":1}", "[1,2]", "maxItems" },
	{ "{\"minLength\":2,\"maxLength\":2}", "\"\\u00e4\xC3\xB6\"", NULL },
	{ "{\"minLength\":3}", "\"ab\"", "minLength" },
	{ "{\"maxLength\":1}", "\"ab\"", "maxLength" },
	{ "{\"pattern\":\"^[A-Z]{2}-\\\\d+$\"}", "\"AB-12\"", NULL },
	{ "{\"pattern\":\"^[A-Z]{2}-\\\\d+$\"}", "\"ab-12\"", "pattern" },
	{ "{\"pattern\":\"(\"}", "\"a\"", "pattern" },
	{ "{\"minimum\":1,\"maximum\":2}", "1.5", NULL },
	{ "{\"minimum\":1}", "0", "minimum" },
	{ "{\"maximum\":1}", "1e3", "maximum" },
	{ "{\"exclusiveMinimum\":1}", "1", "exclusiveMinimum" },
	{ "{\"exclusiveMaximum\":1}", "1", "exclusiveMaximum" },
	{ "{\"multipleOf\":0.1}", "0.3", NULL },
	{ "{\"multipleOf\":2}", "3", "multipleOf" },
	{ "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", "null", NULL },
	{ "{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":3}]}", "1", "type" },
	{ "{\"oneOf\":[{\"minimum\":1},{\"minimum\":2}]}", "1", NULL },
	{ "{\"oneOf\":[{\"minimum\":1},{\"minimum\":2}]}", "2", "oneOf" },
	{ "{\"allOf\":[{\"minimum\":1},{\"maximum\":2}]}", "3", "maximum" },
	{ "{\"not\":{\"type\":\"null\"}}", "null", "not" },
	{ "{\"$ref\":\"#/$defs/n\",\"$defs\":{\"n\":{\"type\":\"null\"}}}", "null", NULL },
	{ "{\"$ref\":\"#/$defs/n\",\"$defs\":{\"n\":{\"type\":\"null\"}}}", "1", "type" },
	{ "{\"$defs\":{\"t\":{\"properties\":{\"next\":{\"anyOf\":[{\"$ref\":\"#/$defs/t\"},{\"type\":\"null\"}]}},"
	  "\"required\":[\"next\"]}},\"$ref\":\"#/$defs/t\"}", "{\"next\":{\"next\":null}}", NULL },
	{ "{\"$defs\":{\"t\":{\"properties\":{\"next\":{\"anyOf\":[{\"$ref\":\"#/$defs/t\"},{\"type\":\"null\"}]}},"
	  "\"required\":[\"next\"]}},\"$ref\":\"#/$defs/t\"}", "{\"next\":{\"after\":1}}", "required" },
	{ "{\"$ref\":\"https://elsewhere.example/x\"}", "1", NULL },
	{ "\xEF\xBB\xBF{\"type\":\"string\"}", "1", "type" },
	{ "{\"format\":\"email\"}", "\"no\"", NULL },
};

static void words(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		struct arena a = ARENA_INIT;
		const char *broken;
		bool good = json_schema_holds(str_c(cases[i].schema), str_c(cases[i].value), &a, &broken);
		if (good != !cases[i].broken || (broken && strcmp(broken, cases[i].broken) != 0))
			fail_msg("%s of %s: %s", cases[i].schema, cases[i].value, broken ? broken : "holds");
		arena_clear(&a);
	}
}

/* A schema that refers to itself, twice: it must come to an end. */
static void comes_to_an_end(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	const char *broken;
	assert_false(json_schema_holds(STR("{\"$ref\":\"#\"}"), STR("1"), &a, &broken));
	assert_false(json_schema_holds(STR("{\"allOf\":[{\"not\":{\"$ref\":\"#\"}},{\"not\":{\"$ref\":\"#\"}}],\"anyOf\":[{\"$ref\":\"#\"},"
					   "{\"$ref\":\"#\"}]}"), STR("1"), &a, &broken));
	assert_non_null(broken);
	arena_clear(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(comes_to_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
