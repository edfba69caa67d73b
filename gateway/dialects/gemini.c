/*
 * gemini.c: Google's generateContent, of AI Studio and of Vertex (python-genai's types, read 2026-08).
 *
 * A stream's events have no names and there is no last one: a finish reason, and the end of the body. Every event
 * repeats the usage so far; what the candidates took leaves thoughts out, what the prompt took holds what was cached.
 */
#include "core/dialect.h"

#include "dialects/gemini_parts.h"
#include "dialects/openai_errors.h"
#include "dialects/openai_measure.h"
#include "dialects/openai_usage.h"
#include "dialects/vector_parts.h"
#include "wire/json_cursor.h"

extern const struct dialect gemini_dialect;

/* --- usage --- */

static int64_t of_modality(struct str details, const char *modality)
{
	struct json_cursor c;
	int64_t sum = 0;
	if (json_cursor_open(&c, details))
		while (json_cursor_next(&c))
			if (json_is(json_get(c.value, STR("modality")), str_c(modality)))
				sum += json_count(c.value, STR("tokenCount"));
	return sum < USAGE_TOKENS_MAX ? sum : 0;
}

bool gemini_usage(struct str object, struct usage *out)
{
	struct usage u = { 0 };
	struct json_fields f;
	if (json_type(object) != JSON_OBJECT)
		return false;
	json_fields_open(&f, object);
	u.reasoning = usage_count(&f, "thoughtsTokenCount", &u.doubtful);
	u.cached = usage_count(&f, "cachedContentTokenCount", &u.doubtful);
	u.input = usage_count(&f, "promptTokenCount", &u.doubtful) + usage_count(&f, "toolUsePromptTokenCount", &u.doubtful);
	u.output = usage_count(&f, "candidatesTokenCount", &u.doubtful) + u.reasoning;
	u.total = usage_count(&f, "totalTokenCount", &u.doubtful);
	u.audio_input = of_modality(json_field(&f, STR("promptTokensDetails")), "AUDIO");
	u.image_input = of_modality(json_field(&f, STR("promptTokensDetails")), "IMAGE");
	u.audio_output = of_modality(json_field(&f, STR("candidatesTokensDetails")), "AUDIO");
	if (!u.total)
		u.total = u.input + u.output;
	u.known = u.input || u.output;
	u.doubtful |= u.cached > u.input;
	if (u.known)
		*out = u;
	return u.known;
}

/* A stream without `alt=sse`, and its errors, come in an array. */
static struct str root_of(struct str body)
{
	struct str root = json_whole(body);
	struct json_cursor c;
	if (json_type(root) == JSON_ARRAY && json_cursor_open(&c, root) && json_cursor_next(&c))
		return c.value;
	return root;
}

/* Vertex counts each text of an embedding by itself. */
static bool predicted_usage(struct str predictions, struct usage *out)
{
	struct json_cursor c;
	struct usage u = { 0 };
	if (!json_cursor_open(&c, predictions))
		return false;
	while (json_cursor_next(&c)) {
		struct json_fields statistics;
		json_fields_open(&statistics, json_get(json_get(c.value, STR("embeddings")), STR("statistics")));
		u.input += usage_count(&statistics, "token_count", &u.doubtful);
	}
	u.total = u.input;
	u.known = u.input > 0 && u.input <= USAGE_TOKENS_MAX;
	if (u.known)
		*out = u;
	return u.known;
}

static bool read_usage(struct str body, unsigned quirks, struct usage *out)
{
	struct json_fields root;
	(void)quirks;
	json_fields_open(&root, root_of(body));
	struct str predictions = json_field(&root, STR("predictions"));
	if (predictions.p)
		return predicted_usage(predictions, out);
	return gemini_usage(json_field(&root, STR("usageMetadata")), out);
}

/* --- events --- */

static bool has_parts(struct str content)
{
	struct json_cursor c;
	if (!json_cursor_open(&c, json_get(content, STR("parts"))))
		return false;
	while (json_cursor_next(&c)) {
		struct str text = json_get(c.value, STR("text"));
		if (!text.p || json_raw(text).n)
			return true;
	}
	return false;
}

static void read_event(struct str name, struct str data, unsigned quirks, struct event_view *out)
{
	struct json_fields f, candidate, *root = &f;
	struct json_cursor c;
	bool any = false;
	(void)name, (void)quirks;
	json_fields_open(root, root_of(data));
	if (json_field(root, STR("error")).p) {
		out->error = true;
		return;
	}
	out->has_usage = gemini_usage(json_field(root, STR("usageMetadata")), &out->usage);
	if (json_cursor_open(&c, json_field(root, STR("candidates"))))
		for (; json_cursor_next(&c); any = true) {
			json_fields_open(&candidate, c.value);
			out->content |= has_parts(json_field(&candidate, STR("content")));
			out->finish |= json_raw(json_field(&candidate, STR("finishReason"))).n > 0;
		}
	/* A prompt that was blocked is answered by that word alone. */
	if (!any && json_raw(json_get(json_field(root, STR("promptFeedback")), STR("blockReason"))).n)
		out->content = out->finish = true;
}

/* --- errors --- */

static const char *status_word(int status)
{
	switch (status) {
	case 400: return "INVALID_ARGUMENT";
	case 401: return "UNAUTHENTICATED";
	case 403: return "PERMISSION_DENIED";
	case 404: return "NOT_FOUND";
	case 429: return "RESOURCE_EXHAUSTED";
	case 499: return "CANCELLED";
	case 503: return "UNAVAILABLE";
	case 504: return "DEADLINE_EXCEEDED";
	default:  return status < 500 ? "INVALID_ARGUMENT" : "INTERNAL";
	}
}

static void write_error(struct buf *out, const struct error *e, struct str request_id)
{
	(void)request_id;
	buf_addf(out, "{\"error\":{\"code\":%d,\"message\":", error_status(e));
	buf_add_json(out, e->message);
	buf_addf(out, ",\"status\":\"%s\"}}", status_word(error_status(e)));
}

static void write_error_event(struct buf *out, const struct error *e, struct str request_id)
{
	buf_add(out, STR("data: "));
	write_error(out, e, request_id);
	buf_add(out, STR("\n\n"));
}

/* RetryInfo: {"retryDelay": "34.07s"}; at most a day. */
static int64_t retry_delay(struct str error)
{
	struct json_cursor c;
	uint64_t seconds = 0;
	if (!json_cursor_open(&c, json_get(error, STR("details"))))
		return 0;
	while (json_cursor_next(&c)) {
		struct str delay = json_raw(json_get(c.value, STR("retryDelay"))), whole = delay;
		if (!str_ends(delay, STR("s")))
			continue;
		ptrdiff_t dot = str_chr(delay, '.');
		whole.n = dot >= 0 ? (size_t)dot : delay.n - 1;
		if (str_u64(whole, &seconds) && seconds <= 86400)
			return (int64_t)seconds * 1000000 + (dot >= 0 ? 1000000 : 0);
	}
	return 0;
}

static void read_error(int status, struct str body, struct provider_error *out)
{
	struct str root = root_of(body), error = json_get(root, STR("error"));
	openai_read_error(status, root, out);
	out->native = json_get(error, STR("status")).p && out->message.n;
	out->retry_after_us = retry_delay(error);
	struct str word = json_get(error, STR("status"));
	if (str_has(body, STR("API_KEY_INVALID")) || json_is(word, STR("UNAUTHENTICATED")))
		out->kind = ERR_UPSTREAM_AUTH;
	else if (str_ihas(out->message, STR("input token count")))
		out->kind = ERR_CONTEXT_LENGTH;
	else if (json_is(word, STR("RESOURCE_EXHAUSTED")))
		out->kind = ERR_UPSTREAM_RATE_LIMIT;
	else if (json_is(word, STR("UNAVAILABLE")))
		out->kind = ERR_UPSTREAM_OVERLOADED;
	else if (json_is(word, STR("NOT_FOUND")) && str_has(out->message, STR("models/")))
		out->kind = ERR_UPSTREAM_MODEL_GONE;
}

static bool is_chat(struct str path)
{
	return str_ends(path, STR(":generateContent")) || str_ends(path, STR(":streamGenerateContent"));
}

/* `path` with the target's model in it; a stream is always asked for as events. */
static void relay_path(struct str path, struct str model, struct buf *out)
{
	struct chat_target t = { .model = model };
	bool stream = str_ends(path, STR(":streamGenerateContent"));
	gemini_write_path(&t, stream, out);
	if (stream || is_chat(path))
		return;
	out->n -= sizeof(":generateContent") - 1;
	buf_add(out, str_skip(path, (size_t)str_rchr(path, ':')));
}

static const struct chat_format chat = {
	.is_chat = is_chat,
	.read_request = gemini_read_request,
	.write_answer = gemini_write_answer,
	.writer_size = &gemini_writer_size,
	.write_event = gemini_write_event,
	.writer_free = gemini_writer_free,
	.write_path = gemini_write_path,
	.reads_address = gemini_reads_address,
	.write_request = gemini_write_request,
	.read_answer = gemini_read_answer,
	.reader_size = &gemini_reader_size,
	.read_event = gemini_read_event,
};

const struct dialect gemini_dialect = {
	.name = "gemini",
	.done = { NULL, 0 },
	.key_header = "x-goog-api-key",
	.write_error = write_error,
	.write_error_event = write_error_event,
	.read_event = read_event,
	.read_usage = read_usage,
	.read_error = read_error,
	.relay_path = relay_path,
	.key_query = "key",
	.measure = openai_measure,
	.chat = &chat,
	.vectors = &gemini_vectors,
};
