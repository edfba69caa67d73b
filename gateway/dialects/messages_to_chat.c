/*
 * messages_to_chat.c: the request (tables of Anthropic's and OpenAI's fields, read 2026-11).
 *
 * Tool results are turns of their own in chat, so a user's turn becomes several; the rest
 * of it follows them, because a tool's answer must stand right behind its call.
 */
#include "dialects/messages_chat.h"

#include "wire/json_cursor.h"
#include "wire/json_write.h"

enum { TEXT_MAX = 64 << 20 };

struct writer {
	struct json_write w;
	struct arena *arena;
	struct buf text;		/* a string put together from several */
	struct translation_loss *loss;
};

static void drop(struct writer *x, const char *name)
{
	struct str so_far = x->loss->dropped;
	if (!str_has(so_far, str_c(name)))
		x->loss->dropped = arena_printf(x->arena, "%.*s%s%s", STR_FMT(so_far), so_far.n ? "," : "", name);
}

static void refuse(struct writer *x, const char *field, const char *what)
{
	x->loss->field = field;
	x->loss->refused = what;
}

static bool type_is(struct str block, const char *type)
{
	return json_is(json_get(block, STR("type")), str_c(type));
}

static void copy(struct writer *x, struct str body, const char *from, const char *to)
{
	struct str v = json_get(body, str_c(from));
	if (!v.p || json_type(v) == JSON_NULL)
		return;
	json_write_key(&x->w, str_c(to));
	json_write_raw(&x->w, v);
}

/* --- text --- */

/* All text of a string or of blocks, as one string; a blank line between blocks. */
static struct str joined(struct writer *x, struct str content)
{
	struct json_cursor c;
	buf_clear(&x->text);
	if (json_type(content) == JSON_STRING)
		return json_raw(content);
	if (json_type(content) != JSON_ARRAY || !json_cursor_open(&c, content))
		return STR("");
	while (json_cursor_next(&c)) {
		struct str text = json_raw(json_get(c.value, STR("text")));
		if (!type_is(c.value, "text"))
			continue;
		if (x->text.n)
			buf_add(&x->text, STR("\\n\\n"));
		buf_add(&x->text, text);
	}
	return x->text.n ? buf_str(&x->text) : STR("");
}

static void write_text_turn(struct writer *x, struct str role, struct str content)
{
	json_write_object(&x->w);
	json_write_key(&x->w, STR("role"));
	json_write_string(&x->w, role);
	json_write_key(&x->w, STR("content"));
	json_write_escaped(&x->w, joined(x, content));
	json_write_object_end(&x->w);
}

/* --- a user's turn --- */

static void write_image(struct writer *x, struct str block)
{
	struct str source = json_get(block, STR("source")), url = json_get(source, STR("url"));
	json_write_object(&x->w);
	json_write_key(&x->w, STR("type"));
	json_write_string(&x->w, STR("image_url"));
	json_write_key(&x->w, STR("image_url"));
	json_write_object(&x->w);
	json_write_key(&x->w, STR("url"));
	if (url.p) {
		json_write_raw(&x->w, url);
	} else {
		buf_clear(&x->text);
		buf_add(&x->text, STR("data:"));
		buf_add(&x->text, json_raw(json_get(source, STR("media_type"))));
		buf_add(&x->text, STR(";base64,"));
		buf_add(&x->text, json_raw(json_get(source, STR("data"))));
		json_write_escaped(&x->w, buf_str(&x->text));
	}
	json_write_object_end(&x->w);
	json_write_object_end(&x->w);
}

static void write_part(struct writer *x, struct str block)
{
	if (type_is(block, "text")) {
		json_write_object(&x->w);
		json_write_key(&x->w, STR("type"));
		json_write_string(&x->w, STR("text"));
		json_write_key(&x->w, STR("text"));
		json_write_raw(&x->w, json_get(block, STR("text")));
		json_write_object_end(&x->w);
	} else if (type_is(block, "image") && !json_is(json_get(json_get(block, STR("source")), STR("type")), STR("file"))) {
		write_image(x, block);
	} else if (!type_is(block, "tool_result")) {
		refuse(x, "messages", "a content block of this type (documents and the like) has no place in chat completions");
	}
}

static void write_tool_result(struct writer *x, struct str block)
{
	json_write_object(&x->w);
	json_write_key(&x->w, STR("role"));
	json_write_string(&x->w, STR("tool"));
	json_write_key(&x->w, STR("tool_call_id"));
	json_write_raw(&x->w, json_get(block, STR("tool_use_id")));
	json_write_key(&x->w, STR("content"));
	json_write_escaped(&x->w, joined(x, json_get(block, STR("content"))));
	json_write_object_end(&x->w);
}

static void write_user(struct writer *x, struct str content)
{
	struct json_cursor c;
	unsigned others = 0;
	if (json_type(content) == JSON_STRING) {
		write_text_turn(x, STR("user"), content);
		return;
	}
	if (!json_cursor_open(&c, content))
		return;
	while (json_cursor_next(&c)) {
		if (type_is(c.value, "tool_result"))
			write_tool_result(x, c.value);
		else
			others++;
	}
	if (!others || !json_cursor_open(&c, content))
		return;
	json_write_object(&x->w);
	json_write_key(&x->w, STR("role"));
	json_write_string(&x->w, STR("user"));
	json_write_key(&x->w, STR("content"));
	json_write_array(&x->w);
	while (json_cursor_next(&c))
		write_part(x, c.value);
	json_write_array_end(&x->w);
	json_write_object_end(&x->w);
}

/* --- an assistant's turn --- */

static void write_tool_call(struct writer *x, struct str block)
{
	struct str input = json_get(block, STR("input"));
	json_write_object(&x->w);
	json_write_key(&x->w, STR("id"));
	json_write_raw(&x->w, json_get(block, STR("id")));
	json_write_key(&x->w, STR("type"));
	json_write_string(&x->w, STR("function"));
	json_write_key(&x->w, STR("function"));
	json_write_object(&x->w);
	json_write_key(&x->w, STR("name"));
	json_write_raw(&x->w, json_get(block, STR("name")));
	json_write_key(&x->w, STR("arguments"));
	json_write_string(&x->w, input.p ? input : STR("{}"));	/* JSON inside a string */
	json_write_object_end(&x->w);
	json_write_object_end(&x->w);
}

static void write_assistant(struct writer *x, struct str content)
{
	struct json_cursor c;
	unsigned calls = 0;
	json_write_object(&x->w);
	json_write_key(&x->w, STR("role"));
	json_write_string(&x->w, STR("assistant"));
	if (json_type(content) == JSON_ARRAY && json_cursor_open(&c, content))
		while (json_cursor_next(&c))
			calls += type_is(c.value, "tool_use");
	struct str text = joined(x, content);
	json_write_key(&x->w, STR("content"));
	if (calls && str_empty(text))
		json_write_null(&x->w);
	else
		json_write_escaped(&x->w, text);
	if (calls && json_cursor_open(&c, content)) {
		json_write_key(&x->w, STR("tool_calls"));
		json_write_array(&x->w);
		while (json_cursor_next(&c))
			if (type_is(c.value, "tool_use"))
				write_tool_call(x, c.value);
		json_write_array_end(&x->w);
	}
	json_write_object_end(&x->w);
}

static void write_messages(struct writer *x, struct str body)
{
	struct json_cursor c;
	struct str system = json_get(body, STR("system"));
	json_write_key(&x->w, STR("messages"));
	json_write_array(&x->w);
	if (system.p && joined(x, system).n)
		write_text_turn(x, STR("system"), system);
	if (json_cursor_open(&c, json_get(body, STR("messages"))))
		while (json_cursor_next(&c)) {
			struct str content = json_get(c.value, STR("content"));
			if (json_is(json_get(c.value, STR("role")), STR("assistant")))
				write_assistant(x, content);
			else
				write_user(x, content);
		}
	json_write_array_end(&x->w);
}

/* --- tools --- */

static void write_tool(struct writer *x, struct str tool)
{
	json_write_object(&x->w);
	json_write_key(&x->w, STR("type"));
	json_write_string(&x->w, STR("function"));
	json_write_key(&x->w, STR("function"));
	json_write_object(&x->w);
	copy(x, tool, "name", "name");
	copy(x, tool, "description", "description");
	copy(x, tool, "input_schema", "parameters");
	json_write_object_end(&x->w);
	json_write_object_end(&x->w);
}

static bool is_own_tool(struct str tool)
{
	struct str type = json_get(tool, STR("type"));
	return (!type.p || json_is(type, STR("custom"))) && json_get(tool, STR("input_schema")).p;
}

static void write_choice(struct writer *x, struct str choice)
{
	if (!choice.p)
		return;
	json_write_key(&x->w, STR("tool_choice"));
	if (type_is(choice, "tool")) {
		json_write_object(&x->w);
		json_write_key(&x->w, STR("type"));
		json_write_string(&x->w, STR("function"));
		json_write_key(&x->w, STR("function"));
		json_write_object(&x->w);
		copy(x, choice, "name", "name");
		json_write_object_end(&x->w);
		json_write_object_end(&x->w);
	} else {
		json_write_string(&x->w, type_is(choice, "any") ? STR("required") : type_is(choice, "none") ? STR("none") : STR("auto"));
	}
	if (json_type(json_get(choice, STR("disable_parallel_tool_use"))) == JSON_TRUE) {
		json_write_key(&x->w, STR("parallel_tool_calls"));
		json_write_bool(&x->w, false);
	}
}

static void write_tools(struct writer *x, struct str body)
{
	struct json_cursor c;
	unsigned n = 0;
	if (!json_cursor_open(&c, json_get(body, STR("tools"))))
		return;
	while (json_cursor_next(&c)) {
		if (!is_own_tool(c.value)) {
			drop(x, "tools");	/* those that Anthropic's own servers run */
			continue;
		}
		if (n++ == 0) {
			json_write_key(&x->w, STR("tools"));
			json_write_array(&x->w);
		}
		write_tool(x, c.value);
	}
	if (!n)
		return;
	json_write_array_end(&x->w);
	write_choice(x, json_get(body, STR("tool_choice")));
}

/* --- the rest --- */

static void write_format(struct writer *x, struct str body)
{
	struct str format = json_get(json_get(body, STR("output_config")), STR("format"));
	if (!format.p)
		format = json_get(body, STR("output_format"));
	if (!type_is(format, "json_schema"))
		return;
	json_write_key(&x->w, STR("response_format"));
	json_write_object(&x->w);
	json_write_key(&x->w, STR("type"));
	json_write_string(&x->w, STR("json_schema"));
	json_write_key(&x->w, STR("json_schema"));
	json_write_object(&x->w);
	json_write_key(&x->w, STR("name"));
	json_write_string(&x->w, STR("answer"));
	copy(x, format, "schema", "schema");
	json_write_object_end(&x->w);
	json_write_object_end(&x->w);
}

static void write_stream(struct writer *x, const struct translation_request *r)
{
	if (!r->stream)
		return;
	json_write_key(&x->w, STR("stream"));
	json_write_bool(&x->w, true);
	if (!r->stream_usage)
		return;
	json_write_key(&x->w, STR("stream_options"));
	json_write_raw(&x->w, STR("{\"include_usage\":true}"));
}

static void note_dropped(struct writer *x, struct str body)
{
	static const char *const hints[] = { "thinking", "top_k", "context_management", "container", "mcp_servers", "inference_geo" };
	for (size_t i = 0; i < array_len(hints); i++) {
		struct str v = json_get(body, str_c(hints[i]));
		if (v.p && json_type(v) != JSON_NULL && !type_is(v, "disabled"))
			drop(x, hints[i]);
	}
}

bool messages_to_chat(struct str body, const struct translation_request *r, struct arena *a, struct buf *out, struct translation_loss *loss)
{
	struct writer x = { .arena = a, .text = BUF_INIT(TEXT_MAX), .loss = loss };
	*loss = (struct translation_loss){ .refused = NULL };
	body = json_value(body);
	json_write_init(&x.w, out);
	json_write_object(&x.w);
	json_write_key(&x.w, STR("model"));
	json_write_string(&x.w, r->model);
	write_messages(&x, body);
	copy(&x, body, "max_tokens", r->completion_tokens ? "max_completion_tokens" : "max_tokens");
	copy(&x, body, "temperature", "temperature");
	copy(&x, body, "top_p", "top_p");
	copy(&x, body, "stop_sequences", "stop");
	copy(&x, json_get(body, STR("metadata")), "user_id", "user");
	write_tools(&x, body);
	write_format(&x, body);
	write_stream(&x, r);
	note_dropped(&x, body);
	json_write_object_end(&x.w);
	bool good = json_write_end(&x.w) && !x.text.failed && !loss->refused;
	buf_free(&x.text);
	return good;
}
