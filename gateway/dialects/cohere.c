/*
 * cohere.c: Cohere's v2 API, as providers speak it (API reference and cohere-python, read 2026-08).
 *
 * Nobody calls weir in this format, so its errors are those of a caller that does not exist.
 */
#include "core/dialect.h"

#include "dialects/cohere_parts.h"
#include "dialects/openai_errors.h"
#include "dialects/openai_measure.h"
#include "dialects/openai_usage.h"
#include "dialects/vector_parts.h"
#include "wire/json_cursor.h"

extern const struct dialect cohere_dialect;

/* --- usage --- */

/* What was read and written is under `tokens`; what is billed leaves some of it out. Embeddings tell only that. */
bool cohere_usage(struct str usage, struct str billed, struct usage *out)
{
	struct usage u = { 0 };
	struct json_fields whole, tokens;
	json_fields_open(&whole, usage);
	struct str counted = json_field(&whole, STR("tokens"));
	json_fields_open(&tokens, counted.p ? counted : billed.p ? billed : json_field(&whole, STR("billed_units")));
	u.input = usage_count(&tokens, "input_tokens", &u.doubtful);
	u.output = usage_count(&tokens, "output_tokens", &u.doubtful);
	u.image_input = usage_count(&tokens, "image_tokens", &u.doubtful);
	u.input += u.image_input;
	u.reasoning = usage_count(&tokens, "reasoning_tokens", &u.doubtful);
	u.cached = usage_count(&whole, "cached_tokens", &u.doubtful);
	u.total = u.input + u.output;
	u.known = u.total > 0;
	u.doubtful |= u.cached > u.input;
	if (u.known)
		*out = u;
	return u.known;
}

static bool read_usage(struct str body, unsigned quirks, struct usage *out)
{
	struct json_fields root;
	(void)quirks;
	json_fields_open(&root, json_value(body));
	return cohere_usage(json_field(&root, STR("usage")), json_get(json_field(&root, STR("meta")), STR("billed_units")), out);
}

/* --- events --- */

static void read_event(struct str name, struct str data, unsigned quirks, struct event_view *out)
{
	struct str root = json_value(data), type = json_get(root, STR("type")), delta = json_get(root, STR("delta"));
	(void)name, (void)quirks;
	if (json_is(type, STR("content-delta")) || json_is(type, STR("tool-plan-delta")) || json_is(type, STR("tool-call-start"))) {
		out->content = true;
	} else if (json_is(type, STR("message-end"))) {
		struct str reason = json_get(delta, STR("finish_reason"));
		out->error = json_is(reason, STR("ERROR")) || json_is(reason, STR("TIMEOUT"));
		out->finish = !out->error;
		out->has_usage = cohere_usage(json_get(delta, STR("usage")), STR_NONE, &out->usage);
	}
}

/* --- errors --- */

static void read_error(int status, struct str body, struct provider_error *out)
{
	openai_read_error(status, body, out);
	out->native = false;
	if (json_is(json_get(json_value(body), STR("error_type")), STR("TOO_MANY_TOKENS")) || str_ihas(out->message, STR("too many tokens")))
		out->kind = ERR_CONTEXT_LENGTH;
	else if (status == 498 || status == 401)
		out->kind = ERR_UPSTREAM_AUTH;
	else if (status == 404 || (str_ihas(out->message, STR("model")) && str_ihas(out->message, STR("not found"))))
		out->kind = ERR_UPSTREAM_MODEL_GONE;
}

static const struct chat_format chat = {
	.write_path = cohere_write_path,
	.write_request = cohere_write_request,
	.read_answer = cohere_read_answer,
	.reader_size = &cohere_reader_size,
	.read_event = cohere_read_event,
};

const struct dialect cohere_dialect = {
	.name = "cohere",
	.done = { NULL, 0 },
	.write_error = openai_write_error,
	.write_error_event = openai_write_error_event,
	.read_event = read_event,
	.read_usage = read_usage,
	.read_error = read_error,
	.measure = openai_measure,
	.chat = &chat,
	.vectors = &cohere_vectors,
};
