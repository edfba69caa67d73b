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

bool cache_has_both_forms(const struct txn *t)
{
	const struct chat_format *f = endpoint_words(t->endpoint);
	return f && f->read_answer && f->write_answer;
}

/* --- reading --- */

struct conversion {
	const struct chat_format *format;
	const struct endpoint *endpoint;
	struct chat_reader *reader;
	struct str whole;		/* the whole answer, where the stream's last event repeats it */
};

static bool read_event(struct conversion *x, const struct sse_event *e)
{
	struct str root = json_value(e->data);
	if (json_type(root) == JSON_OBJECT && !cache_carries(x->endpoint, root))
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
		if (json_is(json_get(e.data, STR("type")), STR("response.completed")))
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
	return cache_carries(x->endpoint, json_value(body)) && x->format->read_answer(body, &r);
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
	struct conversion x = { .format = endpoint_words(t->endpoint), .endpoint = t->endpoint };
	const struct chat_frame frame = { .request_id = seed(t, e), .model = t->call->model, .usage = c->usage_told,
					  .created_s = e->stored_us / SECOND_US };
	if (!cache_has_both_forms(t))
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
