/*
 * prompt_units.c: a look at text that is worth a few hundred nanoseconds.
 *
 * Byte-pair tokenizers agree on the coarse things: a common word is a token, a long one two or three, three
 * digits are one, a run of punctuation one or two, a Chinese character about one. The rest is
 * the regression's business (core/estimate.h).
 */
#include "dialects/prompt_units.h"

#include "wire/json_cursor.h"

enum { WHOLE_MAX = 4096, SAMPLES = 8, SAMPLE = 512, DEPTH = 24, LONG_WORD = 8 };

/* BEHIND: a later byte of the character before it. */
enum class { SPACE, LINE, LETTER, DIGIT, MARK, FOREIGN, BEHIND, ESCAPE };

#define S SPACE
#define L LETTER
#define D DIGIT
#define M MARK
#define F FOREIGN
#define B BEHIND
static const uint8_t classes[256] = {
	S, S, S, S, S, S, S, S, S, S, LINE, S, S, LINE, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S,
	S, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, D, D, D, D, D, D, D, D, D, D, M, M, M, M, M, M,
	M, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, M, ESCAPE, M, M, M,
	M, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, M, M, M, M, M,
	B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B,
	B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B,
	F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F,
	F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F,
};
#undef S
#undef L
#undef D
#undef M
#undef F
#undef B

/* In twentieths of a unit. */
static uint32_t weigh(enum class class, uint32_t run)
{
	switch (class) {
	case LETTER:  return 20 + 20 * ((run - 1) / LONG_WORD);
	case DIGIT:   return 20 * ((run + 2) / 3);
	case MARK:    return 20 + 20 * ((run - 1) / 3);
	case LINE:    return 14;
	case FOREIGN: return 19 * run;
	default:      return 0;
	}
}

/* What is escaped by the backslash before `*i`, which moves behind it. */
static enum class escaped(struct str s, size_t *i)
{
	char e = *i < s.n ? s.p[(*i)++] : ' ';
	if (e == 'u')
		*i += s.n - *i < 4 ? s.n - *i : 4;
	return e == 'n' || e == 'r' ? LINE : e == 't' ? SPACE : e == 'u' ? FOREIGN : MARK;
}

static float count(struct str s)
{
	uint64_t units = 0;
	uint32_t run = 0;
	enum class class = SPACE;
	for (size_t i = 0; i < s.n;) {
		enum class c = classes[(unsigned char)s.p[i++]];
		if (c == ESCAPE)
			c = escaped(s, &i);
		if (c == BEHIND)
			continue;
		if (c == class) {
			run++;
			continue;
		}
		units += run ? weigh(class, run) : 0;
		class = c;
		run = 1;
	}
	return (float)(units + (run ? weigh(class, run) : 0)) / 20;
}

float prompt_units(struct str s)
{
	float units = 0;
	if (s.n <= WHOLE_MAX)
		return count(s);
	for (size_t k = 0; k < SAMPLES; k++)
		units += count(str_head(str_skip(s, k * ((s.n - SAMPLE) / (SAMPLES - 1))), SAMPLE));
	return units * (float)s.n / (SAMPLES * SAMPLE);
}

/* --- whole values --- */

enum kind { KIND_TEXT, KIND_SKIP, KIND_IMAGE, KIND_SOUND };

static enum kind kind_of(struct str key)
{
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

/* One member or element; true when it is a container to go into. */
static bool look(const struct json_cursor *c, struct prompt_text *out)
{
	enum json_type type = json_type(c->value);
	bool container = type == JSON_OBJECT || type == JSON_ARRAY;
	enum kind kind = c->object ? kind_of(c->key) : KIND_TEXT;
	if (c->object && str_eq(c->key, STR("source")) && is_media(c->value))
		kind = KIND_IMAGE;	/* Anthropic's images and documents */
	if (kind == KIND_IMAGE || kind == KIND_SOUND) {
		out->images += kind == KIND_IMAGE;
		out->sounds += kind == KIND_SOUND;
		return false;
	}
	if (kind == KIND_SKIP && type != JSON_OBJECT)
		return false;
	out->keys += c->object;
	if (type == JSON_STRING)
		out->units += prompt_units(json_raw(c->value));
	return container;
}

void prompt_text_add(struct str value, struct prompt_text *out)
{
	struct json_cursor stack[DEPTH];
	unsigned depth = 0;
	if (json_type(value) == JSON_STRING)
		out->units += prompt_units(json_raw(value));
	if (json_cursor_open(&stack[0], value))
		depth = 1;
	while (depth) {
		struct json_cursor *c = &stack[depth - 1];
		if (!json_cursor_next(c))
			depth--;
		else if (look(c, out) && depth < DEPTH && json_cursor_open(&stack[depth], c->value))
			depth++;
	}
}
