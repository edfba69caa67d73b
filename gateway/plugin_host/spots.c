/*
 * spots.c: the texts of answers in OpenAI's and Anthropic's formats.
 */
#include "plugin_host/spots.h"

#include "base/buf.h"
#include "wire/json_cursor.h"

static bool is(const char *endpoint, const char *name)
{
	return str_eq(str_c(endpoint), str_c(name));
}

static struct spot *add(struct spots *out, struct str value, unsigned choice)
{
	if (out->n == SPOTS_MAX)
		return NULL;
	struct spot *s = &out->s[out->n++];
	*s = (struct spot){ .value = value, .choice = choice };
	return s;
}

static void add_whole(struct spots *out, struct str value, unsigned choice)
{
	struct spot *s = json_type(value) == JSON_STRING ? add(out, value, choice) : NULL;
	if (s)
		s->whole = s->last = true;
}

/* The texts of a list of parts: Anthropic's content, an output message's content. */
static void add_parts(struct spots *out, struct str parts, unsigned choice)
{
	struct json_cursor c;
	if (json_type(parts) == JSON_ARRAY && json_cursor_open(&c, parts))
		while (json_cursor_next(&c))
			add_whole(out, json_get(c.value, STR("text")), choice);
}

static void add_output(struct spots *out, struct str output)
{
	struct json_cursor c;
	unsigned choice = 0;
	if (json_type(output) == JSON_ARRAY && json_cursor_open(&c, output))
		for (; json_cursor_next(&c); choice++)
			add_parts(out, json_get(c.value, STR("content")), choice);
}

/* --- events --- */

static void chat_choice(struct spots *out, struct str data, struct str choice, const char *delta_name)
{
	struct str delta = delta_name ? json_get(choice, STR("delta")) : choice;
	struct str text = json_get(delta, delta_name ? STR("content") : STR("text"));
	bool finish = json_type(json_get(choice, STR("finish_reason"))) == JSON_STRING;
	unsigned index = (unsigned)json_count(choice, STR("index"));
	struct spot *s = NULL;
	if (json_type(text) == JSON_STRING)
		s = add(out, text, index);
	else if (finish && json_type(delta) == JSON_OBJECT && !text.p)
		s = add(out, STR_NONE, index);
	if (!s)
		return;
	s->last = finish;
	s->insert_at = (size_t)(delta.p - data.p) + 1;
	s->more_behind = json_first(delta) != 0;
}

static void chat_event(struct spots *out, struct str data, const char *delta_name)
{
	struct json_cursor c;
	struct str choices = json_get(data, STR("choices"));
	if (json_type(choices) == JSON_ARRAY && json_cursor_open(&c, choices))
		while (json_cursor_next(&c))
			chat_choice(out, data, c.value, delta_name);
}

static void add_flush(struct spots *out, unsigned choice)
{
	struct spot *s = add(out, STR_NONE, choice);
	if (s)
		s->last = s->before = true;
}

static void message_event(struct spots *out, struct str data)
{
	struct str type = json_get(data, STR("type")), text = json_get(json_get(data, STR("delta")), STR("text"));
	unsigned index = (unsigned)json_count(data, STR("index"));
	if (json_is(type, STR("content_block_stop")))
		add_flush(out, index);
	else if (json_is(type, STR("content_block_delta")) && json_type(text) == JSON_STRING)
		add(out, text, index);
}

static void response_event(struct spots *out, struct str data)
{
	struct str type = json_get(data, STR("type"));
	unsigned index = (unsigned)json_count(data, STR("output_index"));
	if (json_is(type, STR("response.output_text.delta"))) {
		if (json_type(json_get(data, STR("delta"))) == JSON_STRING)
			add(out, json_get(data, STR("delta")), index);
	} else if (json_is(type, STR("response.output_text.done"))) {
		add_flush(out, index);
		add_whole(out, json_get(data, STR("text")), index);
	} else if (json_is(type, STR("response.content_part.done"))) {
		add_whole(out, json_get(json_get(data, STR("part")), STR("text")), index);
	} else if (json_is(type, STR("response.output_item.done"))) {
		add_parts(out, json_get(json_get(data, STR("item")), STR("content")), index);
	} else if (json_is(type, STR("response.completed")) || json_is(type, STR("response.incomplete"))) {
		add_output(out, json_get(json_get(data, STR("response")), STR("output")));
	}
}

void spots_of_event(const char *endpoint, struct str data, struct spots *out)
{
	out->n = 0;
	if (is(endpoint, "chat"))
		chat_event(out, data, "delta");
	else if (is(endpoint, "completions"))
		chat_event(out, data, NULL);
	else if (is(endpoint, "messages"))
		message_event(out, data);
	else if (is(endpoint, "responses"))
		response_event(out, data);
}

const char *spots_open_event(const char *endpoint, struct str data, struct buf *out)
{
	struct str item = json_get(data, STR("item_id"));
	if (is(endpoint, "messages")) {
		buf_addf(out, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":%lld,\"delta\":"
			 "{\"type\":\"text_delta\",\"text\":", (long long)json_count(data, STR("index")));
		return "}}\n\n";
	}
	buf_addf(out, "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"item_id\":%.*s,"
		 "\"output_index\":%lld,\"content_index\":%lld,\"sequence_number\":%lld,\"logprobs\":[],\"delta\":",
		 STR_FMT(item.n ? item : STR("\"\"")), (long long)json_count(data, STR("output_index")),
		 (long long)json_count(data, STR("content_index")), (long long)json_count(data, STR("sequence_number")));
	return "}\n\n";
}

/* --- plain answers --- */

void spots_of_answer(const char *endpoint, struct str body, struct spots *out)
{
	struct json_cursor c;
	struct str root = json_value(body), choices = json_get(root, STR("choices"));
	bool chat = is(endpoint, "chat");
	out->n = 0;
	if (is(endpoint, "messages"))
		add_parts(out, json_get(root, STR("content")), 0);
	else if (is(endpoint, "responses"))
		add_output(out, json_get(root, STR("output")));
	else if (json_type(choices) == JSON_ARRAY && json_cursor_open(&c, choices))
		while (json_cursor_next(&c))
			add_whole(out, chat ? json_get(json_get(c.value, STR("message")), STR("content")) : json_get(c.value, STR("text")),
				  (unsigned)json_count(c.value, STR("index")));
}
