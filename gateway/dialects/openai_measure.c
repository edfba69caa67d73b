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

static void measure_turn(struct str turn, struct prompt *p, struct prompt_text *text)
{
	struct str calls = json_get(turn, STR("tool_calls"));
	prompt_text_add(turn, text);
	if (calls.p)
		p->part[PROMPT_TOOL_CALLS] += (float)count_elements(calls);
	else if (json_is(json_get(turn, STR("type")), STR("function_call")))
		p->part[PROMPT_TOOL_CALLS] += 1;
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
static void measure_turns(struct str turns, struct prompt *p, struct prompt_text *text)
{
	struct prompt_text own = { 0 };
	struct json_cursor c;
	size_t read = 0, passed = 0;
	if (json_type(turns) != JSON_ARRAY || !json_cursor_open(&c, turns)) {
		prompt_text_add(turns, text);
		p->part[PROMPT_MESSAGES] += turns.p ? 1 : 0;
		return;
	}
	while (json_cursor_next(&c)) {
		p->part[PROMPT_MESSAGES] += 1;
		if (read < READ_MOST) {
			measure_turn(c.value, p, &own);
			read += c.value.n;
		} else {
			pass_turn(c.value, &own);
			passed += c.value.n;
		}
	}
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

/* One look at the root's members, in whatever order they stand. */
void openai_measure(struct str body, struct prompt *out)
{
	static const struct str turns[] = { STR_INIT("messages"), STR_INIT("input"), STR_INIT("prompt"), STR_INIT("instructions"), STR_INIT("system"),
					    STR_INIT("contents"), STR_INIT("systemInstruction") };
	struct prompt_text text = { 0 };
	struct json_cursor c;
	*out = (struct prompt){ .measured = true };
	out->part[PROMPT_ONE] = 1;
	if (!json_cursor_open(&c, json_value(body)))
		return;
	while (json_cursor_next(&c)) {
		for (size_t i = 0; i < array_len(turns); i++)
			if (str_eq(c.key, turns[i]))
				measure_turns(c.value, out, &text);
		if (str_eq(c.key, STR("tools")))
			measure_tools(c.value, out);
		else if (str_eq(c.key, STR("response_format")))
			measure_format(c.value, out);
		else if (str_eq(c.key, STR("generationConfig")))
			measure_settings(c.value, out);
		else if (str_eq(c.key, STR("text")))
			measure_format(json_get(c.value, STR("format")), out);
	}
	out->part[PROMPT_TEXT] = text.units;
	out->images = (uint16_t)(text.images < UINT16_MAX ? text.images : UINT16_MAX);
	out->sounds = (uint16_t)(text.sounds < UINT16_MAX ? text.sounds : UINT16_MAX);
	out->needs = (uint8_t)(out->needs | (text.images ? FEATURE_VISION : 0) | (text.sounds ? FEATURE_AUDIO : 0));
}
