/*
 * prompt_units.c: a look at text that is worth a few hundred nanoseconds, in one pass over the value it stands in.
 */
#include "dialects/prompt_units.h"

#include "dialects/prompt_count.h"
#include "wire/json_cursor.h"

enum { WHOLE_MAX = 4096, SAMPLES = 8, SAMPLE = 512, DEPTH = 24 };

float prompt_units(struct str s)
{
	float units = 0;
	if (s.n <= WHOLE_MAX)
		return prompt_count(s);
	for (size_t k = 0; k < SAMPLES; k++)
		units += prompt_count(str_head(str_skip(s, k * ((s.n - SAMPLE) / (SAMPLES - 1))), SAMPLE));
	return units * (float)s.n / (SAMPLES * SAMPLE);
}

/* --- whole values --- */

enum kind { KIND_TEXT, KIND_SKIP, KIND_IMAGE, KIND_SOUND };

static enum kind kind_of(struct str key)
{
	if (str_eq(key, STR("content")))
		return KIND_TEXT;
	static const struct { struct str key; enum kind kind; } known[] = {
		{ STR_INIT("role"), KIND_SKIP }, { STR_INIT("type"), KIND_SKIP }, { STR_INIT("id"), KIND_SKIP },
		{ STR_INIT("tool_call_id"), KIND_SKIP }, { STR_INIT("call_id"), KIND_SKIP }, { STR_INIT("required"), KIND_SKIP },
		{ STR_INIT("strict"), KIND_SKIP }, { STR_INIT("index"), KIND_SKIP }, { STR_INIT("$schema"), KIND_SKIP },
		{ STR_INIT("additionalProperties"), KIND_SKIP }, { STR_INIT("title"), KIND_SKIP }, { STR_INIT("object"), KIND_SKIP },
		{ STR_INIT("encrypted_content"), KIND_SKIP }, { STR_INIT("image_url"), KIND_IMAGE }, { STR_INIT("file"), KIND_SOUND },
		{ STR_INIT("inlineData"), KIND_IMAGE }, { STR_INIT("fileData"), KIND_IMAGE }, { STR_INIT("thoughtSignature"), KIND_SKIP },
		{ STR_INIT("input_audio"), KIND_SOUND }, { STR_INIT("file_data"), KIND_SOUND }, { STR_INIT("video_url"), KIND_SOUND },
	};
	for (size_t i = 0; i < array_len(known); i++)
		if (str_eq(known[i].key, key))
			return known[i].kind;
	return KIND_TEXT;
}

static bool is_media(struct str source)
{
	struct str type = json_get(source, STR("type"));
	return json_is(type, STR("base64")) || json_is(type, STR("url")) || json_is(type, STR("file"));
}

/* Anthropic's images and documents. */
static bool is_media_source(struct json_cursor c)
{
	return c.object && str_eq(c.key, STR("source")) && json_cursor_cross(&c) && is_media(c.value);
}

/* One member or element, before which `c` stands; true when it is a container to go into. */
static bool look(struct json_cursor *c, struct prompt_text *out)
{
	enum kind kind = is_media_source(*c) ? KIND_IMAGE : c->object ? kind_of(c->key) : KIND_TEXT;
	char first = c->p < c->end ? *c->p : ' ';
	out->images += kind == KIND_IMAGE;
	out->sounds += kind == KIND_SOUND;
	if (kind == KIND_TEXT || (kind == KIND_SKIP && first == '{')) {
		out->keys += c->object;
		if (first == '{' || first == '[')
			return true;
		if (json_cursor_cross(c) && first == '"')
			out->units += prompt_units(json_raw(c->value));
		return false;
	}
	json_cursor_cross(c);
	return false;
}

/* All that is in the container before which `c` stands. */
static void go_into(struct json_cursor *c, struct prompt_text *out)
{
	struct json_cursor unset stack[DEPTH];
	unsigned depth = json_cursor_into(c, &stack[0]);
	while (depth) {
		struct json_cursor *at = &stack[depth - 1];
		if (!json_cursor_step(at))
			json_cursor_out(--depth ? at - 1 : c, at);
		else if (!look(at, out))
			continue;
		else if (depth < DEPTH && json_cursor_into(at, at + 1))
			depth++;
		else
			json_cursor_cross(at);
	}
}

void prompt_text_member(struct json_cursor *c, struct prompt_text *out)
{
	if (look(c, out))
		go_into(c, out);
}

void prompt_text_add(struct str value, struct prompt_text *out)
{
	struct json_cursor c = { .p = value.p, .end = value.p + value.n };
	if (value.n)
		prompt_text_member(&c, out);
}
