/*
 * anthropic_messages.c: Anthropic's Messages, relayed (API of 2023-06-01 and 2026-10-21, read 2026-11).
 *
 * Events are named; message_stop ends a stream, there is no [DONE]. Reported input leaves out what
 * was read from the prompt cache and written to it, so the whole is their sum; output in
 * message_delta is cumulative.
 */
#include "core/dialect.h"
#include "core/target.h"

#include "dialects/anthropic_parts.h"
#include "dialects/openai_errors.h"
#include "dialects/openai_measure.h"
#include "dialects/openai_usage.h"
#include "dialects/spelled.h"
#include "wire/json_cursor.h"

extern const struct dialect anthropic_messages_dialect, openai_chat_dialect;

enum { TURNS_MAX = 1000 };

/* --- usage --- */

static void read_service(struct str tier, struct usage *u)
{
	if (json_is(tier, STR("priority")))
		u->service = SERVICE_PRIORITY;
	else if (json_is(tier, STR("batch")))
		u->service = SERVICE_BATCH;
	else if (json_is(tier, STR("standard")))
		u->service = SERVICE_STANDARD;
}

static int64_t count_of(struct str object, const char *key, struct usage *u)
{
	struct json_fields f;
	json_fields_open(&f, object);
	return usage_count(&f, key, &u->doubtful);
}

static int64_t thoughts(struct json_fields *object, struct usage *u)
{
	return count_of(json_field(object, STR("output_tokens_details")), "thinking_tokens", u);
}

static void add_counts(struct json_fields *object, struct usage *u)
{
	int64_t cached = usage_count(object, "cache_read_input_tokens", &u->doubtful);
	int64_t written = usage_count(object, "cache_creation_input_tokens", &u->doubtful);
	u->cached += cached;
	u->cache_write += written;
	u->cache_write_1h += count_of(json_field(object, STR("cache_creation")), "ephemeral_1h_input_tokens", u);
	u->input += usage_count(object, "input_tokens", &u->doubtful) + cached + written;
	u->output += usage_count(object, "output_tokens", &u->doubtful);
	u->reasoning += thoughts(object, u);
}

/* A message that was compacted on the way took several turns of the model; the sums beside them are of the last one only. */
bool anthropic_usage(struct str object, struct usage *out)
{
	struct usage u = { 0 };
	struct json_fields whole, turn;
	struct json_cursor turns;
	unsigned n = 0;
	if (json_type(object) != JSON_OBJECT)
		return false;
	json_fields_open(&whole, object);
	if (json_cursor_open(&turns, json_field(&whole, STR("iterations"))))
		for (; n < TURNS_MAX && json_cursor_next(&turns); n++) {
			json_fields_open(&turn, turns.value);
			add_counts(&turn, &u);
		}
	if (n == 0)
		add_counts(&whole, &u);
	else if (u.reasoning == 0)	/* of turns it is told in one sum */
		u.reasoning = thoughts(&whole, &u);
	u.total = u.input + u.output;
	u.known = u.total > 0;
	u.doubtful |= u.reasoning > u.output || u.cache_write_1h > u.cache_write;
	read_service(json_field(&whole, STR("service_tier")), &u);
	if (u.known)
		*out = u;
	return u.known;
}

/* count_tokens answers with a count that costs nothing: it is no usage. */
static bool read_usage(struct str body, unsigned quirks, struct usage *out)
{
	struct str usage = json_get(json_value(body), STR("usage"));
	(void)quirks;
	return anthropic_usage(usage.p ? usage : openai_last_usage(body), out);
}

/* --- events --- */

static struct str type_of(struct str name, struct str data)
{
	return str_empty(name) ? json_raw(json_get(data, STR("type"))) : name;
}

/* A block that begins whole: a tool call has its name, redacted thinking its data. */
static bool begins_with_content(struct str data)
{
	struct str type = json_get(json_get(data, STR("content_block")), STR("type"));
	return !json_is(type, STR("text")) && !json_is(type, STR("thinking"));
}

static void read_event(struct str name, struct str data, unsigned quirks, struct event_view *out)
{
	struct str type = type_of(name, data);
	(void)quirks;
	if (str_eq(type, STR("content_block_delta"))) {
		out->content = true;
	} else if (str_eq(type, STR("content_block_start"))) {
		out->content = begins_with_content(data);
	} else if (str_eq(type, STR("message_start"))) {
		out->has_usage = anthropic_usage(json_get(json_get(data, STR("message")), STR("usage")), &out->usage);
		out->content = json_first(json_get(json_get(data, STR("message")), STR("content"))) != 0;
	} else if (str_eq(type, STR("message_delta"))) {
		out->has_usage = anthropic_usage(json_get(data, STR("usage")), &out->usage);
	} else if (str_eq(type, STR("message_stop"))) {
		out->finish = true;
	} else if (str_eq(type, STR("error"))) {
		out->error = true;
	}
}

/* --- errors --- */

static const char *error_type(const struct error *e)
{
	switch (error_status(e)) {
	case 400: return "invalid_request_error";
	case 401: return "authentication_error";
	case 402: return "billing_error";
	case 403: return "permission_error";
	case 404: return "not_found_error";
	case 413: return "request_too_large";
	case 429: return "rate_limit_error";
	case 503: return "overloaded_error";
	case 504: return "timeout_error";
	default:  return error_status(e) < 500 ? "invalid_request_error" : "api_error";
	}
}

/* There is no code for a full context: agents know it by Anthropic's own words, and make room then. */
static void write_message(struct buf *out, const struct error *e)
{
	static const char words[] = "prompt is too long";
	if (e->kind == ERR_CONTEXT_LENGTH && !str_ihas(e->message, str_c(words))) {
		struct buf b = BUF_INIT(e->message.n + sizeof(words) + 2);
		buf_addf(&b, "%s: %.*s", words, STR_FMT(e->message));
		buf_add_json(out, buf_str(&b));
		buf_free(&b);
	} else {
		buf_add_json(out, e->message);
	}
}

static void write_error(struct buf *out, const struct error *e, struct str request_id)
{
	buf_addf(out, "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":", error_type(e));
	write_message(out, e);
	buf_add(out, STR("},\"request_id\":"));
	buf_add_json(out, request_id);
	buf_addc(out, '}');
}

static void write_error_event(struct buf *out, const struct error *e, struct str request_id)
{
	buf_add(out, STR("event: error\ndata: "));
	write_error(out, e, request_id);
	buf_add(out, STR("\n\n"));
}

static void read_error(int status, struct str body, struct provider_error *out)
{
	struct str root = json_value(body), error = json_get(root, STR("error"));
	openai_read_error(status, body, out);
	out->native = json_is(json_get(root, STR("type")), STR("error")) && out->message.n;
	bool model = str_starts(out->message, STR("model:"));
	if (status == 404 && model)
		out->kind = ERR_UPSTREAM_MODEL_GONE;
	else if (status == 200 && json_is(json_get(error, STR("type")), STR("overloaded_error")))
		out->kind = ERR_UPSTREAM_OVERLOADED;
	else if (status == 200 && json_is(json_get(error, STR("type")), STR("rate_limit_error")))
		out->kind = ERR_UPSTREAM_RATE_LIMIT;
}

static bool is_chat(struct str path)
{
	return str_eq(path, STR("/messages"));
}

/* By way of Vertex the model stands in it. */
static void raw_path(struct str model, bool stream, struct buf *out)
{
	buf_add(out, STR("/models/"));
	spelled_path(out, model);
	buf_add(out, stream ? STR(":streamRawPredict") : STR(":rawPredict"));
}

static void write_path(const struct chat_target *t, bool stream, struct buf *out)
{
	if (t->quirks & QUIRK_RAW_PREDICT)
		raw_path(t->model, stream, out);
	else
		buf_add(out, STR("/messages"));
}

static const struct chat_format chat = {
	.is_chat = is_chat,
	.read_request = anthropic_read_request,
	.write_answer = anthropic_write_answer,
	.writer_size = &anthropic_writer_size,
	.write_event = anthropic_write_event,
	.writer_free = anthropic_writer_free,
	.write_path = write_path,
	.write_request = anthropic_write_request,
	.read_answer = anthropic_read_answer,
	.reader_size = &anthropic_reader_size,
	.read_event = anthropic_read_event,
};

const struct dialect anthropic_messages_dialect = {
	.name = "anthropic",
	.done = { NULL, 0 },
	.write_error = write_error,
	.write_error_event = write_error_event,
	.read_event = read_event,
	.read_usage = read_usage,
	.read_error = read_error,
	.measure = openai_measure,
	.chat = &chat,
};
