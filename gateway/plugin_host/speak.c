/*
 * speak.c: a text of our own as an answer in the caller's format, plain or as a stream: by the dialects' own writers. No
 * tokens were used, and the usage says so.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/call.h"
#include "core/chat_format.h"
#include "core/dialect.h"
#include "core/endpoint.h"
#include "plugin_host/run.h"

/* How ids begin there; none: it is the request's. */
static struct str id_of(const struct txn *t, struct arena *a)
{
	static const struct { const char *endpoint, *prefix; } ids[] = {
		{ "chat", "chatcmpl-" }, { "completions", "cmpl-" }, { "messages", "msg_" }, { "responses", "resp_" },
	};
	for (size_t i = 0; i < array_len(ids); i++)
		if (str_eq(str_c(t->endpoint->name), str_c(ids[i].endpoint)))
			return arena_printf(a, "%s%s", ids[i].prefix, t->id + sizeof("req_") - 1);
	return str_c(t->id);
}

/* As between the quotes of a JSON string. */
static struct str spelled(struct arena *a, struct str text)
{
	struct buf b = BUF_INIT(6 * text.n + 2);
	buf_add_json(&b, text);
	struct str all = arena_copy(a, buf_str(&b));
	buf_free(&b);
	return all.n > 2 ? str_of(all.p + 1, all.n - 2) : STR("");
}

/* --- chat, in whichever words --- */

static void write_stream(const struct txn *t, const struct chat_answer *a, const struct chat_frame *f, struct buf *out)
{
	const struct chat_format *format = t->dialect->chat;
	struct chat_writer *w = mem_alloc(*format->writer_size);
	w->in.take = format->write_event;
	w->out = out;
	w->frame = *f;
	chat_say(a, &w->in);
	buf_add(out, t->dialect->done);
	if (format->writer_free)
		format->writer_free(w);
	free(w);
}

static void write_chat(const struct txn *t, struct str text, struct arena *a, struct buf *out)
{
	struct chat_piece piece = { .kind = PIECE_TEXT, .text = spelled(a, text) };
	struct chat_choice choice = { .pieces = &piece, .finish = FINISH_STOP, .finished = true };
	struct chat_answer answer = { .id = id_of(t, a), .model = spelled(a, t->call->model), .choices = &choice, .usage = { .known = true } };
	struct chat_frame frame = { .request_id = str_c(t->id), .model = t->call->model, .created_s = clock_wall_us() / SECOND_US,
				    .usage = t->call->usage_asked };
	if (t->stream)
		write_stream(t, &answer, &frame, out);
	else
		t->dialect->chat->write_answer(&answer, &frame, out);
}

/* --- completions (API reference of 2025-10), which no target is asked for in other words --- */

#define NO_USAGE "\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":0,\"total_tokens\":0}"

static void add_head(const struct txn *t, struct arena *a, struct buf *out)
{
	buf_addf(out, "{\"id\":\"%.*s\",\"object\":\"text_completion\",\"created\":%lld,\"model\":", STR_FMT(id_of(t, a)),
		 (long long)(clock_wall_us() / SECOND_US));
	buf_add_json(out, t->call->model);
	buf_add(out, STR(",\"choices\":["));
}

static void add_choice(struct buf *out, struct str text, const char *finish)
{
	buf_add(out, STR("{\"index\":0,\"text\":"));
	buf_add_json(out, text);
	buf_addf(out, ",\"logprobs\":null,\"finish_reason\":%s}", finish);
}

static void add_chunk(const struct txn *t, struct str text, const char *finish, struct arena *a, struct buf *out)
{
	buf_add(out, STR("data: "));
	add_head(t, a, out);
	if (text.p)
		add_choice(out, text, finish);
	buf_add(out, text.p ? STR("]}\n\n") : STR("]," NO_USAGE "}\n\n"));
}

static void write_completion(const struct txn *t, struct str text, struct arena *a, struct buf *out)
{
	if (!t->stream) {
		add_head(t, a, out);
		add_choice(out, text, "\"stop\"");
		buf_add(out, STR("]," NO_USAGE "}"));
		return;
	}
	add_chunk(t, text.p ? text : STR(""), "null", a, out);
	add_chunk(t, STR(""), "\"stop\"", a, out);
	if (t->call->usage_asked)
		add_chunk(t, STR_NONE, "", a, out);
	buf_add(out, STR("data: [DONE]\n\n"));
}

/* --- which --- */

static bool is_chat(const struct txn *t)
{
	const struct chat_format *f = t->dialect ? t->dialect->chat : NULL;
	return f && f->is_chat && f->write_answer && f->write_event && f->is_chat(t->call->path);
}

static bool is_completion(const struct txn *t)
{
	return str_eq(str_c(t->endpoint->name), STR("completions"));
}

bool can_speak(const struct txn *t)
{
	return t->endpoint && t->method == HTTP_POST && (is_chat(t) || is_completion(t));
}

bool speak(struct txn *t, struct str text, struct buf *out)
{
	if (!can_speak(t))
		return false;
	(is_chat(t) ? write_chat : write_completion)(t, text, &t->arena, out);
	return !out->failed;
}
