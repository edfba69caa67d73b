/*
 * responses_read.c: a caller's Responses request, without state (openai-openapi 2.3.0, read 2026-08).
 *
 * What OpenAI keeps between requests is OpenAI's: earlier responses, conversations and references to items are
 * refused here with their field, and left to targets to which the request is relayed. Free-form ("custom") tools become
 * tools with one string.
 */
#include "dialects/responses_parts.h"

#include "dialects/members.h"
#include "dialects/spelled.h"
#include "wire/json_cursor.h"

struct reading {
	struct chat *c;
	struct chat_fault *fault;
	unsigned item, part;
};

static const struct str freeform_schema = STR_INIT("{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},\"required\":[\"input\"]}");

static bool wrong(struct reading *r, const char *member, const char *what)
{
	r->fault->field = arena_printf(r->c->arena, "input[%u]%s", r->item, member);
	r->fault->message = str_c(what);
	return false;
}

static bool wrong_part(struct reading *r, const char *member, const char *what)
{
	r->fault->field = arena_printf(r->c->arena, "input[%u].content[%u]%s", r->item, r->part, member);
	r->fault->message = str_c(what);
	return false;
}

/* --- parts --- */

static bool read_image(struct reading *r, struct message *m, struct str part)
{
	struct media *media = chat_add_media(r->c, chat_add_part(r->c, m, PART_IMAGE));
	struct str url = json_raw(json_get(part, STR("image_url")));
	media->id = json_raw(json_get(part, STR("file_id")));
	media->detail = json_raw(json_get(part, STR("detail")));
	if (url.n && !spelled_url(r->c->arena, media, url))
		return wrong_part(r, ".image_url", "is no data URL in base64");
	return url.n || media->id.n || wrong_part(r, ".image_url", "must be an address or a data URL");
}

static bool read_file(struct reading *r, struct message *m, struct str part)
{
	struct media *media = chat_add_media(r->c, chat_add_part(r->c, m, PART_FILE));
	struct str data = json_raw(json_get(part, STR("file_data")));
	media->name = json_raw(json_get(part, STR("filename")));
	media->id = json_raw(json_get(part, STR("file_id")));
	if (data.n && !spelled_url(r->c->arena, media, data))
		return wrong_part(r, ".file_data", "is no data URL in base64");
	if (!data.n)
		media->url = json_raw(json_get(part, STR("file_url")));
	return data.n || media->id.n || media->url.n || wrong_part(r, ".file_data", "must hold the file");
}

static bool read_part(struct reading *r, struct message *m, struct str part)
{
	bool refusal = type_is(part, "refusal");
	if (refusal || type_is(part, "input_text") || type_is(part, "output_text") || type_is(part, "text")) {
		struct str text = json_get(part, refusal ? STR("refusal") : STR("text"));
		if (json_type(text) != JSON_STRING)
			return wrong_part(r, ".text", "must be a string");
		chat_add_part(r->c, m, refusal ? PART_REFUSAL : PART_TEXT)->text = json_raw(text);
		return true;
	}
	if (type_is(part, "input_image"))
		return read_image(r, m, part);
	if (type_is(part, "input_file"))
		return read_file(r, m, part);
	return wrong_part(r, ".type", "must be input_text, input_image, input_file, output_text or refusal");
}

static bool read_content(struct reading *r, struct message *m, struct str content, const char *member)
{
	struct json_cursor c;
	if (json_type(content) == JSON_STRING) {
		chat_add_part(r->c, m, PART_TEXT)->text = json_raw(content);
		return true;
	}
	if (json_type(content) != JSON_ARRAY || !json_cursor_open(&c, content))
		return wrong(r, member, "must be a string or an array of parts");
	for (r->part = 0; json_cursor_next(&c); r->part++)
		if (read_part(r, m, c.value))
			spelled_read_cache(m->last, c.value);
		else
			return false;
	return true;
}

/* --- items --- */

/* Calls, thoughts and what is said beside them are one turn. */
static struct message *assistant(struct reading *r)
{
	struct message *last = r->c->last_message;
	return last && last->role == CHAT_ASSISTANT ? last : chat_add_message(r->c, CHAT_ASSISTANT);
}

static bool read_message(struct reading *r, struct str item)
{
	struct str role = json_get(item, STR("role"));
	bool system = json_is(role, STR("system")) || json_is(role, STR("developer"));
	bool own = json_is(role, STR("assistant"));
	if (!system && !own && !json_is(role, STR("user")))
		return wrong(r, ".role", "must be user, assistant, system or developer");
	struct message *m = own ? assistant(r) : chat_add_message(r->c, system ? CHAT_SYSTEM : CHAT_USER);
	return read_content(r, m, json_get(item, STR("content")), ".content");
}

static bool read_call(struct reading *r, struct str item, bool custom)
{
	struct part *p = chat_add_part(r->c, assistant(r), PART_TOOL_CALL);
	struct str input = json_get(item, STR("input"));
	p->id = json_raw(json_get(item, STR("call_id")));
	p->name = json_raw(json_get(item, STR("name")));
	if (custom)
		p->json = arena_printf(r->c->arena, "{\"input\":\"%.*s\"}", STR_FMT(json_raw(input)));
	else
		p->json = spelled_arguments(r->c->arena, json_raw(json_get(item, STR("arguments"))));
	return (p->id.n || wrong(r, ".call_id", "must name the call")) && (p->name.n || wrong(r, ".name", "must name the tool"));
}

static bool read_output(struct reading *r, struct str item)
{
	struct message inner = { .role = CHAT_USER };
	struct part *p = chat_add_part(r->c, chat_add_message(r->c, CHAT_USER), PART_TOOL_RESULT);
	struct str output = json_get(item, STR("output"));
	p->id = json_raw(json_get(item, STR("call_id")));
	if (str_empty(p->id))
		return wrong(r, ".call_id", "must name the call that is answered");
	if (!is_absent(output) && !read_content(r, &inner, output, ".output"))
		return false;
	p->content = inner.parts;
	p->last = inner.last;
	return true;
}

static struct str first_text(struct str list)
{
	struct json_cursor c;
	return json_cursor_open(&c, list) && json_cursor_next(&c) ? json_raw(json_get(c.value, STR("text"))) : STR_NONE;
}

static void read_reasoning(struct reading *r, struct str item)
{
	struct part *p = chat_add_part(r->c, assistant(r), PART_REASONING);
	struct str proof = spelled_unsign(json_raw(json_get(item, STR("encrypted_content"))), &p->signer);
	p->text = first_text(json_get(item, STR("content")));
	if (str_empty(p->text))
		p->text = first_text(json_get(item, STR("summary")));
	if (str_empty(p->signer))
		p->signer = STR(SIGNED_OPENAI);
	if (str_empty(p->text))
		p->redacted = proof;
	else
		p->signature = proof;
}

static bool read_item(struct reading *r, struct str item)
{
	struct str type = json_raw(json_get(item, STR("type")));
	if (json_type(item) != JSON_OBJECT)
		return wrong(r, "", "must be an object");
	if (str_empty(type) || str_eq(type, STR("message")))
		return read_message(r, item);
	if (str_eq(type, STR("function_call")) || str_eq(type, STR("custom_tool_call")))
		return read_call(r, item, str_eq(type, STR("custom_tool_call")));
	if (str_eq(type, STR("function_call_output")) || str_eq(type, STR("custom_tool_call_output")))
		return read_output(r, item);
	if (str_eq(type, STR("item_reference")))
		return wrong(r, "", "refers to what another server keeps; send the item itself");
	if (str_eq(type, STR("reasoning")))
		read_reasoning(r, item);
	else
		chat_add_unknown(r->c, arena_printf(r->c->arena, "input.%.*s", STR_FMT(str_head(type, 60))), true, item);
	return true;
}

static bool read_input(struct chat *c, struct json_fields *body, struct chat_fault *fault)
{
	struct reading r = { .c = c, .fault = fault };
	struct str input = json_field(body, STR("input")), instructions = json_field(body, STR("instructions"));
	struct json_cursor at;
	if (json_type(instructions) == JSON_STRING)
		chat_add_part(c, chat_add_message(c, CHAT_SYSTEM), PART_TEXT)->text = json_raw(instructions);
	if (json_type(input) == JSON_STRING) {
		chat_add_part(c, chat_add_message(c, CHAT_USER), PART_TEXT)->text = json_raw(input);
		return true;
	}
	if (json_type(input) != JSON_ARRAY || !json_cursor_open(&at, input)) {
		*fault = (struct chat_fault){ STR("input"), STR("must be a string or an array of items") };
		return false;
	}
	for (; json_cursor_next(&at); r.item++)
		if (!read_item(&r, at.value))
			return false;
	return true;
}

/* --- tools --- */

static void read_tools(struct chat *c, struct str list)
{
	struct json_cursor at;
	struct buf freeform = BUF_INIT(list.n);
	if (!json_cursor_open(&at, list))
		return;
	while (json_cursor_next(&at)) {
		struct str name = json_raw(json_get(at.value, STR("name"))), strict = json_get(at.value, STR("strict"));
		bool custom = type_is(at.value, "custom");
		if (!name.n || (!custom && !type_is(at.value, "function"))) {
			chat_add_extra(c, "tools", false, at.value);	/* those that OpenAI's own servers run */
			continue;
		}
		struct tool *t = chat_add_tool(c);
		struct str schema = json_get(at.value, STR("parameters"));
		t->name = name;
		t->description = json_raw(json_get(at.value, STR("description")));
		t->json = custom ? freeform_schema : is_absent(schema) ? STR_NONE : schema;
		t->strict = json_type(strict) == JSON_TRUE ? 1 : json_type(strict) == JSON_FALSE ? 0 : -1;
		if (custom && buf_add(&freeform, name))
			buf_addc(&freeform, '\n');
	}
	c->freeform = freeform.n ? arena_copy(c->arena, buf_str(&freeform)) : STR_NONE;
	buf_free(&freeform);
}

static void read_choice(struct chat *c, struct str choice)
{
	c->choice = json_is(choice, STR("auto")) ? TOOLS_AUTO : json_is(choice, STR("none")) ? TOOLS_NONE :
		    json_is(choice, STR("required")) ? TOOLS_REQUIRED : TOOLS_UNSAID;
	c->choice_name = json_raw(json_get(choice, STR("name")));
	if (c->choice_name.n)
		c->choice = TOOLS_NAMED;
}

/* --- the rest --- */

static void read_plain(struct chat *c, struct json_fields *body)
{
	const struct { const char *key; struct str *to; } members[] = {
		{ "max_output_tokens", &c->max_tokens }, { "temperature", &c->temperature }, { "top_p", &c->top_p }, { "metadata", &c->metadata },
		{ "top_logprobs", &c->top_logprobs },
	};
	for (size_t i = 0; i < array_len(members); i++) {
		struct str v = json_field(body, str_c(members[i].key));
		*members[i].to = is_absent(v) ? STR_NONE : v;
	}
	struct str parallel = json_field(body, STR("parallel_tool_calls")), reasoning = json_field(body, STR("reasoning"));
	c->parallel = json_type(parallel) == JSON_TRUE ? 1 : json_type(parallel) == JSON_FALSE ? 0 : -1;
	c->user = json_raw(json_field(body, STR("user")));
	if (!c->user.p)
		c->user = json_raw(json_field(body, STR("safety_identifier")));
	c->service_tier = json_raw(json_field(body, STR("service_tier")));
	c->effort = effort_of_word(json_raw(json_get(reasoning, STR("effort"))));
	c->reasoning_field = json_type(reasoning) == JSON_OBJECT ? "reasoning" : NULL;
	c->reasoning_shown = json_raw(json_get(reasoning, STR("summary"))).n > 0;
	c->stream_usage = true;
}

static void read_text(struct chat *c, struct str text)
{
	struct str format = json_get(text, STR("format")), strict = json_get(format, STR("strict"));
	c->verbosity = json_raw(json_get(text, STR("verbosity")));
	c->format = type_is(format, "json_schema") ? FORMAT_SCHEMA : type_is(format, "json_object") ? FORMAT_JSON : FORMAT_UNSAID;
	c->schema = json_get(format, STR("schema"));
	c->schema_name = json_raw(json_get(format, STR("name")));
	c->schema_description = json_raw(json_get(format, STR("description")));
	c->schema_strict = json_type(strict) == JSON_TRUE ? 1 : json_type(strict) == JSON_FALSE ? 0 : -1;
}

/* What only its keeper can answer. */
static bool is_stateless(struct json_fields *body, struct chat_fault *fault)
{
	static const char *const fields[] = { "previous_response_id", "conversation", "prompt", "background" };
	for (size_t i = 0; i < array_len(fields); i++) {
		struct str v = json_field(body, str_c(fields[i]));
		if (is_absent(v) || json_type(v) == JSON_FALSE)
			continue;
		fault->field = str_c(fields[i]);
		fault->message = STR("needs a target that keeps responses; this one is reached by translation, so send the whole input");
		return false;
	}
	return true;
}

static void note_extras(struct chat *c, struct str body)
{
	static const char *const known[] = {
		"model", "input", "instructions", "stream", "stream_options", "max_output_tokens", "temperature", "top_p", "metadata", "top_logprobs",
		"parallel_tool_calls", "reasoning", "user", "safety_identifier", "service_tier", "text", "tools", "tool_choice", "include",
		"previous_response_id", "conversation", "prompt", "background", "client_metadata",
	};
	struct json_cursor at;
	if (!json_cursor_open(&at, body))
		return;
	while (json_cursor_next(&at)) {
		bool is_known = is_absent(at.value) || (str_eq(at.key, STR("store")) && json_type(at.value) == JSON_FALSE);
		for (size_t i = 0; i < array_len(known); i++)
			is_known |= str_eq(at.key, str_c(known[i]));
		if (!is_known)
			chat_add_unknown(c, at.key, false, at.value);
	}
}

bool responses_read_request(struct str body, struct chat *c, struct chat_fault *fault)
{
	struct json_fields f;
	body = json_whole(body);
	json_fields_open(&f, body);
	if (!is_stateless(&f, fault))
		return false;
	read_plain(c, &f);
	read_text(c, json_field(&f, STR("text")));
	read_tools(c, json_field(&f, STR("tools")));
	read_choice(c, json_field(&f, STR("tool_choice")));
	note_extras(c, body);
	return read_input(c, &f, fault);
}
