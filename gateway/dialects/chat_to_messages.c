/*
 * chat_to_messages.c: the answer, whole and as a stream.
 *
 * In a stream blocks follow each other, so a block ends when another kind of content begins; a tool
 * call begins with its name, and its arguments come in pieces. The stop reason waits for the usage,
 * which chat completions send behind it.
 */
#include "dialects/messages_chat.h"

#include <string.h>

#include "wire/json_cursor.h"
#include "wire/json_scan.h"
#include "wire/json_write.h"

/* --- what both have in common --- */

static const char *stop_reason(struct str finish)
{
	static const struct { struct str from; const char *to; } reasons[] = {
		{ STR_INIT("stop"), "end_turn" }, { STR_INIT("length"), "max_tokens" }, { STR_INIT("tool_calls"), "tool_use" },
		{ STR_INIT("function_call"), "tool_use" }, { STR_INIT("content_filter"), "refusal" },
	};
	for (size_t i = 0; i < array_len(reasons); i++)
		if (str_eq(finish, reasons[i].from))
			return reasons[i].to;
	return "end_turn";
}

static void read_usage(struct str usage, int64_t *input, int64_t *output, int64_t *cached)
{
	if (json_type(usage) != JSON_OBJECT)
		return;
	*cached = json_count(json_get(usage, STR("prompt_tokens_details")), STR("cached_tokens"));
	*input = json_count(usage, STR("prompt_tokens"));
	*cached = *cached <= *input ? *cached : 0;
	*input -= *cached;
	*output = json_count(usage, STR("completion_tokens"));
}

static void write_usage(struct json_write *w, int64_t input, int64_t output, int64_t cached)
{
	json_write_object(w);
	json_write_key(w, STR("input_tokens"));
	json_write_int(w, input);
	json_write_key(w, STR("cache_creation_input_tokens"));
	json_write_int(w, 0);
	json_write_key(w, STR("cache_read_input_tokens"));
	json_write_int(w, cached);
	json_write_key(w, STR("output_tokens"));
	json_write_int(w, output);
	json_write_object_end(w);
}

static void write_member(struct json_write *w, const char *key, struct str text)
{
	json_write_key(w, str_c(key));
	json_write_string(w, text);
}

static void write_spelled(struct json_write *w, const char *key, struct str spelled)
{
	json_write_key(w, str_c(key));
	json_write_escaped(w, spelled);
}

/* --- a whole answer --- */

static bool is_object(struct str text)
{
	struct arena a = ARENA_INIT;
	struct json_scan scan;
	json_scan_init(&scan, &a);
	bool good = json_scan_feed(&scan, text.p, text.n, true) == JSON_DONE;
	arena_clear(&a);
	return good;
}

static void write_call(struct json_write *w, struct str call, struct arena *a)
{
	struct str function = json_get(call, STR("function"));
	struct str arguments = json_text(a, json_get(function, STR("arguments")));
	json_write_object(w);
	write_member(w, "type", STR("tool_use"));
	write_spelled(w, "id", json_raw(json_get(call, STR("id"))));
	write_spelled(w, "name", json_raw(json_get(function, STR("name"))));
	json_write_key(w, STR("input"));
	json_write_raw(w, arguments.n && is_object(arguments) ? arguments : STR("{}"));
	json_write_object_end(w);
}

static void write_content(struct json_write *w, struct str message, struct arena *a)
{
	struct json_cursor c;
	struct str text = json_raw(json_get(message, STR("content")));
	if (str_empty(text))
		text = json_raw(json_get(message, STR("refusal")));
	json_write_key(w, STR("content"));
	json_write_array(w);
	if (text.n) {
		json_write_object(w);
		write_member(w, "type", STR("text"));
		write_spelled(w, "text", text);
		json_write_object_end(w);
	}
	if (json_cursor_open(&c, json_get(message, STR("tool_calls"))))
		while (json_cursor_next(&c))
			write_call(w, c.value, a);
	json_write_array_end(w);
}

bool chat_to_message(struct str body, struct buf *out)
{
	struct arena a = ARENA_INIT;
	struct json_write w;
	struct json_cursor c;
	int64_t input = 0, output = 0, cached = 0;
	body = json_value(body);
	if (!json_cursor_open(&c, json_get(body, STR("choices"))) || !json_cursor_next(&c))
		return false;
	struct str finish = json_raw(json_get(c.value, STR("finish_reason")));
	read_usage(json_get(body, STR("usage")), &input, &output, &cached);
	json_write_init(&w, out);
	json_write_object(&w);
	write_spelled(&w, "id", json_raw(json_get(body, STR("id"))));
	write_member(&w, "type", STR("message"));
	write_member(&w, "role", STR("assistant"));
	write_spelled(&w, "model", json_raw(json_get(body, STR("model"))));
	write_content(&w, json_get(c.value, STR("message")), &a);
	write_member(&w, "stop_reason", str_c(stop_reason(finish)));
	json_write_key(&w, STR("stop_sequence"));
	json_write_null(&w);
	json_write_key(&w, STR("usage"));
	write_usage(&w, input, output, cached);
	json_write_object_end(&w);
	bool good = json_write_end(&w);
	arena_clear(&a);
	return good;
}

/* --- a stream --- */

static void begin_event(struct json_write *w, struct buf *out, const char *type)
{
	buf_addf(out, "event: %s\ndata: ", type);
	json_write_init(w, out);
	json_write_object(w);
	write_member(w, "type", str_c(type));
}

static void end_event(struct json_write *w, struct buf *out)
{
	json_write_object_end(w);
	if (!json_write_end(w))
		out->failed = true;
	buf_add(out, STR("\n\n"));
}

static void begin_message(struct translation_stream *s, struct str data, struct buf *out)
{
	struct json_write w;
	if (s->begun)
		return;
	s->begun = true;
	begin_event(&w, out, "message_start");
	json_write_key(&w, STR("message"));
	json_write_object(&w);
	write_spelled(&w, "id", json_raw(json_get(data, STR("id"))));
	write_member(&w, "type", STR("message"));
	write_member(&w, "role", STR("assistant"));
	write_spelled(&w, "model", json_raw(json_get(data, STR("model"))));
	json_write_key(&w, STR("content"));
	json_write_raw(&w, STR("[]"));
	json_write_key(&w, STR("stop_reason"));
	json_write_null(&w);
	json_write_key(&w, STR("stop_sequence"));
	json_write_null(&w);
	json_write_key(&w, STR("usage"));
	write_usage(&w, 0, 0, 0);
	json_write_object_end(&w);
	end_event(&w, out);
}

static void end_block(struct translation_stream *s, struct buf *out)
{
	struct json_write w;
	if (!s->in_block)
		return;
	begin_event(&w, out, "content_block_stop");
	json_write_key(&w, STR("index"));
	json_write_int(&w, s->block++);
	end_event(&w, out);
	s->in_block = s->tool = false;
}

static void begin_block(struct translation_stream *s, struct str call, struct buf *out)
{
	struct json_write w;
	bool tool = call.p != NULL;
	end_block(s, out);
	begin_event(&w, out, "content_block_start");
	json_write_key(&w, STR("index"));
	json_write_int(&w, s->block);
	json_write_key(&w, STR("content_block"));
	json_write_object(&w);
	write_member(&w, "type", tool ? STR("tool_use") : STR("text"));
	if (tool) {
		write_spelled(&w, "id", json_raw(json_get(call, STR("id"))));
		write_spelled(&w, "name", json_raw(json_get(json_get(call, STR("function")), STR("name"))));
		json_write_key(&w, STR("input"));
		json_write_raw(&w, STR("{}"));
	} else {
		write_member(&w, "text", STR(""));
	}
	json_write_object_end(&w);
	end_event(&w, out);
	s->in_block = true;
	s->tool = tool;
}

static void write_delta(const struct translation_stream *s, const char *type, const char *key, struct str spelled, struct buf *out)
{
	struct json_write w;
	begin_event(&w, out, "content_block_delta");
	json_write_key(&w, STR("index"));
	json_write_int(&w, s->block);
	json_write_key(&w, STR("delta"));
	json_write_object(&w);
	write_member(&w, "type", str_c(type));
	write_spelled(&w, key, spelled);
	json_write_object_end(&w);
	end_event(&w, out);
}

/* A piece with an id begins a call; without one it goes on with the call of its index. */
static void write_call_piece(struct translation_stream *s, struct str call, struct buf *out)
{
	struct str arguments = json_raw(json_get(json_get(call, STR("function")), STR("arguments")));
	int64_t index = json_count(call, STR("index"));
	bool begins = json_raw(json_get(call, STR("id"))).n && !(s->tool && index == s->call &&
								json_type(json_get(call, STR("index"))) == JSON_NUMBER);
	if (begins) {
		begin_block(s, call, out);
		s->call = index;
	}
	if (s->tool && arguments.n)
		write_delta(s, "input_json_delta", "partial_json", arguments, out);
}

static void write_pieces(struct translation_stream *s, struct str delta, struct buf *out)
{
	struct json_cursor c;
	struct str text = json_raw(json_get(delta, STR("content")));
	if (str_empty(text))
		text = json_raw(json_get(delta, STR("refusal")));
	if (text.n) {
		if (!s->in_block || s->tool)
			begin_block(s, STR_NONE, out);
		write_delta(s, "text_delta", "text", text, out);
	}
	if (json_cursor_open(&c, json_get(delta, STR("tool_calls"))))
		while (json_cursor_next(&c))
			write_call_piece(s, c.value, out);
}

void chat_to_messages(struct translation_stream *s, struct str data, struct buf *out)
{
	struct json_cursor c;
	data = json_value(data);
	if (json_type(data) != JSON_OBJECT)
		return;
	begin_message(s, data, out);
	read_usage(json_get(data, STR("usage")), &s->input, &s->output, &s->cached);
	if (!json_cursor_open(&c, json_get(data, STR("choices"))) || !json_cursor_next(&c))
		return;
	write_pieces(s, json_get(c.value, STR("delta")), out);
	struct str finish = json_raw(json_get(c.value, STR("finish_reason")));
	if (finish.n)
		memcpy(s->stop, stop_reason(finish), strlen(stop_reason(finish)) + 1);
}

void chat_to_messages_end(struct translation_stream *s, struct buf *out)
{
	struct json_write w;
	if (s->stopped || !s->begun)
		return;
	s->stopped = true;
	end_block(s, out);
	begin_event(&w, out, "message_delta");
	json_write_key(&w, STR("delta"));
	json_write_object(&w);
	write_member(&w, "stop_reason", str_c(*s->stop ? s->stop : "end_turn"));
	json_write_key(&w, STR("stop_sequence"));
	json_write_null(&w);
	json_write_object_end(&w);
	json_write_key(&w, STR("usage"));
	write_usage(&w, s->input, s->output, s->cached);
	end_event(&w, out);
	begin_event(&w, out, "message_stop");
	end_event(&w, out);
}
