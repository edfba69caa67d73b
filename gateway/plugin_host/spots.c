/*
 * spots.c: the texts of answers, and the arguments of their tool calls, in OpenAI's, Anthropic's and Google's formats.
 */
#include "plugin_host/spots.h"

#include "base/buf.h"
#include "wire/json_cursor.h"

enum { CALLS_MOST = 1024 };	/* of one choice */

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

static const char *place(const struct spot *s)
{
	return s->before ? NULL : s->value.p ? s->value.p : s->inserted_at;
}

static void add_whole(struct spots *out, struct str value, unsigned choice)
{
	struct spot *s = json_type(value) == JSON_STRING ? add(out, value, choice) : NULL;
	if (s)
		s->whole = s->last = true;
}

/* A string holds JSON, whole or a piece of it; an object is it. */
static void add_arguments(struct spots *out, struct str value, unsigned call, bool whole)
{
	bool fits = json_type(value) == JSON_STRING || json_type(value) == JSON_OBJECT;
	struct spot *s = fits ? add(out, value, call) : NULL;
	if (!s)
		return;
	s->arguments = true;
	s->whole = s->last = whole;
}

/* The texts of a list of parts: Anthropic's content, an output message's content. */
static void add_parts(struct spots *out, struct str parts, unsigned choice)
{
	struct json_cursor c;
	if (json_type(parts) != JSON_ARRAY || !json_cursor_open(&c, parts))
		return;
	while (json_cursor_next(&c)) {
		add_whole(out, json_get(c.value, STR("text")), choice);
		add_arguments(out, json_get(c.value, STR("input")), choice, true);
	}
}

static void add_calls(struct spots *out, struct str calls, unsigned choice, bool whole)
{
	struct json_cursor c;
	if (json_type(calls) != JSON_ARRAY || !json_cursor_open(&c, calls))
		return;
	for (unsigned i = 0; json_cursor_next(&c); i++) {
		struct str index = json_get(c.value, STR("index"));
		unsigned call = index.p ? (unsigned)json_count(c.value, STR("index")) : i;
		add_arguments(out, json_get(json_get(c.value, STR("function")), STR("arguments")), choice * CALLS_MOST + call % CALLS_MOST, whole);
	}
}

/* By where they stand: they are looked for by name. Those without a place come first. */
static void sort(struct spots *out)
{
	for (unsigned i = 1; i < out->n; i++) {
		struct spot s = out->s[i];
		unsigned k = i;
		for (; k > 0 && place(&out->s[k - 1]) > place(&s); k--)
			out->s[k] = out->s[k - 1];
		out->s[k] = s;
	}
}

static void add_output(struct spots *out, struct str output)
{
	struct json_cursor c;
	unsigned choice = 0;
	if (json_type(output) == JSON_ARRAY && json_cursor_open(&c, output))
		for (; json_cursor_next(&c); choice++) {
			add_parts(out, json_get(c.value, STR("content")), choice);
			add_arguments(out, json_get(c.value, STR("arguments")), choice, true);
		}
}

/* --- events --- */

static void chat_choice(struct spots *out, struct str choice, const char *delta_name)
{
	struct str delta = delta_name ? json_get(choice, STR("delta")) : choice;
	struct str text = json_get(delta, delta_name ? STR("content") : STR("text"));
	bool finish = json_type(json_get(choice, STR("finish_reason"))) == JSON_STRING;
	unsigned index = (unsigned)json_count(choice, STR("index"));
	struct spot *s = NULL;
	add_calls(out, json_get(delta, STR("tool_calls")), index, false);
	if (json_type(text) == JSON_STRING)
		s = add(out, text, index);
	else if (finish && json_type(delta) == JSON_OBJECT && !text.p)
		s = add(out, STR_NONE, index);
	if (!s)
		return;
	s->last = finish;
	s->inserted_at = delta.p + 1;
	s->more_behind = json_first(delta) != 0;
}

static void chat_event(struct spots *out, struct str data, const char *delta_name)
{
	struct json_cursor c;
	struct str choices = json_get(data, STR("choices"));
	if (json_type(choices) == JSON_ARRAY && json_cursor_open(&c, choices))
		while (json_cursor_next(&c))
			chat_choice(out, c.value, delta_name);
}

static void add_flush(struct spots *out, unsigned choice)
{
	struct spot *s = add(out, STR_NONE, choice);
	if (s)
		s->last = s->before = true;
}

static void message_event(struct spots *out, struct str data)
{
	struct str type = json_get(data, STR("type")), delta = json_get(data, STR("delta")), text = json_get(delta, STR("text"));
	unsigned index = (unsigned)json_count(data, STR("index"));
	if (json_is(type, STR("content_block_stop")))
		add_flush(out, index);
	else if (json_is(type, STR("content_block_delta")) && json_type(text) == JSON_STRING)
		add(out, text, index);
	else if (json_is(type, STR("content_block_delta")))
		add_arguments(out, json_get(delta, STR("partial_json")), index, false);
	else if (json_is(type, STR("content_block_start")))
		add_arguments(out, json_get(json_get(data, STR("content_block")), STR("input")), index, true);
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
		add_arguments(out, json_get(json_get(data, STR("item")), STR("arguments")), index, true);
	} else if (json_is(type, STR("response.function_call_arguments.delta"))) {
		add_arguments(out, json_get(data, STR("delta")), index, false);
	} else if (json_is(type, STR("response.function_call_arguments.done"))) {
		add_arguments(out, json_get(data, STR("arguments")), index, true);
	} else if (json_is(type, STR("response.completed")) || json_is(type, STR("response.incomplete"))) {
		add_output(out, json_get(json_get(data, STR("response")), STR("output")));
	}
}

/* Of a candidate; in a stream a text is a piece. What was held back has to go out before a last event without text. */
static void candidate(struct spots *out, struct str value, bool stream)
{
	struct json_cursor c;
	unsigned index = (unsigned)json_count(value, STR("index")), from = out->n, call = 0;
	bool finish = json_type(json_get(value, STR("finishReason"))) == JSON_STRING;
	struct str parts = json_get(json_get(value, STR("content")), STR("parts"));
	struct spot *last = NULL;
	if (json_type(parts) == JSON_ARRAY && json_cursor_open(&c, parts))
		for (; json_cursor_next(&c); call++) {
			struct str text = json_get(c.value, STR("text"));
			add_arguments(out, json_get(json_get(c.value, STR("functionCall")), STR("args")), index * CALLS_MOST + call % CALLS_MOST, true);
			if (json_type(text) == JSON_STRING && json_type(json_get(c.value, STR("thought"))) != JSON_TRUE)
				last = add(out, text, index);
		}
	for (unsigned i = from; !stream && i < out->n; i++)
		out->s[i].whole = out->s[i].last = true;
	if (stream && finish && last)
		last->last = true;
	else if (stream && finish)
		add_flush(out, index);
}

static void candidates(struct spots *out, struct str data, bool stream)
{
	struct json_cursor c;
	struct str list = json_get(data, STR("candidates"));
	if (json_type(list) == JSON_ARRAY && json_cursor_open(&c, list))
		while (json_cursor_next(&c))
			candidate(out, c.value, stream);
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
	else if (is(endpoint, "generate_content"))
		candidates(out, data, true);
	sort(out);
}

const char *spots_open_event(const char *endpoint, struct str data, const struct spot *s, struct buf *out)
{
	struct str item = json_get(data, STR("item_id"));
	if (is(endpoint, "generate_content")) {
		buf_addf(out, "data: {\"candidates\":[{\"index\":%u,\"content\":{\"role\":\"model\",\"parts\":[{\"text\":", s->choice);
		return "}]}}]}\n\n";
	}
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

static void chat_message(struct spots *out, struct str choice, bool chat)
{
	struct str message = json_get(choice, STR("message"));
	unsigned index = (unsigned)json_count(choice, STR("index"));
	add_whole(out, chat ? json_get(message, STR("content")) : json_get(choice, STR("text")), index);
	add_calls(out, json_get(message, STR("tool_calls")), index, true);
}

void spots_of_answer(const char *endpoint, struct str body, struct spots *out)
{
	struct json_cursor c;
	struct str root = json_value(body), choices = json_get(root, STR("choices"));
	bool chat = is(endpoint, "chat");
	out->n = 0;
	if (is(endpoint, "generate_content"))
		candidates(out, root, false);
	else if (is(endpoint, "messages"))
		add_parts(out, json_get(root, STR("content")), 0);
	else if (is(endpoint, "responses"))
		add_output(out, json_get(root, STR("output")));
	else if (json_type(choices) == JSON_ARRAY && json_cursor_open(&c, choices))
		while (json_cursor_next(&c))
			chat_message(out, c.value, chat);
	sort(out);
}
