/*
 * speak.c: a text of our own as an answer in the caller's format, plain or as a stream: by the dialects' own writers. No
 * tokens were used, and the usage says so.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/call.h"
#include "core/chat_format.h"
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

static void write_stream(const struct chat_format *format, const struct chat_answer *a, const struct chat_frame *f, struct buf *out)
{
	struct chat_writer *w = mem_alloc(*format->writer_size);
	w->in.take = format->write_event;
	w->out = out;
	w->frame = *f;
	chat_say(a, &w->in);
	if (format->writer_free)
		format->writer_free(w);
	free(w);
}

bool can_speak(const struct txn *t)
{
	const struct chat_format *f = t->endpoint && t->method == HTTP_POST ? endpoint_words(t->endpoint) : NULL;
	return f && f->write_answer && f->write_event;
}

bool speak(struct txn *t, struct str text, struct buf *out)
{
	if (!can_speak(t))
		return false;
	const struct chat_format *format = endpoint_words(t->endpoint);
	struct arena *a = &t->arena;
	struct chat_piece piece = { .kind = PIECE_TEXT, .text = spelled(a, text) };
	struct chat_choice choice = { .pieces = &piece, .finish = FINISH_STOP, .finished = true };
	struct chat_answer answer = { .id = id_of(t, a), .model = spelled(a, t->call->model), .choices = &choice, .usage = { .known = true } };
	struct chat_frame frame = { .request_id = str_c(t->id), .model = t->call->model, .created_s = clock_wall_us() / SECOND_US,
				    .usage = t->call->usage_asked };
	if (t->stream)
		write_stream(format, &answer, &frame, out);
	else
		format->write_answer(&answer, &frame, out);
	return !out->failed;
}
