/*
 * json_schema_fuzz.c: a schema and a value, a line each, any bytes: it comes to an end within its bounds, says
 * the same twice, and what it says is undone by `not`.
 */
#include "base/buf.h"
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
		struct buf no = BUF_INIT(SIZE_MAX >> 1);
		must(buf_add(&no, STR("{\"not\":")) && buf_add(&no, json_value(schema)) && buf_addc(&no, '}'));
		must(!json_schema_holds(buf_str(&no), value, &a, &again));
		buf_free(&no);
	}
	arena_clear(&a);
	return 0;
}
