/*
 * json_cursor_fuzz.c: any bytes under the cursor, which must stay within them and come to an
 * end; and of JSON that is valid it must read what jansson reads, all the way down.
 */
#include "tests/fuzz/json_fuzz.h"

#include "wire/json_cursor.h"

/* --- bytes of any kind --- */

static void read_text(struct str value, struct arena *a)
{
	struct str raw = json_raw(value), text = json_text(a, value);
	must(lies_in(raw, value) && text.n <= raw.n);
	must(!text.p || json_is(value, text));
	must(!raw.p || json_type(value) == JSON_STRING);
}

static void read_value(struct str value, struct str in, struct arena *a)
{
	int64_t n = 0;
	must(lies_in(value, in));
	read_text(value, a);
	must(!json_int(value, &n) || json_type(value) == JSON_NUMBER);
	must(json_count(value, STR("n")) >= 0);
	must(lies_in(json_get(value, STR("a")), value));
	(void)json_first(value);
}

/* Each value found is bytes to be looked at in turn: a container's first element is the next one down. */
static void read_anything(struct str in, struct arena *a)
{
	struct json_cursor c;
	read_value(in, in, a);
	struct str value = json_value(in);
	while (value.p) {
		read_value(value, in, a);
		struct str first = STR_NONE;
		for (bool open = json_cursor_open(&c, value); open && json_cursor_next(&c);) {
			must(lies_in(c.key, value));
			read_value(c.value, value, a);
			if (!first.p)
				first = c.value;
		}
		must(first.n < value.n);
		value = first;
	}
}

/* --- valid JSON --- */

static void compare(struct str value, const json_t *want, struct arena *a);

static void compare_object(struct str value, const json_t *want, struct arena *a)
{
	struct json_cursor c;
	size_t n = 0;
	must(json_type(value) == JSON_OBJECT && json_cursor_open(&c, value) && c.object);
	must((json_first(value) == '"') == (json_object_size(want) > 0));
	for (; json_cursor_next(&c); n++) {
		struct str key = json_text(a, str_of(c.key.p - 1, c.key.n + 2));
		struct str found = json_get(value, key);
		must(found.p == c.value.p && found.n == c.value.n);
		json_get_all(value, &key, 1, &found);
		must(found.p == c.value.p && found.n == c.value.n);
		compare(c.value, json_object_getn(want, key.p, key.n), a);
	}
	must(n == json_object_size(want));
}

static void compare_array(struct str value, const json_t *want, struct arena *a)
{
	struct json_cursor c;
	size_t n = 0;
	must(json_type(value) == JSON_ARRAY && json_cursor_open(&c, value) && !c.object);
	must((json_first(value) != 0) == (json_array_size(want) > 0));
	for (; json_cursor_next(&c); n++)
		compare(c.value, json_array_get(want, n), a);
	must(n == json_array_size(want));
}

static void compare_string(struct str value, const json_t *want, struct arena *a)
{
	struct str expected = str_of(json_string_value(want), json_string_length(want));
	must(str_eq(json_text(a, value), expected) && json_is(value, expected));
	must(!json_is(value, STR("something else")) || str_eq(expected, STR("something else")));
}

static void compare_integer(struct str value, const json_t *want)
{
	int64_t n = 0;
	bool least = json_integer_value(want) == INT64_MIN;
	must(json_type(value) == JSON_NUMBER && json_int(value, &n) == !least);
	must(least || n == json_integer_value(want));
}

static void compare(struct str value, const json_t *want, struct arena *a)
{
	must(want != NULL);
	switch (json_typeof(want)) {
	case JANSSON_OBJECT: compare_object(value, want, a); break;
	case JANSSON_ARRAY:  compare_array(value, want, a); break;
	case JANSSON_STRING: compare_string(value, want, a); break;
	case JSON_INTEGER:   compare_integer(value, want); break;
	case JSON_REAL:      must(json_type(value) == JSON_NUMBER); break;
	case JANSSON_TRUE:   must(json_type(value) == JSON_TRUE); break;
	case JANSSON_FALSE:  must(json_type(value) == JSON_FALSE); break;
	case JANSSON_NULL:   must(json_type(value) == JSON_NULL); break;
	}
}

static void check_valid(struct str in, struct arena *a)
{
	struct json_scan s = new_scan(a, in);
	json_t *tree = json_scan_feed(&s, in.p, in.n, true) == JSON_DONE ? theirs(in, NULL) : NULL;
	if (tree)
		compare(json_value(in), tree, a);
	json_decref(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	char *copy = alone(str_of((const char *)data, size));
	struct str in = str_of(copy, size);
	read_anything(in, &a);
	check_valid(in, &a);
	arena_clear(&a);
	free(copy);
	return 0;
}
