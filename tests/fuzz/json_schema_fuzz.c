/*
 * json_schema_fuzz.c: a schema and a value, a line each, any bytes: it comes to an end within its bounds and says
 * the same twice; of JSON that is valid, `not` undoes what it says.
 */
#include "base/buf.h"
#include "tests/fuzz/fuzz.h"
#include "wire/json_cursor.h"
#include "wire/json_scan.h"
#include "wire/json_schema.h"

static bool is_valid(struct str json, struct arena *a)
{
	struct json_scan s;
	json_scan_init(&s, a);
	s.any_root = json.n && json.p[0] != '{';
	return json_scan_feed(&s, json.p, json.n, true) == JSON_DONE;
}

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
	if (good && schema.n && schema.p[0] == '{' && is_valid(schema, &a) && is_valid(value, &a) && !str_has(schema, STR("ref"))) {
		struct buf no = BUF_INIT(SIZE_MAX >> 1);
		must(buf_add(&no, STR("{\"not\":")) && buf_add(&no, json_value(schema)) && buf_addc(&no, '}'));
		must(!json_schema_holds(buf_str(&no), value, &a, &again));
		buf_free(&no);
	}
	arena_clear(&a);
	return 0;
}
