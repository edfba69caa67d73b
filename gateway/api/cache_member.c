/*
 * cache_member.c: cut out with the comma that goes with it; all other bytes stay as they are.
 */
#include "api/cache_member.h"

#include "wire/json_cursor.h"

static bool is_litellms(struct str object)
{
	static const char *const names[] = { "no-cache", "no-store", "ttl", "s-maxage", "s-max-age", "namespace", "use-cache" };
	struct json_cursor c;
	bool known = true;
	if (json_type(object) != JSON_OBJECT || !json_cursor_open(&c, object))
		return false;
	while (known && json_cursor_next(&c)) {
		known = false;
		for (size_t i = 0; i < array_len(names); i++)
			known |= str_eq(c.key, str_c(names[i]));
	}
	return known;
}

bool cache_member_take(struct arena *a, const struct json_scan *json, struct str body, struct str *object, struct str *rest)
{
	const struct json_member *m = json_scan_find(json, body, STR("cache"));
	if (!m || !is_litellms(str_of(body.p + m->value_at, m->value_length)))
		return false;
	const struct json_member *first = json->members, *last = first + json->n_members - 1;
	size_t from = m->key_at, to = m->value_at + m->value_length;
	if (m < last)
		to = m[1].key_at;
	else if (m > first)
		from = m[-1].value_at + m[-1].value_length;
	*object = str_of(body.p + m->value_at, m->value_length);
	*rest = arena_printf(a, "%.*s%.*s", STR_FMT(str_head(body, from)), STR_FMT(str_skip(body, to)));
	return true;
}
