/*
 * openai_embeddings.c: vectors as base64.
 *
 * OpenAI's own clients ask for base64 unless told otherwise, and decode whatever comes as
 * such: given numbers, openai-node silently returns a vector of a quarter of the length. So
 * numbers are packed where the caller asked for base64; the rest of the body stays as it came.
 */
#include "dialects/openai_embeddings.h"

#include <stdlib.h>

#include "base/digest.h"
#include "wire/json_cursor.h"

enum { DIMENSIONS_MAX = 65536 };

static bool read_float(struct str number, float *out)
{
	char text[64], *end;
	if (json_type(number) != JSON_NUMBER || number.n >= sizeof(text))
		return false;
	memcpy(text, number.p, number.n);
	text[number.n] = '\0';
	*out = strtof(text, &end);
	return *end == '\0';
}

static bool pack(struct str array, struct buf *floats)
{
	struct json_cursor c;
	float f;
	buf_clear(floats);
	if (!json_cursor_open(&c, array))
		return false;
	while (json_cursor_next(&c))
		if (!read_float(c.value, &f) || !buf_add(floats, str_of((const char *)&f, sizeof(f))))
			return false;
	return floats->n > 0;
}

static bool add_base64(struct buf *out, struct str bytes)
{
	if (!buf_addc(out, '"') || !buf_reserve(out, 4 * ((bytes.n + 2) / 3) + 1))
		return false;
	out->n += base64_encode(bytes, out->p + out->n);
	return buf_addc(out, '"');
}

bool openai_vector_to_base64(struct str vector, struct buf *out)
{
	struct buf floats = BUF_INIT(DIMENSIONS_MAX * sizeof(float));
	bool done = json_type(vector) == JSON_ARRAY && pack(vector, &floats) && add_base64(out, buf_str(&floats));
	buf_free(&floats);
	return done;
}

/* Copies up to each numeric vector, then its packed form. */
static bool convert(struct str body, struct str data, struct buf *floats, struct buf *out)
{
	struct json_cursor c;
	const char *copied = body.p;
	bool any = false;
	if (!json_cursor_open(&c, data))
		return false;
	while (json_cursor_next(&c)) {
		struct str vector = json_get(c.value, STR("embedding"));
		if (json_type(vector) != JSON_ARRAY || !pack(vector, floats))
			continue;
		buf_add(out, str_of(copied, (size_t)(vector.p - copied)));
		if (!add_base64(out, buf_str(floats)))
			return false;
		copied = vector.p + vector.n;
		any = true;
	}
	return any && buf_add(out, str_of(copied, (size_t)(body.p + body.n - copied)));
}

bool openai_embeddings_to_base64(const struct call *call, struct str body, struct buf *out)
{
	struct buf floats = BUF_INIT(DIMENSIONS_MAX * sizeof(float));
	if (!call->base64)
		return false;
	bool done = convert(body, json_get(json_value(body), STR("data")), &floats, out);
	buf_free(&floats);
	return done;
}
