/*
 * json_schema_fuzz.c: a schema and a value, a line each, any bytes: it comes to an end within its bounds, says
 * the same twice, and what it says is undone by `not`.
 */
#include "tests/fuzz/fuzz.h"
#include "wire/json_cursor.h"
#include "wire/json_schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct str value = str_of((const char *)data, size), schema;
	const char *broken, *again;
	if (!str_split(&value, '\n', &schema))
		return 0;
	bool good = json_schema_holds(schema, value, &a, &broken);
	must(good == !broken);
	must(json_schema_holds(schema, value, &a, &again) == good);
	must(broken == again);
	if (good && json_type(json_value(schema)) == JSON_OBJECT && !str_has(schema, STR("$ref"))) {
		struct str no = arena_printf(&a, "{\"not\":%.*s}", STR_FMT(json_value(schema)));
		must(!json_schema_holds(no, value, &a, &again));
	}
	arena_clear(&a);
	return 0;
}
