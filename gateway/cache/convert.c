/*
 * convert.c: a kept stream as a plain answer, a plain answer as a stream, by the dialect's own reader and writer.
 *
 * Whatever of the answer these have no noun for would be lost: then nothing is converted, and the question is asked anew.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cache/cached.h"
#include "core/call.h"
#include "core/chat_format.h"
#include "core/dialect.h"
#include "core/endpoint.h"
#include "wire/json_cursor.h"
#include "wire/sse.h"

enum { ANSWER_MOST = 4 << 20 };

/* --- is anything said that would be lost? --- */

static bool is_blank(struct str value)
{
	enum json_type type = json_type(value);
	return type == JSON_NONE || type == JSON_NULL || type == JSON_FALSE || ((type == JSON_ARRAY || type == JSON_OBJECT) && !json_first(value)) ||
	       (type == JSON_STRING && value.n == 2);
}

/* Has it members beside these, or none at all? */
static bool has_only(struct str object, const char *names)
{
	struct json_cursor c;
	if (json_type(object) != JSON_OBJECT || !json_cursor_open(&c, object))
		return is_blank(object);
	while (json_cursor_next(&c))
		if (!str_among(c.key, names) && !is_blank(c.value))
			return false;
	return true;
}

/* Is each of the list's elements carried? */
static bool each(struct str list, bool (*carried)(struct str element))
{
	struct json_cursor c;
	if (json_type(list) != JSON_ARRAY || !json_cursor_open(&c, list))
		return is_blank(list);
	while (json_cursor_next(&c))
		if (!carried(c.value))
			return false;
	return true;
}

static struct str type_of(struct str object)
{
	return json_raw(json_get(object, STR("type")));
}

static bool tool_call(struct str call)
{
	return has_only(call, "index id type function extra_content") && (str_empty(type_of(call)) || str_eq(type_of(call), STR("function")));
}

static bool said(struct str message)
{
	return has_only(message, "role content refusal tool_calls reasoning reasoning_content reasoning_details annotations obfuscation") &&
	       json_type(json_get(message, STR("content"))) != JSON_ARRAY && each(json_get(message, STR("tool_calls")), tool_call);
}

static bool choice(struct str c)
{
	return has_only(c, "index message delta finish_reason logprobs native_finish_reason stop_reason") && said(json_get(c, STR("message"))) &&
	       said(json_get(c, STR("delta")));
}

static bool chat_carried(struct str root)
{
	return has_only(root, "id object created model choices usage system_fingerprint service_tier provider x_groq obfuscation") &&
	       each(json_get(root, STR("choices")), choice);
}

static bool block(struct str b)
{
	return is_blank(b) || (str_among(type_of(b), "text thinking redacted_thinking tool_use") &&
			       has_only(b, "type text thinking signature data id name input"));
}

static bool message(struct str m)
{
	return has_only(m, "id type role model content stop_reason stop_sequence usage") && each(json_get(m, STR("content")), block);
}

static bool messages_carried(struct str root)
{
	struct str delta = json_get(root, STR("delta"));
	if (str_eq(type_of(root), STR("message")))
		return message(root);
	return message(json_get(root, STR("message"))) && block(json_get(root, STR("content_block"))) && !str_eq(type_of(delta), STR("citations_delta"));
}

static bool google_part(struct str p)
{
	return has_only(p, "text thought thoughtSignature functionCall");
}

static bool candidate(struct str c)
{
	return has_only(c, "content finishReason index") && has_only(json_get(c, STR("content")), "parts role") &&
	       each(json_get(json_get(c, STR("content")), STR("parts")), google_part);
}

static bool google_carried(struct str root)
{
	return has_only(root, "candidates usageMetadata modelVersion responseId createTime") && each(json_get(root, STR("candidates")), candidate);
}

static bool content_part(struct str p)
{
	return str_among(type_of(p), "output_text refusal summary_text reasoning_text");
}

static bool item(struct str i)
{
	return str_among(type_of(i), "message reasoning function_call") && each(json_get(i, STR("content")), content_part);
}

static bool responses_carried(struct str root)
{
	return each(json_get(root, STR("output")), item);
}

static bool (*carried_by(const struct endpoint *e))(struct str root)
{
	static const struct { const char *endpoint; bool (*carried)(struct str root); } all[] = {
		{ "chat", chat_carried }, { "messages", messages_carried }, { "generate_content", google_carried }, { "responses", responses_carried },
	};
	for (size_t i = 0; i < array_len(all); i++)
		if (str_eq(str_c(e->name), str_c(all[i].endpoint)))
			return all[i].carried;
	return NULL;
}

bool cache_has_both_forms(const struct txn *t)
{
	const struct chat_format *f = t->endpoint->dialect ? t->endpoint->dialect->chat : NULL;
	return f && f->read_answer && f->write_answer && carried_by(t->endpoint);
}

/* --- reading --- */

struct conversion {
	const struct chat_format *format;
	bool (*carried)(struct str root);
	struct chat_reader *reader;
	struct str whole;		/* the whole answer, where the stream's last event repeats it */
};

static bool read_event(struct conversion *x, const struct sse_event *e)
{
	struct str root = json_value(e->data);
	if (json_type(root) == JSON_OBJECT && !x->carried(root))
		return false;
	x->format->read_event(x->reader, e->name, e->data);
	return true;
}

/* Of Responses the last event has it all. */
static struct str whole_answer(struct str in)
{
	struct sse sse;
	struct sse_event e;
	struct str whole = STR_NONE;
	sse_init(&sse);
	while (sse_feed(&sse, &in, &e) == SSE_EVENT)
		if (str_eq(type_of(e.data), STR("response.completed")))
			whole = json_get(e.data, STR("response"));
	sse_free(&sse);
	return whole;
}

static bool read_stream(struct conversion *x, struct str in, struct chat_out *out)
{
	struct chat_event end = { .kind = CHAT_END, .call = -1 };
	struct sse sse;
	struct sse_event e;
	bool good = true;
	x->reader = mem_alloc(*x->format->reader_size);
	x->reader->out = out;
	sse_init(&sse);
	while (good && (sse_feed(&sse, &in, &e) == SSE_EVENT || sse_end(&sse, &e) == SSE_EVENT))
		good = read_event(x, &e);
	sse_free(&sse);
	if (x->format->reader_free)
		x->format->reader_free(x->reader);
	free(x->reader);
	chat_give(out, &end);
	return good;
}

static bool read_plain(struct conversion *x, struct str body, struct chat_out *out)
{
	struct chat_reader r = { .out = out };
	return x->carried(json_value(body)) && x->format->read_answer(body, &r);
}

/* --- writing --- */

static void write_stream(const struct chat_format *f, const struct chat_answer *a, const struct chat_frame *frame, struct buf *out)
{
	struct chat_writer *w = mem_alloc(*f->writer_size);
	w->in.take = f->write_event;
	w->out = out;
	w->frame = *frame;
	chat_say(a, &w->in);
	if (f->writer_free)
		f->writer_free(w);
	free(w);
}

/* The caller's form of `e`, by way of the neutral nouns. */
static bool say_anew(struct conversion *x, const struct txn *t, const struct entry *e, const struct chat_frame *frame, struct buf *out)
{
	struct arena a = ARENA_INIT;
	struct chat_gather g;
	chat_gather_init(&g, &a, ANSWER_MOST);
	bool good = e->stream ? read_stream(x, e->body, &g.in) : read_plain(x, e->body, &g.in);
	const struct chat_answer *answer = good ? chat_gather_end(&g) : NULL;
	if (answer && e->usage.known)
		g.answer.usage = e->usage;	/* a stream tells it only where it was asked for */
	if (answer && t->stream)
		write_stream(x->format, answer, frame, out);
	else if (answer)
		x->format->write_answer(answer, frame, out);
	arena_clear(&a);
	return answer && !out->failed && out->n;
}

/* What ids are made from where a writer makes its own: of a response its own id, which is then given again. */
static struct str seed(const struct txn *t, const struct entry *e)
{
	struct str id = e->stream ? STR_NONE : json_raw(json_get(json_value(e->body), STR("id"))), mark = STR("resp_");
	return str_starts(id, mark) ? str_skip(id, mark.n) : str_c(t->id);
}

bool cache_convert(const struct cached *c, struct entry *e, struct buf *out)
{
	const struct txn *t = c->t;
	if (e->stream == t->stream && (!t->stream || e->usage_told == c->usage_told))
		return true;
	struct conversion x = { .format = t->endpoint->dialect->chat, .carried = carried_by(t->endpoint) };
	const struct chat_frame frame = { .request_id = seed(t, e), .model = t->call->model, .usage = c->usage_told,
					  .created_s = e->stored_us / SECOND_US };
	if (!x.carried)
		return false;
	struct str whole = e->stream && !t->stream ? whole_answer(e->body) : STR_NONE;
	if (whole.n ? !buf_add(out, whole) : !say_anew(&x, t, e, &frame, out))
		return false;
	e->body = buf_str(out);
	e->type = t->stream ? STR("text/event-stream; charset=utf-8") : STR("application/json");
	e->stream = t->stream;
	e->usage_told = c->usage_told;
	return true;
}
