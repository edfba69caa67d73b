/*
 * openai_responses.c: OpenAI's Responses, relayed, translated for targets without them, or for callers of others (openai-openapi 2.3.0, read 2026-08).
 *
 * Events are named and typed; there is no [DONE]: response.completed, .incomplete or
 * .failed ends a stream, and a break must be told by response.failed or error, or clients
 * reconnect.
 */
#include "core/dialect.h"

#include "dialects/openai_errors.h"
#include "dialects/openai_measure.h"
#include "dialects/openai_usage.h"
#include "dialects/responses_parts.h"
#include "wire/json_cursor.h"

extern const struct dialect openai_responses_dialect;

/* The event's type without a look at the rest: by name, or as the first member. */
static struct str type_of(struct str name, struct str data)
{
	return str_empty(name) ? json_raw(json_get(data, STR("type"))) : name;
}

/* Created, queued, in progress and added are announcements; what follows is content. */
static bool announces(struct str type)
{
	static const struct str words[] = {
		STR_INIT("response.created"), STR_INIT("response.queued"), STR_INIT("response.in_progress"),
		STR_INIT("response.output_item.added"), STR_INIT("response.content_part.added"), STR_INIT("keepalive"),
	};
	for (size_t i = 0; i < array_len(words); i++)
		if (str_eq(type, words[i]))
			return true;
	return false;
}

static bool is_last(struct str type)
{
	return str_eq(type, STR("response.completed")) || str_eq(type, STR("response.incomplete")) ||
	       str_eq(type, STR("response.failed"));
}

static void read_event(struct str name, struct str data, unsigned quirks, struct event_view *out)
{
	struct str type = type_of(name, data);
	if (str_eq(data, STR("[DONE]"))) {
		out->done = true;
		return;
	}
	out->finish = is_last(type);
	out->error = str_eq(type, STR("error")) || str_eq(type, STR("response.failed"));
	out->content = !announces(type) && !out->error;
	if (!out->finish)
		return;
	out->has_usage = openai_usage(json_get(json_get(data, STR("response")), STR("usage")), quirks, &out->usage);
	if (out->has_usage)
		openai_service(data, &out->usage);
}

/* response.failed wraps what an error's body has at its top. */
static void read_error(int status, struct str body, struct provider_error *out)
{
	struct str response = json_get(json_value(body), STR("response"));
	openai_read_error(status, json_type(response) == JSON_OBJECT ? response : body, out);
}

/* A stream that breaks: response.failed, which is what clients wait for. */
static void write_error_event(struct buf *out, const struct error *e, struct str request_id)
{
	const struct error_row *row = error_row(e->kind);
	buf_add(out, STR("event: response.failed\ndata: {\"type\":\"response.failed\",\"sequence_number\":2147483647,"
			 "\"response\":{\"id\":"));
	buf_add_json(out, request_id);
	buf_add(out, STR(",\"object\":\"response\",\"created_at\":0,\"status\":\"failed\",\"error\":{\"code\":"));
	buf_add_json(out, str_c(row->code ? row->code : "server_error"));
	buf_add(out, STR(",\"message\":"));
	buf_add_json(out, e->message);
	buf_add(out, STR("},\"incomplete_details\":null,\"output\":[],\"usage\":null}}\n\n"));
}

static bool is_chat(struct str path)
{
	return str_eq(path, STR("/responses"));
}

static const struct chat_format chat = {
	.is_chat = is_chat,
	.read_request = responses_read_request,
	.write_answer = responses_write_answer,
	.writer_size = &responses_writer_size,
	.write_event = responses_write_event,
	.writer_free = responses_writer_free,
	.write_path = responses_write_path,
	.write_request = responses_write_request,
	.read_answer = responses_read_answer,
	.reader_size = &responses_reader_size,
	.read_event = responses_read_event,
};

const struct dialect openai_responses_dialect = {
	.chat = &chat,
	.name = "openai-responses",
	.done = { NULL, 0 },
	.failure_ends = true,
	.write_error = openai_write_error,
	.write_error_event = write_error_event,
	.read_event = read_event,
	.read_usage = openai_find_usage,
	.read_error = read_error,
	.measure = openai_measure,
};
