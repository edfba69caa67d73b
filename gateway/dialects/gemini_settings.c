/*
 * gemini_settings.c: a caller's tools and generationConfig (python-genai's types, read 2026-08).
 *
 * Google's Schema is OpenAPI's: types in capitals, `nullable`, whole numbers as strings. It becomes JSON Schema.
 */
#include "dialects/gemini_parts.h"

#include "base/str_map.h"
#include "dialects/spelled.h"
#include "wire/json_cursor.h"
#include "wire/json_write.h"

enum { SCHEMA_MOST = 4 << 20, DEPTH_MOST = 24 };

struct str json_either(struct str object, const char *camel, const char *snake)
{
	struct str v = json_get(object, str_c(camel));
	return v.p ? v : json_get(object, str_c(snake));
}

struct str json_field_either(struct json_fields *object, const char *camel, const char *snake)
{
	struct str v = json_field(object, str_c(camel));
	return v.p ? v : json_field(object, str_c(snake));
}

/* --- schemas --- */

static void write_schema(struct json_write *w, struct str schema, unsigned depth);

static void write_type(struct json_write *w, struct str schema, struct str type)
{
	char lower[16] = "";
	struct str word = json_raw(type);
	for (size_t i = 0; i < word.n && i < sizeof(lower) - 1; i++)
		lower[i] = word.p[i] >= 'A' && word.p[i] <= 'Z' ? (char)(word.p[i] + 32) : word.p[i];
	if (json_type(json_get(schema, STR("nullable"))) != JSON_TRUE) {
		json_member_string(w, "type", str_c(lower));
		return;
	}
	json_member_array(w, "type");
	json_write_string(w, str_c(lower));
	json_write_string(w, STR("null"));
	json_write_array_end(w);
}

static void write_inside(struct json_write *w, struct str container, unsigned depth)
{
	struct json_cursor c;
	bool object = json_type(container) == JSON_OBJECT;
	if (!json_cursor_open(&c, container))
		return;
	object ? json_write_object(w) : json_write_array(w);
	while (json_cursor_next(&c)) {
		if (object)
			json_write_key_escaped(w, c.key);
		write_schema(w, c.value, depth + 1);
	}
	object ? json_write_object_end(w) : json_write_array_end(w);
}

static void write_keyword(struct json_write *w, struct str schema, const struct json_cursor *at, unsigned depth)
{
	static const char *const passed_over[] = { "nullable", "propertyOrdering", "property_ordering", "example" };
	static const char *const lists[] = { "properties", "anyOf", "any_of", "defs", "$defs" };
	int64_t n;
	for (size_t i = 0; i < array_len(passed_over); i++)
		if (str_eq(at->key, str_c(passed_over[i])))
			return;
	if (str_eq(at->key, STR("type")) && json_type(at->value) == JSON_STRING) {
		write_type(w, schema, at->value);
		return;
	}
	bool bound = str_starts(at->key, STR("min")) || str_starts(at->key, STR("max"));
	json_write_key_escaped(w, str_eq(at->key, STR("any_of")) ? STR("anyOf") : str_eq(at->key, STR("defs")) ? STR("$defs") :
			       str_eq(at->key, STR("ref")) ? STR("$ref") : at->key);
	for (size_t i = 0; i < array_len(lists); i++)
		if (str_eq(at->key, str_c(lists[i]))) {
			write_inside(w, at->value, depth);
			return;
		}
	if (str_eq(at->key, STR("items")))
		write_schema(w, at->value, depth + 1);
	else if (bound && json_type(at->value) == JSON_STRING && json_int(json_raw(at->value), &n))
		json_write_int(w, n);
	else
		json_write_raw(w, at->value);
}

static void write_schema(struct json_write *w, struct str schema, unsigned depth)
{
	struct json_cursor c;
	if (depth > DEPTH_MOST || json_type(schema) != JSON_OBJECT || !json_cursor_open(&c, schema)) {
		json_write_raw(w, schema);
		return;
	}
	json_write_object(w);
	while (json_cursor_next(&c))
		write_keyword(w, schema, &c, depth);
	json_write_object_end(w);
}

static struct str json_schema(struct arena *a, struct str schema)
{
	struct buf b = BUF_INIT(SCHEMA_MOST);
	struct json_write w;
	if (json_type(schema) != JSON_OBJECT)
		return STR_NONE;
	json_write_init(&w, &b);
	write_schema(&w, schema, 0);
	struct str out = json_write_end(&w) ? arena_copy(a, buf_str(&b)) : schema;
	buf_free(&b);
	return out;
}

/* --- tools --- */

/* By name; empty: all are. */
static struct str_map allowed_of(struct arena *a, struct str names)
{
	struct str_map allowed = STR_MAP_INIT(a);
	struct json_cursor c;
	if (json_type(names) == JSON_ARRAY && json_cursor_open(&c, names))
		while (json_cursor_next(&c))
			*str_map_at(&allowed, json_raw(c.value)) = a;
	return allowed;
}

static void read_tools(struct chat *c, struct str tools, struct str names)
{
	struct str_map allowed = allowed_of(c->arena, names);
	struct json_cursor at, f;
	if (!json_cursor_open(&at, tools))
		return;
	while (json_cursor_next(&at)) {
		if (!json_cursor_open(&f, json_either(at.value, "functionDeclarations", "function_declarations"))) {
			chat_add_extra(c, "tools", false, at.value);	/* those that Google's own servers run */
			continue;
		}
		while (json_cursor_next(&f)) {
			struct str name = json_raw(json_get(f.value, STR("name")));
			if (allowed.used && !str_map_get(&allowed, name))
				continue;
			struct tool *t = chat_add_tool(c);
			t->name = name;
			t->strict = -1;
			t->description = json_raw(json_get(f.value, STR("description")));
			t->json = json_either(f.value, "parametersJsonSchema", "parameters_json_schema");
			if (!t->json.p)
				t->json = json_schema(c->arena, json_get(f.value, STR("parameters")));
		}
	}
}

static void read_choice(struct chat *c, struct str config, struct str allowed)
{
	struct str mode = json_raw(json_get(config, STR("mode")));	/* Google takes either case */
	struct json_cursor names;
	c->choice = str_ieq(mode, STR("ANY")) ? TOOLS_REQUIRED : str_ieq(mode, STR("NONE")) ? TOOLS_NONE :
		    str_ieq(mode, STR("AUTO")) || str_ieq(mode, STR("VALIDATED")) ? TOOLS_AUTO : TOOLS_UNSAID;
	if (c->choice != TOOLS_REQUIRED || !json_cursor_open(&names, allowed) || !json_cursor_next(&names))
		return;
	struct str only = json_raw(names.value);
	if (json_cursor_next(&names))
		return;
	c->choice = TOOLS_NAMED;
	c->choice_name = only;
}

/* --- how to answer --- */

/* Clients write 40.0 for a whole number. */
static struct str number(struct str v)
{
	if (json_type(v) == JSON_NUMBER && str_ends(v, STR(".0")))
		v.n -= 2;
	return json_type(v) == JSON_NULL ? STR_NONE : v;
}

static void read_format(struct chat *c, struct json_fields *config)
{
	struct str schema = json_field_either(config, "responseJsonSchema", "response_json_schema");
	struct str type = json_field_either(config, "responseMimeType", "response_mime_type");
	if (!schema.p)
		schema = json_schema(c->arena, json_field_either(config, "responseSchema", "response_schema"));
	if (type.p && !json_is(type, STR("application/json")) && !json_is(type, STR("text/plain")))
		chat_add_extra(c, "generationConfig.responseMimeType", true, type);
	else if (json_is(type, STR("application/json")))
		c->format = schema.p ? FORMAT_SCHEMA : FORMAT_JSON;
	c->schema = c->format == FORMAT_SCHEMA ? schema : STR_NONE;
}

static void read_thinking(struct chat *c, struct json_fields *config)
{
	struct json_fields f, *thinking = &f;
	struct str object = json_field_either(config, "thinkingConfig", "thinking_config");
	json_fields_open(thinking, object);
	struct str budget = json_field_either(thinking, "thinkingBudget", "thinking_budget"), level = json_field_either(thinking, "thinkingLevel", "thinking_level");
	int64_t n;
	if (json_type(object) != JSON_OBJECT)
		return;
	c->reasoning_field = "generationConfig.thinkingConfig";
	c->reasoning_shown = json_type(json_field_either(thinking, "includeThoughts", "include_thoughts")) == JSON_TRUE;
	c->effort = json_is(level, STR("MINIMAL")) ? EFFORT_MINIMAL : json_is(level, STR("LOW")) ? EFFORT_LOW : json_is(level, STR("MEDIUM")) ? EFFORT_MEDIUM :
		    json_is(level, STR("HIGH")) ? EFFORT_HIGH : EFFORT_UNSAID;
	if (!json_int(budget, &n))
		return;
	if (n > 0)
		c->reasoning_tokens = budget;
	else
		c->effort = n == 0 ? EFFORT_NONE : EFFORT_MEDIUM;
}

static void read_plain(struct chat *c, struct json_fields *config)
{
	const struct { const char *camel, *snake; struct str *to; } members[] = {
		{ "temperature", "temperature", &c->temperature }, { "topP", "top_p", &c->top_p }, { "topK", "top_k", &c->top_k },
		{ "candidateCount", "candidate_count", &c->n }, { "maxOutputTokens", "max_output_tokens", &c->max_tokens }, { "seed", "seed", &c->seed },
		{ "presencePenalty", "presence_penalty", &c->presence_penalty }, { "frequencyPenalty", "frequency_penalty", &c->frequency_penalty },
		{ "responseLogprobs", "response_logprobs", &c->logprobs }, { "logprobs", "logprobs", &c->top_logprobs },
	};
	for (size_t i = 0; i < array_len(members); i++)
		*members[i].to = number(json_field_either(config, members[i].camel, members[i].snake));
	struct str stop = json_field_either(config, "stopSequences", "stop_sequences");
	c->stop = json_first(stop) == '"' ? stop : STR_NONE;
}

static void note_extras(struct chat *c, struct str object, const char *const *known, const char *before)
{
	struct json_cursor at;
	if (!json_cursor_open(&at, object))
		return;
	while (json_cursor_next(&at)) {
		bool is_known = json_type(at.value) == JSON_NULL;
		for (const char *const *k = known; *k; k++)
			is_known |= str_eq(at.key, str_c(*k));
		if (!is_known)
			chat_add_unknown(c, arena_printf(c->arena, "%s%.*s", before, STR_FMT(str_head(at.key, 60))),
					 str_eq(at.key, STR("cachedContent")) || str_eq(at.key, STR("responseModalities")), at.value);
	}
}

void gemini_read_settings(struct str object, struct chat *c)
{
	static const char *const members[] = { "model", "contents", "systemInstruction", "system_instruction", "tools", "toolConfig", "tool_config",
					       "generationConfig", "generation_config", NULL };
	static const char *const settings[] = {
		"temperature", "topP", "top_p", "topK", "top_k", "candidateCount", "candidate_count", "maxOutputTokens", "max_output_tokens", "seed",
		"presencePenalty", "presence_penalty", "frequencyPenalty", "frequency_penalty", "responseLogprobs", "response_logprobs", "logprobs",
		"stopSequences", "stop_sequences", "responseMimeType", "response_mime_type", "responseSchema", "response_schema", "responseJsonSchema",
		"response_json_schema", "thinkingConfig", "thinking_config", NULL };
	struct json_fields whole, how, *body = &whole;
	json_fields_open(body, object);
	struct str config = json_field_either(body, "generationConfig", "generation_config");
	struct str calling = json_either(json_field_either(body, "toolConfig", "tool_config"), "functionCallingConfig", "function_calling_config");
	struct str allowed = json_either(calling, "allowedFunctionNames", "allowed_function_names");
	read_tools(c, json_field(body, STR("tools")), allowed);
	read_choice(c, calling, allowed);
	json_fields_open(&how, config);
	read_plain(c, &how);
	read_format(c, &how);
	read_thinking(c, &how);
	note_extras(c, object, members, "");
	note_extras(c, config, settings, "generationConfig.");
}
