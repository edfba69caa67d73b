/*
 * openai_measure.c: what a prompt is made of, and what it takes to answer it.
 */
#include "dialects/openai_measure.h"

#include "core/price.h"
#include "dialects/prompt_units.h"
#include "wire/json_cursor.h"

enum { READ_MOST = 128 * 1024 };

static unsigned count_elements(struct str list)
{
	struct json_cursor c;
	unsigned n = 0;
	if (json_type(list) == JSON_ARRAY && json_cursor_open(&c, list))
		while (json_cursor_next(&c))
			n++;
	return n;
}

static void measure_calls(struct json_cursor member, struct prompt *p)
{
	if (json_cursor_cross(&member))
		p->part[PROMPT_TOOL_CALLS] += (float)count_elements(member.value);
}

static bool is_function_call(struct json_cursor member)
{
	return str_eq(member.key, STR("type")) && json_cursor_cross(&member) && json_is(member.value, STR("function_call"));
}

/* The turn before which the cursor stands; it moves behind it. */
static void measure_turn(struct json_cursor *c, struct prompt *p, struct prompt_text *text)
{
	struct json_cursor turn;
	bool calls = false, is_call = false;
	if (!json_cursor_into(c, &turn) || !turn.object) {
		prompt_text_member(c, text);
		return;
	}
	while (json_cursor_step(&turn)) {
		if (str_eq(turn.key, STR("tool_calls"))) {
			calls = true;
			measure_calls(turn, p);
		}
		is_call |= is_function_call(turn);
		prompt_text_member(&turn, text);
	}
	p->part[PROMPT_TOOL_CALLS] += is_call && !calls;
	json_cursor_out(c, &turn);
}

/* A turn that is not read: whether there is something to see in it decides who can answer. */
static void pass_turn(struct str turn, struct prompt_text *text)
{
	static const struct str signs[] = { STR_INIT("\"image_url\""), STR_INIT("\"input_image\""), STR_INIT("\"base64\"") };
	struct str content = json_get(turn, STR("content"));
	if (json_type(content) != JSON_ARRAY)
		return;
	for (size_t i = 0; i < array_len(signs) && text->images == 0; i++)
		text->images += str_has(content, signs[i]);
}

/* Turns, and the tool calls in them; a lone string is one turn. Of very many the first are read, and stand for the rest. */
static void measure_turns(struct json_cursor *at, struct prompt *p, struct prompt_text *text)
{
	struct prompt_text own = { 0 };
	struct json_cursor c;
	size_t read = 0, passed = 0;
	if (!json_cursor_into(at, &c) || c.object) {
		prompt_text_member(at, text);
		p->part[PROMPT_MESSAGES] += 1;
		return;
	}
	while (json_cursor_step(&c)) {
		const char *from = c.p;
		p->part[PROMPT_MESSAGES] += 1;
		if (read < READ_MOST) {
			measure_turn(&c, p, &own);
			read += (size_t)(c.p - from);
		} else {
			if (!json_cursor_cross(&c))
				break;
			pass_turn(c.value, &own);
			passed += c.value.n;
		}
	}
	json_cursor_out(at, &c);
	float more = passed ? (float)passed / (float)read : 0;
	p->part[PROMPT_TOOL_CALLS] += more * p->part[PROMPT_TOOL_CALLS];
	text->units += own.units * (1 + more);
	text->images += own.images;
	text->sounds += own.sounds;
}

static void measure_tools(struct str tools, struct prompt *p)
{
	struct prompt_text text = { 0 };
	unsigned n = count_elements(tools);
	if (!n)
		return;
	prompt_text_add(tools, &text);
	p->part[PROMPT_HAS_TOOLS] = 1;
	p->part[PROMPT_TOOLS] = (float)n;
	p->part[PROMPT_TOOL_TEXT] = text.units;
	p->part[PROMPT_TOOL_KEYS] = (float)text.keys;
	p->needs |= FEATURE_TOOLS;
}

static void measure_format(struct str format, struct prompt *p)
{
	if (!json_is(json_get(format, STR("type")), STR("json_schema")))
		return;
	p->part[PROMPT_FORMAT] += prompt_units(format);
	p->needs |= FEATURE_JSON_SCHEMA;
}

/* Google's settings hold a schema among others. */
static void measure_settings(struct str config, struct prompt *p)
{
	struct str schema = json_get(config, STR("responseJsonSchema"));
	if (!schema.p)
		schema = json_get(config, STR("responseSchema"));
	if (json_type(schema) != JSON_OBJECT)
		return;
	p->part[PROMPT_FORMAT] += prompt_units(schema);
	p->needs |= FEATURE_JSON_SCHEMA;
}

static void measure_setting(struct str key, struct str value, struct prompt *out)
{
	if (str_eq(key, STR("tools")))
		measure_tools(value, out);
	else if (str_eq(key, STR("response_format")))
		measure_format(value, out);
	else if (str_eq(key, STR("generationConfig")))
		measure_settings(value, out);
	else if (str_eq(key, STR("text")))
		measure_format(json_get(value, STR("format")), out);
}

static bool holds_turns(struct str key)
{
	static const struct str known[] = { STR_INIT("messages"), STR_INIT("input"), STR_INIT("prompt"), STR_INIT("instructions"), STR_INIT("system"),
					    STR_INIT("contents"), STR_INIT("systemInstruction") };
	for (size_t i = 0; i < array_len(known); i++)
		if (str_eq(key, known[i]))
			return true;
	return false;
}

/* One pass over the root's members, in whatever order they stand. */
void openai_measure(struct str body, struct prompt *out)
{
	struct prompt_text text = { 0 };
	struct json_cursor whole = { .p = body.p, .end = body.p + body.n }, c;
	*out = (struct prompt){ .measured = true };
	out->part[PROMPT_ONE] = 1;
	if (!body.n || !json_cursor_step(&whole) || !json_cursor_into(&whole, &c))
		return;
	while (json_cursor_step(&c)) {
		if (holds_turns(c.key))
			measure_turns(&c, out, &text);
		else if (json_cursor_cross(&c))
			measure_setting(c.key, c.value, out);
	}
	out->part[PROMPT_TEXT] = text.units;
	out->images = (uint16_t)(text.images < UINT16_MAX ? text.images : UINT16_MAX);
	out->sounds = (uint16_t)(text.sounds < UINT16_MAX ? text.sounds : UINT16_MAX);
	out->needs = (uint8_t)(out->needs | (text.images ? FEATURE_VISION : 0) | (text.sounds ? FEATURE_AUDIO : 0));
}
