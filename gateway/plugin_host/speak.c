/*
 * speak.c: a text of our own as an answer in the caller's format, plain or as a stream.
 *
 * Shapes as OpenAI (API reference, 2025-10), Anthropic (2023-06-01) and Google (v1beta) document them. No tokens
 * were used, and the usage says so.
 */
#include "base/clock.h"
#include "core/call.h"
#include "core/endpoint.h"
#include "plugin_host/run.h"

struct speech {
	const struct txn *t;
	struct buf *out;
	struct str text;
	long long now_s;
	struct str id;		/* without req_ */
};

static void add_model(const struct speech *s)
{
	buf_addf(s->out, "\"model\":");
	buf_add_json(s->out, s->t->call->model);
}

/* --- chat completions and completions --- */

#define NO_USAGE "\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":0,\"total_tokens\":0}"

static void openai_head(const struct speech *s, const char *prefix, const char *object)
{
	buf_addf(s->out, "{\"id\":\"%s-%.*s\",\"object\":\"%s\",\"created\":%lld,", prefix, STR_FMT(s->id), object, s->now_s);
	add_model(s);
}

static void chat_plain(const struct speech *s)
{
	openai_head(s, "chatcmpl", "chat.completion");
	buf_addf(s->out, ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":");
	buf_add_json(s->out, s->text);
	buf_addf(s->out, ",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}]," NO_USAGE "}");
}

static void chat_chunk(const struct speech *s, const char *delta, struct str text, const char *finish)
{
	buf_addf(s->out, "data: ");
	openai_head(s, "chatcmpl", "chat.completion.chunk");
	buf_addf(s->out, ",\"choices\":[{\"index\":0,\"delta\":{%s", delta);
	if (text.p)
		buf_add_json(s->out, text);
	buf_addf(s->out, "},\"logprobs\":null,\"finish_reason\":%s}]}\n\n", finish);
}

static void usage_chunk(const struct speech *s, const char *prefix, const char *object)
{
	if (!s->t->call->usage_asked)
		return;
	buf_addf(s->out, "data: ");
	openai_head(s, prefix, object);
	buf_addf(s->out, ",\"choices\":[]," NO_USAGE "}\n\n");
}

static void chat_stream(const struct speech *s)
{
	chat_chunk(s, "\"role\":\"assistant\",\"content\":\"\"", STR_NONE, "null");
	chat_chunk(s, "\"content\":", s->text, "null");
	chat_chunk(s, "", STR_NONE, "\"stop\"");
	usage_chunk(s, "chatcmpl", "chat.completion.chunk");
	buf_addf(s->out, "data: [DONE]\n\n");
}

static void completion_body(const struct speech *s, struct str text, const char *finish)
{
	openai_head(s, "cmpl", "text_completion");
	buf_addf(s->out, ",\"choices\":[{\"index\":0,\"text\":");
	buf_add_json(s->out, text);
	buf_addf(s->out, ",\"logprobs\":null,\"finish_reason\":%s}]", finish);
}

static void completion_plain(const struct speech *s)
{
	completion_body(s, s->text, "\"stop\"");
	buf_addf(s->out, "," NO_USAGE "}");
}

static void completion_stream(const struct speech *s)
{
	buf_addf(s->out, "data: ");
	completion_body(s, s->text, "null");
	buf_addf(s->out, "}\n\ndata: ");
	completion_body(s, STR(""), "\"stop\"");
	buf_addf(s->out, "}\n\n");
	usage_chunk(s, "cmpl", "text_completion");
	buf_addf(s->out, "data: [DONE]\n\n");
}

/* --- Messages --- */

#define NO_TOKENS "\"input_tokens\":0,\"output_tokens\":0"

static void message_head(const struct speech *s)
{
	buf_addf(s->out, "{\"id\":\"msg_%.*s\",\"type\":\"message\",\"role\":\"assistant\",", STR_FMT(s->id));
	add_model(s);
}

static void message_plain(const struct speech *s)
{
	message_head(s);
	buf_addf(s->out, ",\"content\":[{\"type\":\"text\",\"text\":");
	buf_add_json(s->out, s->text);
	buf_addf(s->out, "}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":{" NO_TOKENS "}}");
}

static void message_stream(const struct speech *s)
{
	buf_addf(s->out, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":");
	message_head(s);
	buf_addf(s->out, ",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{" NO_TOKENS "}}}\n\n"
		 "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":"
		 "{\"type\":\"text\",\"text\":\"\"}}\n\n"
		 "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
		 "{\"type\":\"text_delta\",\"text\":");
	buf_add_json(s->out, s->text);
	buf_addf(s->out, "}}\n\nevent: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
		 "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\","
		 "\"stop_sequence\":null},\"usage\":{\"output_tokens\":0}}\n\n"
		 "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
}

/* --- Responses --- */

static void part_json(const struct speech *s, struct str text)
{
	buf_addf(s->out, "{\"type\":\"output_text\",\"text\":");
	buf_add_json(s->out, text);
	buf_addf(s->out, ",\"annotations\":[],\"logprobs\":[]}");
}

static void item_json(const struct speech *s, bool done)
{
	buf_addf(s->out, "{\"id\":\"msg_%.*s\",\"type\":\"message\",\"role\":\"assistant\",\"status\":\"%s\",\"content\":[",
		 STR_FMT(s->id), done ? "completed" : "in_progress");
	if (done)
		part_json(s, s->text);
	buf_addf(s->out, "]}");
}

static void response_json(const struct speech *s, bool done)
{
	buf_addf(s->out, "{\"id\":\"resp_%.*s\",\"object\":\"response\",\"created_at\":%lld,\"status\":\"%s\",", STR_FMT(s->id),
		 s->now_s, done ? "completed" : "in_progress");
	add_model(s);
	buf_addf(s->out, ",\"output\":[");
	if (done)
		item_json(s, true);
	buf_addf(s->out, "],\"error\":null,\"incomplete_details\":null,\"instructions\":null,\"metadata\":{},"
		 "\"parallel_tool_calls\":true,\"tool_choice\":\"auto\",\"tools\":[],\"temperature\":null,\"top_p\":null,\"usage\":%s}",
		 done ? "{\"input_tokens\":0,\"input_tokens_details\":{\"cached_tokens\":0},\"output_tokens\":0,"
			"\"output_tokens_details\":{\"reasoning_tokens\":0},\"total_tokens\":0}" : "null");
}

static void response_event(const struct speech *s, unsigned *n, const char *name)
{
	buf_addf(s->out, "%sevent: %s\ndata: {\"type\":\"%s\",\"sequence_number\":%u,", *n ? "}\n\n" : "", name, name, *n);
	(*n)++;
}

static void response_stream(const struct speech *s)
{
	unsigned n = 0;
	response_event(s, &n, "response.created");
	buf_addf(s->out, "\"response\":");
	response_json(s, false);
	response_event(s, &n, "response.in_progress");
	buf_addf(s->out, "\"response\":");
	response_json(s, false);
	response_event(s, &n, "response.output_item.added");
	buf_addf(s->out, "\"output_index\":0,\"item\":");
	item_json(s, false);
	response_event(s, &n, "response.content_part.added");
	buf_addf(s->out, "\"item_id\":\"msg_%.*s\",\"output_index\":0,\"content_index\":0,\"part\":", STR_FMT(s->id));
	part_json(s, STR(""));
	response_event(s, &n, "response.output_text.delta");
	buf_addf(s->out, "\"item_id\":\"msg_%.*s\",\"output_index\":0,\"content_index\":0,\"logprobs\":[],\"delta\":", STR_FMT(s->id));
	buf_add_json(s->out, s->text);
	response_event(s, &n, "response.output_text.done");
	buf_addf(s->out, "\"item_id\":\"msg_%.*s\",\"output_index\":0,\"content_index\":0,\"logprobs\":[],\"text\":", STR_FMT(s->id));
	buf_add_json(s->out, s->text);
	response_event(s, &n, "response.content_part.done");
	buf_addf(s->out, "\"item_id\":\"msg_%.*s\",\"output_index\":0,\"content_index\":0,\"part\":", STR_FMT(s->id));
	part_json(s, s->text);
	response_event(s, &n, "response.output_item.done");
	buf_addf(s->out, "\"output_index\":0,\"item\":");
	item_json(s, true);
	response_event(s, &n, "response.completed");
	buf_addf(s->out, "\"response\":");
	response_json(s, true);
	buf_addf(s->out, "}\n\n");
}

static void response_plain(const struct speech *s)
{
	response_json(s, true);
}

/* --- generateContent --- */

static void gemini_plain(const struct speech *s)
{
	buf_addf(s->out, "{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":");
	buf_add_json(s->out, s->text);
	buf_addf(s->out, "}]},\"finishReason\":\"STOP\",\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":0,\"candidatesTokenCount\":0,"
		 "\"totalTokenCount\":0},\"modelVersion\":");
	buf_add_json(s->out, s->t->call->model);
	buf_addf(s->out, ",\"responseId\":\"%.*s\"}", STR_FMT(s->id));
}

/* One event says all of it. */
static void gemini_stream(const struct speech *s)
{
	buf_addf(s->out, "data: ");
	gemini_plain(s);
	buf_addf(s->out, "\r\n\r\n");
}

/* --- which --- */

static const struct voice {
	const char *endpoint;
	void (*plain)(const struct speech *s);
	void (*stream)(const struct speech *s);
} voices[] = {
	{ "chat", chat_plain, chat_stream },
	{ "completions", completion_plain, completion_stream },
	{ "messages", message_plain, message_stream },
	{ "responses", response_plain, response_stream },
	{ "generate_content", gemini_plain, gemini_stream },
};

static const struct voice *voice_of(const struct txn *t)
{
	for (size_t i = 0; t->endpoint && i < array_len(voices); i++)
		if (str_eq(str_c(voices[i].endpoint), str_c(t->endpoint->name)) && t->method == HTTP_POST)
			return &voices[i];
	return NULL;
}

bool can_speak(const struct txn *t)
{
	return voice_of(t);
}

bool speak(const struct txn *t, struct str text, struct buf *out)
{
	const struct voice *v = voice_of(t);
	struct speech s = { t, out, text, clock_wall_us() / SECOND_US, str_skip(str_c(t->id), 4) };
	if (!v)
		return false;
	(t->stream ? v->stream : v->plain)(&s);
	return !out->failed;
}
