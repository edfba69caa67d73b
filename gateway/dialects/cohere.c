/*
 * cohere.c: Cohere's v2 API, as providers speak it (API reference and cohere-python, read 2026-08).
 *
 * Nobody calls weir in this format, so its errors are those of a caller that does not exist.
 */
#include "core/dialect.h"

#include "dialects/cohere_parts.h"
#include "dialects/openai_errors.h"
#include "dialects/openai_measure.h"
#include "dialects/vector_parts.h"
#include "wire/json_cursor.h"

extern const struct dialect cohere_dialect;

static const int64_t TOKENS_MAX = INT64_C(1) << 40;

/* --- usage --- */

static int64_t count(struct str object, const char *key, bool *nonsense)
{
	struct str v = json_get(object, str_c(key));
	int64_t n = 0;
	bool good = json_int(v, &n) && n >= 0 && n <= TOKENS_MAX;
	*nonsense |= v.p && !good && json_type(v) != JSON_NULL;
	return good ? n : 0;
}

/* What was read and written is under `tokens`; what is billed leaves some of it out. Embeddings tell only that. */
bool cohere_usage(struct str usage, struct str billed, struct usage *out)
{
	struct usage u = { 0 };
	struct str tokens = json_get(usage, STR("tokens"));
	if (!tokens.p)
		tokens = billed.p ? billed : json_get(usage, STR("billed_units"));
	u.input = count(tokens, "input_tokens", &u.doubtful);
	u.output = count(tokens, "output_tokens", &u.doubtful);
	u.image_input = count(tokens, "image_tokens", &u.doubtful);
	u.input += u.image_input;
	u.reasoning = count(tokens, "reasoning_tokens", &u.doubtful);
	u.cached = count(usage, "cached_tokens", &u.doubtful);
	u.total = u.input + u.output;
	u.known = u.total > 0;
	u.doubtful |= u.cached > u.input;
	if (u.known)
		*out = u;
	return u.known;
}

static bool read_usage(struct str body, unsigned quirks, struct usage *out)
{
	struct str root = json_value(body);
	(void)quirks;
	return cohere_usage(json_get(root, STR("usage")), json_get(json_get(root, STR("meta")), STR("billed_units")), out);
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
