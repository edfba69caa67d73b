/*
 * bedrock.c: Amazon Bedrock's Converse and ConverseStream (botocore's bedrock-runtime 2023-09-30, read 2026-08).
 *
 * Streams come as binary messages (wire/aws_eventstream.h); the usage follows the stop reason. Nobody calls weir in
 * this format, so its errors are those of a caller that does not exist.
 */
#include "core/dialect.h"

#include "dialects/bedrock_parts.h"
#include "dialects/openai_errors.h"
#include "dialects/openai_measure.h"
#include "dialects/openai_usage.h"
#include "dialects/vector_parts.h"
#include "wire/json_cursor.h"

extern const struct dialect bedrock_dialect;

/* --- usage --- */

bool bedrock_usage(struct str object, struct usage *out)
{
	struct usage u = { 0 };
	struct json_fields f;
	if (json_type(object) != JSON_OBJECT)
		return false;
	json_fields_open(&f, object);
	u.cached = usage_count(&f, "cacheReadInputTokens", &u.doubtful);
	u.cache_write = usage_count(&f, "cacheWriteInputTokens", &u.doubtful);
	u.input = usage_count(&f, "inputTokens", &u.doubtful) + u.cached + u.cache_write;
	u.output = usage_count(&f, "outputTokens", &u.doubtful);
	u.total = u.input + u.output;
	u.known = u.total > 0;
	if (u.known)
		*out = u;
	return u.known;
}

static bool read_usage(struct str body, unsigned quirks, struct usage *out)
{
	struct json_fields root;
	(void)quirks;
	json_fields_open(&root, json_value(body));
	if (!json_field(&root, STR("inputTextTokenCount")).p)
		return bedrock_usage(json_field(&root, STR("usage")), out);
	struct usage u = { 0 };
	u.input = u.total = usage_count(&root, "inputTextTokenCount", &u.doubtful);
	u.known = u.input > 0;
	if (u.known)
		*out = u;
	return u.known;
}

/* --- events --- */

static void read_event(struct str name, struct str data, unsigned quirks, struct event_view *out)
{
	(void)quirks;
	if (str_eq(name, STR("contentBlockDelta")) || str_eq(name, STR("contentBlockStart")))
		out->content = true;
	else if (str_eq(name, STR("messageStop")))
		out->finish = true;
	else if (str_eq(name, STR("metadata")))
		out->has_usage = bedrock_usage(json_get(json_value(data), STR("usage")), &out->usage);
	else if (str_ends(name, STR("Exception")) || str_ends(name, STR("Error")))
		out->error = true;
}

/* --- errors --- */

static void read_error(int status, struct str body, struct provider_error *out)
{
	openai_read_error(status, body, out);
	out->native = false;
	if (str_ihas(out->message, STR("too long")) || str_ihas(out->message, STR("Input Tokens Exceeded")))
		out->kind = ERR_CONTEXT_LENGTH;
	else if (str_ihas(out->message, STR("model identifier is invalid")) || status == 404)
		out->kind = ERR_UPSTREAM_MODEL_GONE;
	else if (status == 403)
		out->kind = ERR_UPSTREAM_AUTH;
	else if (status == 408 || status == 424)
		out->kind = ERR_UPSTREAM_BROKEN;
}

static const struct chat_format chat = {
	.write_path = bedrock_write_path,
	.reads_address = bedrock_reads_address,
	.write_request = bedrock_write_request,
	.read_answer = bedrock_read_answer,
	.reader_size = &bedrock_reader_size,
	.read_event = bedrock_read_event,
};

const struct dialect bedrock_dialect = {
	.name = "bedrock",
	.done = { NULL, 0 },
	.write_error = openai_write_error,
	.write_error_event = openai_write_error_event,
	.read_event = read_event,
	.read_usage = read_usage,
	.read_error = read_error,
	.measure = openai_measure,
	.chat = &chat,
	.vectors = &bedrock_vectors,
};
