/*
 * openai_chat.c: OpenAI's chat completions, and the other endpoints of its classic kind:
 * completions, embeddings, moderations, images, audio (openai-openapi 2.3.0, read 2026-08).
 *
 * The same dialect stands on both sides, so nothing is rebuilt here: events and answers are
 * looked at for what weir must know. The look is cheap on purpose: most chunks of a stream
 * hold none of the few words that matter, and are not parsed at all.
 */
#include "core/dialect.h"

#include "dialects/openai_chat_parts.h"
#include "dialects/openai_embeddings.h"
#include "dialects/openai_errors.h"
#include "dialects/openai_measure.h"
#include "dialects/openai_usage.h"
#include "dialects/vector_parts.h"
#include "wire/json_cursor.h"

extern const struct dialect openai_chat_dialect;

/* --- what a delta carries --- */

static bool is_something(struct str value)
{
	switch (json_type(value)) {
	case JSON_STRING: return value.n > 2;
	case JSON_ARRAY:
	case JSON_OBJECT: return json_value(str_skip(value, 1)).p != NULL;
	default: return false;
	}
}

/* Everything but role and the empty strings around it is content: a newer field counts, too. */
static bool delta_content(struct str delta, struct str *text)
{
	struct json_cursor c;
	bool content = false, other = false;
	if (!json_cursor_open(&c, delta))
		return false;
	while (json_cursor_next(&c)) {
		if (str_eq(c.key, STR("role")) || !is_something(c.value))
			continue;
		content = true;
		if (str_eq(c.key, STR("content")) && json_type(c.value) == JSON_STRING)
			*text = json_raw(c.value);
		else
			other = true;
	}
	if (other)
		*text = STR_NONE;
	return content;
}

static void read_choice(struct str choice, struct event_view *out)
{
	struct str text = STR_NONE, delta = json_get(choice, STR("delta"));
	struct str plain = json_get(choice, STR("text"));	/* completions */
	bool content = delta.p ? delta_content(delta, &text) : is_something(plain);
	if (json_raw(json_get(choice, STR("finish_reason"))).n)
		out->finish = true;
	if (!content)
		return;
	int64_t index;
	bool first = !json_int(json_get(choice, STR("index")), &index) || index == 0;
	out->text_only = !out->content && text.p && first;
	out->text = text;
	out->content = true;
}

static void read_choices(struct str choices, struct event_view *out)
{
	struct json_cursor c;
	if (!json_cursor_open(&c, choices))
		return;
	while (json_cursor_next(&c))
		read_choice(c.value, out);
}

/* --- events --- */

static bool has_key(struct str data, struct str quoted)
{
	return str_has(data, quoted);
}

static void read_usage_of_event(struct str data, struct str choices, unsigned quirks, struct event_view *out)
{
	struct str usage = json_get(data, STR("usage"));
	out->has_usage = openai_usage(usage, quirks, &out->usage);
	if (!out->has_usage && has_key(data, STR("\"x_groq\"")))
		out->has_usage = openai_usage(json_get(json_get(data, STR("x_groq")), STR("usage")), quirks, &out->usage);
	if (out->has_usage)
		openai_service(data, &out->usage);
	bool no_choices = json_type(choices) == JSON_ARRAY && !json_value(str_skip(choices, 1)).p;
	out->usage_only = out->has_usage && no_choices && json_type(usage) == JSON_OBJECT;
}

/* Speech and transcription streams name their events by `type`. */
static void read_typed(struct str data, struct event_view *out)
{
	struct str type = json_raw(json_get(data, STR("type")));
	out->content = true;
	out->finish = str_ends(type, STR(".done")) || str_ends(type, STR(".completed"));
}

static void read_whole(struct str data, unsigned quirks, struct event_view *out)
{
	struct str choices = json_get(data, STR("choices"));
	if (json_type(json_get(data, STR("error"))) != JSON_NONE && json_type(json_get(data, STR("error"))) != JSON_NULL) {
		out->error = true;
		return;
	}
	read_usage_of_event(data, choices, quirks, out);
	if (choices.p)
		read_choices(choices, out);
	else
		read_typed(data, out);
}

static void read_event(struct str name, struct str data, unsigned quirks, struct event_view *out)
{
	if (str_eq(data, STR("[DONE]"))) {
		out->done = true;
		return;
	}
	bool plain = !out->want_content && str_empty(name) && has_key(data, STR("\"choices\"")) &&
		     !has_key(data, STR("\"error\"")) &&
		     (!has_key(data, STR("\"usage\"")) || has_key(data, STR("\"usage\":null"))) &&
		     !has_key(data, STR("\"finish_reason\":\"")) && !has_key(data, STR("\"finish_reason\": \"")) &&
		     !has_key(data, STR("\"x_groq\""));
	if (!plain)
		read_whole(data, quirks, out);
	else
		out->content = true;
}

static bool is_chat(struct str path)
{
	return str_eq(path, STR("/chat/completions"));
}

static void write_path(const struct chat_target *t, bool stream, struct buf *out)
{
	(void)t, (void)stream;
	buf_add(out, STR("/chat/completions"));
}

static const struct chat_format chat = {
	.is_chat = is_chat,
	.read_request = openai_chat_read_request,
	.write_answer = openai_chat_write_answer,
	.writer_size = &openai_chat_writer_size,
	.write_event = openai_chat_write_event,
	.writer_free = openai_chat_writer_free,
	.write_path = write_path,
	.reads_address = openai_chat_reads_address,
	.write_request = openai_chat_write_request,
	.read_answer = openai_chat_read_answer,
	.reader_size = &openai_chat_reader_size,
	.read_event = openai_chat_read_event,
	.reader_free = openai_chat_reader_free,
};

const struct dialect openai_chat_dialect = {
	.name = "openai",
	.done = STR_INIT("data: [DONE]\n\n"),
	.write_error = openai_write_error,
	.write_error_event = openai_write_error_event,
	.read_event = read_event,
	.read_usage = openai_find_usage,
	.read_error = openai_read_error,
	.measure = openai_measure,
	.chat = &chat, .completions = &openai_completions,
	.vectors = &openai_vectors,
	.convert_answer = openai_embeddings_to_base64,
};
