/*
 * openai_chat_read.c: a caller's chat completions request (openai-openapi 2.3.0, read 2026-08).
 *
 * Reasoning of earlier turns comes as vendors and gateways carry it: reasoning_content or reasoning,
 * OpenRouter's reasoning_details, LiteLLM's thinking_blocks.
 */
#include "dialects/openai_chat_parts.h"

#include "base/str_map.h"
#include "dialects/members.h"
#include "dialects/spelled.h"
#include "wire/json_cursor.h"

const char *const chat_cache_words[CACHE_WORDS + 1] = { "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", NULL };

struct reading {
	struct chat *c;
	struct chat_fault *fault;
	unsigned message, part;
};

static bool wrong(struct reading *r, const char *member, const char *what)
{
	r->fault->field = arena_printf(r->c->arena, "messages[%u]%s", r->message, member);
	r->fault->message = str_c(what);
	return false;
}

static bool wrong_part(struct reading *r, const char *member, const char *what)
{
	r->fault->field = arena_printf(r->c->arena, "messages[%u].content[%u]%s", r->message, r->part, member);
	r->fault->message = str_c(what);
	return false;
}

/* --- parts --- */

static bool read_image(struct reading *r, struct message *m, struct str part)
{
	struct str image = json_get(part, STR("image_url"));
	struct str url = json_raw(json_type(image) == JSON_OBJECT ? json_get(image, STR("url")) : image);
	struct media *media = chat_add_media(r->c, chat_add_part(r->c, m, PART_IMAGE));
	media->detail = json_raw(json_get(image, STR("detail")));
	if (str_empty(url))
		return wrong_part(r, ".image_url.url", "must be an address or a data URL");
	return spelled_url(r->c->arena, media, url) || wrong_part(r, ".image_url.url", "is no data URL in base64");
}

static bool read_audio(struct reading *r, struct message *m, struct str part)
{
	struct str audio = json_get(part, STR("input_audio"));
	struct media *media = chat_add_media(r->c, chat_add_part(r->c, m, PART_AUDIO));
	media->data = json_raw(json_get(audio, STR("data")));
	media->type = json_is(json_get(audio, STR("format")), STR("mp3")) ? STR("audio/mp3") : STR("audio/wav");
	return media->data.n || wrong_part(r, ".input_audio.data", "must be the sound in base64");
}

static bool read_file(struct reading *r, struct message *m, struct str part)
{
	struct str file = json_get(part, STR("file"));
	struct media *media = chat_add_media(r->c, chat_add_part(r->c, m, PART_FILE));
	struct str data = json_raw(json_get(file, STR("file_data")));
	media->name = json_raw(json_get(file, STR("filename")));
	media->id = json_raw(json_get(file, STR("file_id")));
	if (data.n && !spelled_url(r->c->arena, media, data))
		return wrong_part(r, ".file.file_data", "is no data URL in base64");
	return data.n || media->id.n || wrong_part(r, ".file", "needs file_data or file_id");
}

static bool read_part(struct reading *r, struct message *m, struct str part)
{
	bool refusal = type_is(part, "refusal");
	if (type_is(part, "text") || refusal) {
		struct str text = json_get(part, refusal ? STR("refusal") : STR("text"));
		if (json_type(text) != JSON_STRING)
			return wrong_part(r, refusal ? ".refusal" : ".text", "must be a string");
		chat_add_part(r->c, m, refusal ? PART_REFUSAL : PART_TEXT)->text = json_raw(text);
	} else if (type_is(part, "image_url")) {
		if (!read_image(r, m, part))
			return false;
	} else if (type_is(part, "input_audio")) {
		if (!read_audio(r, m, part))
			return false;
	} else if (type_is(part, "file")) {
		if (!read_file(r, m, part))
			return false;
	} else if (type_is(part, "thinking")) {	/* Mistral's */
		struct str inner = json_get(part, STR("thinking"));
		struct json_cursor c;
		if (json_cursor_open(&c, inner) && json_cursor_next(&c))
			chat_add_part(r->c, m, PART_REASONING)->text = json_raw(json_get(c.value, STR("text")));
	} else {
		return wrong_part(r, ".type", "must be text, image_url, input_audio, file or refusal");
	}
	if (m->last)
		spelled_read_cache(m->last, part);
	return true;
}

static bool read_content(struct reading *r, struct message *m, struct str content)
{
	struct json_cursor c;
	if (json_type(content) == JSON_STRING) {
		if (json_raw(content).n || m->role != CHAT_ASSISTANT)
			chat_add_part(r->c, m, PART_TEXT)->text = json_raw(content);
		return true;
	}
	if (json_type(content) != JSON_ARRAY)
		return (is_absent(content) && m->role == CHAT_ASSISTANT) || wrong(r, ".content", "must be a string or an array of parts");
	json_cursor_open(&c, content);
	for (r->part = 0; json_cursor_next(&c); r->part++)
		if (!read_part(r, m, c.value))
			return false;
	return true;
}

/* --- an assistant's turn --- */

static void read_details(struct reading *r, struct message *m, struct str details)
{
	struct json_cursor c;
	if (!json_cursor_open(&c, details))
		return;
	while (json_cursor_next(&c)) {
		struct part *p = chat_add_part(r->c, m, PART_REASONING);
		p->signer = json_raw(json_get(c.value, STR("format")));
		p->signature = json_raw(json_get(c.value, STR("signature")));
		p->redacted = type_is(c.value, "reasoning.encrypted") ? json_raw(json_get(c.value, STR("data"))) : STR_NONE;
		p->text = json_raw(json_get(c.value, type_is(c.value, "reasoning.summary") ? STR("summary") : STR("text")));
	}
}

static void read_thinking_blocks(struct reading *r, struct message *m, struct str blocks)
{
	struct json_cursor c;
	if (!json_cursor_open(&c, blocks))
		return;
	while (json_cursor_next(&c)) {
		struct part *p = chat_add_part(r->c, m, PART_REASONING);
		p->text = json_raw(json_get(c.value, STR("thinking")));
		p->signature = json_raw(json_get(c.value, STR("signature")));
		p->redacted = json_raw(json_get(c.value, STR("data")));
		p->signer = STR(SIGNED_ANTHROPIC);
	}
}

static void read_reasoning(struct reading *r, struct message *m, struct json_fields *message)
{
	struct str text = json_raw(json_field(message, STR("reasoning_content")));
	read_details(r, m, json_field(message, STR("reasoning_details")));
	if (!m->parts)
		read_thinking_blocks(r, m, json_field(message, STR("thinking_blocks")));
	if (!text.p)
		text = json_raw(json_field(message, STR("reasoning")));
	if (!m->parts && text.n)
		chat_add_part(r->c, m, PART_REASONING)->text = text;
}

static bool read_call(struct reading *r, struct message *m, struct str call)
{
	struct str function = json_get(call, STR("function"));
	struct str google = json_get(json_get(call, STR("extra_content")), STR("google"));
	struct part *p = chat_add_part(r->c, m, PART_TOOL_CALL);
	bool custom = type_is(call, "custom");
	if (custom)
		function = json_get(call, STR("custom"));
	p->id = json_raw(json_get(call, STR("id")));
	p->name = json_raw(json_get(function, STR("name")));
	p->json = spelled_arguments(r->c->arena, json_raw(json_get(function, custom ? STR("input") : STR("arguments"))));
	p->signature = json_raw(json_get(google, STR("thought_signature")));
	p->signer = p->signature.n ? STR(SIGNED_GOOGLE) : STR_NONE;
	return p->name.n || wrong(r, ".tool_calls", "must each have a function with a name");
}

static bool read_assistant(struct reading *r, struct message *m, struct json_fields *message)
{
	struct json_cursor c;
	struct str refusal = json_raw(json_field(message, STR("refusal")));
	read_reasoning(r, m, message);
	if (!read_content(r, m, json_field(message, STR("content"))))
		return false;
	if (refusal.n)
		chat_add_part(r->c, m, PART_REFUSAL)->text = refusal;
	if (json_cursor_open(&c, json_field(message, STR("tool_calls"))))
		while (json_cursor_next(&c))
			if (!read_call(r, m, c.value))
				return false;
	return true;
}

/* --- messages --- */

static bool read_result(struct reading *r, struct message *m, struct json_fields *message)
{
	struct str content = json_field(message, STR("content"));
	struct message inner = { .role = CHAT_USER };
	struct part *p = chat_add_part(r->c, m, PART_TOOL_RESULT);
	p->id = json_raw(json_field(message, STR("tool_call_id")));
	p->name = json_raw(json_field(message, STR("name")));
	if (str_empty(p->id))
		return wrong(r, ".tool_call_id", "must name the call that is answered");
	if (!is_absent(content) && !read_content(r, &inner, content))
		return false;
	p->content = inner.parts;
	p->last = inner.last;
	return true;
}

static bool read_message(struct reading *r, struct str object)
{
	struct json_fields f, *message = &f;
	json_fields_open(message, object);
	struct str role = json_raw(json_field(message, STR("role")));
	bool tool = str_eq(role, STR("tool"));
	bool system = str_eq(role, STR("system")) || str_eq(role, STR("developer"));
	bool assistant = str_eq(role, STR("assistant"));
	if (json_type(object) != JSON_OBJECT)
		return wrong(r, "", "must be an object");
	if (!tool && !system && !assistant && !str_eq(role, STR("user")))
		return wrong(r, ".role", "must be system, developer, user, assistant or tool");
	struct message *m = chat_add_message(r->c, system ? CHAT_SYSTEM : assistant ? CHAT_ASSISTANT : CHAT_USER);
	m->name = tool ? STR_NONE : json_raw(json_field(message, STR("name")));
	if (tool)
		return read_result(r, m, message);
	return assistant ? read_assistant(r, m, message) : read_content(r, m, json_field(message, STR("content")));
}

static bool read_messages(struct chat *c, struct str list, struct chat_fault *fault)
{
	struct reading r = { .c = c, .fault = fault };
	struct json_cursor m;
	if (!json_cursor_open(&m, list))
		return true;
	for (; json_cursor_next(&m); r.message++)
		if (!read_message(&r, m.value))
			return false;
	return true;
}

/* --- tools --- */

static void read_tools(struct chat *c, struct str list)
{
	struct json_cursor at;
	if (!json_cursor_open(&at, list))
		return;
	while (json_cursor_next(&at)) {
		struct str function = json_get(at.value, STR("function")), strict = json_get(function, STR("strict"));
		if ((json_get(at.value, STR("type")).p && !type_is(at.value, "function")) || !json_raw(json_get(function, STR("name"))).n) {
			chat_add_extra(c, "tools", true, at.value);
			continue;
		}
		struct tool *t = chat_add_tool(c);
		t->name = json_raw(json_get(function, STR("name")));
		t->description = json_raw(json_get(function, STR("description")));
		t->json = json_get(function, STR("parameters"));
		t->strict = json_type(strict) == JSON_TRUE ? 1 : json_type(strict) == JSON_FALSE ? 0 : -1;
		t->cache = json_get(at.value, STR("cache_control"));
	}
}

static struct str allowed_name(struct str entry)
{
	struct str name = json_raw(json_get(json_get(entry, STR("function")), STR("name")));
	return name.p ? name : json_raw(json_get(entry, STR("name")));
}

/* Only those tools are offered at all: what other formats have nothing for means the same. */
static void keep_allowed(struct chat *c, struct str list)
{
	struct str_map allowed = STR_MAP_INIT(c->arena);
	struct tool **at = &c->tools;
	struct json_cursor entry;
	if (json_cursor_open(&entry, list))
		while (json_cursor_next(&entry))
			*str_map_at(&allowed, allowed_name(entry.value)) = c;
	while (*at) {
		if (str_map_get(&allowed, (*at)->name))
			at = &(*at)->next;
		else
			*at = (*at)->next;
	}
}

static void read_choice(struct chat *c, struct str choice)
{
	struct str only = json_get(choice, STR("allowed_tools"));
	struct str mode = only.p ? json_get(only, STR("mode")) : choice;
	if (only.p)
		keep_allowed(c, json_get(only, STR("tools")));
	if (json_is(mode, STR("auto")))
		c->choice = TOOLS_AUTO;
	else if (json_is(mode, STR("none")))
		c->choice = TOOLS_NONE;
	else if (json_is(mode, STR("required")) || json_is(mode, STR("any")))	/* Mistral's word */
		c->choice = TOOLS_REQUIRED;
	c->choice_name = json_raw(json_get(json_get(choice, STR("function")), STR("name")));
	if (c->choice_name.n)
		c->choice = TOOLS_NAMED;
}

/* --- the rest --- */

static void read_format(struct chat *c, struct str format)
{
	struct str schema = json_get(format, STR("json_schema")), strict = json_get(schema, STR("strict"));
	c->format = type_is(format, "json_schema") ? FORMAT_SCHEMA : type_is(format, "json_object") ? FORMAT_JSON :
		    type_is(format, "text") ? FORMAT_TEXT : FORMAT_UNSAID;
	c->schema = json_get(schema, STR("schema"));
	c->schema_name = json_raw(json_get(schema, STR("name")));
	c->schema_description = json_raw(json_get(schema, STR("description")));
	c->schema_strict = json_type(strict) == JSON_TRUE ? 1 : json_type(strict) == JSON_FALSE ? 0 : -1;
}

/* OpenRouter's object beside OpenAI's word. */
static void read_effort(struct chat *c, struct json_fields *body)
{
	struct str object = json_field(body, STR("reasoning"));
	c->effort = effort_of_word(json_raw(json_field(body, STR("reasoning_effort"))));
	c->reasoning_field = c->effort != EFFORT_UNSAID ? "reasoning_effort" : object.p ? "reasoning" : NULL;
	if (json_type(object) != JSON_OBJECT)
		return;
	if (c->effort == EFFORT_UNSAID)
		c->effort = json_type(json_get(object, STR("enabled"))) == JSON_FALSE ? EFFORT_NONE : effort_of_word(json_raw(json_get(object, STR("effort"))));
	c->reasoning_tokens = json_get(object, STR("max_tokens"));
	c->reasoning_shown = json_type(json_get(object, STR("exclude"))) != JSON_TRUE;
}

static void read_stop(struct chat *c, struct str stop)
{
	if (json_type(stop) == JSON_STRING)
		c->stop = arena_printf(c->arena, "[%.*s]", STR_FMT(stop));
	else if (json_type(stop) == JSON_ARRAY && json_first(stop))
		c->stop = stop;
}

/* Numbers and words that go over as they are. */
static void read_plain(struct chat *c, struct json_fields *body)
{
	const struct { const char *key; struct str *to; } numbers[] = {
		{ "max_completion_tokens", &c->max_tokens }, { "temperature", &c->temperature }, { "top_p", &c->top_p }, { "top_k", &c->top_k },
		{ "n", &c->n }, { "seed", &c->seed }, { "presence_penalty", &c->presence_penalty },
		{ "frequency_penalty", &c->frequency_penalty }, { "logprobs", &c->logprobs }, { "top_logprobs", &c->top_logprobs },
		{ "metadata", &c->metadata },
	};
	for (size_t i = 0; i < array_len(numbers); i++) {
		struct str v = json_field(body, str_c(numbers[i].key));
		*numbers[i].to = is_absent(v) ? STR_NONE : v;
	}
	struct str older = json_field(body, STR("max_tokens"));
	if (!c->max_tokens.p && !is_absent(older))
		c->max_tokens = older;
	c->user = json_raw(json_field(body, STR("user")));
	if (!c->user.p)
		c->user = json_raw(json_field(body, STR("safety_identifier")));
	c->service_tier = json_raw(json_field(body, STR("service_tier")));
	c->verbosity = json_raw(json_field(body, STR("verbosity")));
	struct str parallel = json_field(body, STR("parallel_tool_calls"));
	c->parallel = json_type(parallel) == JSON_TRUE ? 1 : json_type(parallel) == JSON_FALSE ? 0 : -1;
	c->stream_usage = json_type(json_get(json_field(body, STR("stream_options")), STR("include_usage"))) == JSON_TRUE;
}

static bool is_known(struct str key)
{
	static const char *const known[] = {
		"model", "messages", "stream", "stream_options", "max_completion_tokens", "max_tokens", "temperature", "top_p", "top_k", "n",
		"seed", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs", "metadata", "user", "safety_identifier",
		"service_tier", "verbosity", "parallel_tool_calls", "stop", "tools", "tool_choice", "response_format", "reasoning_effort",
		"reasoning",
	};
	for (size_t i = 0; i < array_len(known); i++)
		if (str_eq(key, str_c(known[i])))
			return true;
	return false;
}

/* Without these the answer would be another one; the rest are hints. */
static bool changes_meaning(struct str key, struct str value)
{
	static const char *const names[] = { "audio", "functions", "function_call", "web_search_options", "logit_bias", "documents", "guardrailConfig", "cachedContent" };
	if (str_eq(key, STR("modalities")))
		return str_has(value, STR("audio")) || str_has(value, STR("image"));
	for (size_t i = 0; i < array_len(names); i++)
		if (str_eq(key, str_c(names[i])))
			return json_first(value) != 0 || json_type(value) == JSON_STRING;
	return false;
}

static void note_extras(struct chat *c, struct str body)
{
	struct json_cursor at;
	if (!json_cursor_open(&at, body))
		return;
	while (json_cursor_next(&at))
		if (!is_known(at.key) && !is_absent(at.value) && !(str_eq(at.key, STR("store")) && json_type(at.value) == JSON_FALSE))
			chat_add_unknown(c, at.key, changes_meaning(at.key, at.value), at.value);
}

bool openai_chat_read_request(struct str body, struct chat *c, struct chat_fault *fault)
{
	struct json_fields f;
	body = json_whole(body);
	json_fields_open(&f, body);
	read_plain(c, &f);
	read_stop(c, json_field(&f, STR("stop")));
	read_tools(c, json_field(&f, STR("tools")));
	read_choice(c, json_field(&f, STR("tool_choice")));
	read_format(c, json_field(&f, STR("response_format")));
	read_effort(c, &f);
	note_extras(c, body);
	return read_messages(c, json_field(&f, STR("messages")), fault);
}
