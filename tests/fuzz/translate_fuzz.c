/*
 * translate_fuzz.c: any JSON as a request, an answer and a stream of each dialect, written in each. What is written is JSON.
 */
#include <stdlib.h>

#include "core/chat_format.h"
#include "core/dialect.h"
#include "tests/fuzz/fuzz.h"
#include "wire/json_scan.h"
#include "wire/sse.h"

enum { OUT_MAX = 4 << 20 };

static const char *const names[] = { "openai", "anthropic", "openai-responses", "gemini", "bedrock", "cohere" };

static const struct chat_format *format(size_t i)
{
	return dialect_find(str_c(names[i]))->chat;
}

static void request(struct str in, const struct chat_format *from, const struct chat_format *to, struct buf *out)
{
	struct arena a = ARENA_INIT;
	struct chat c = { .arena = &a, .parallel = -1, .schema_strict = -1, .stream = in.n & 1 };
	struct chat_fault fault = { .field = STR_NONE };
	struct chat_target target = { .model = STR("m \"x\""), .reasons = in.n & 2, .quirks = in.n & 4 ? UINT32_MAX : 0 };
	struct chat_loss loss = { .policy = (enum on_unsupported)(in.n % 3), .arena = &a };
	buf_clear(out);
	if (!from->read_request(in, &c, &fault))
		must(fault.field.n && fault.message.n);
	else if (to->write_request(&c, &target, out, &loss))
		must(json_scan_is_object(buf_str(out)));
	else
		must(out->failed || out->n > 0);
	arena_clear(&a);
}

static void answer(struct str in, const struct chat_format *from, const struct chat_format *to, struct buf *out)
{
	struct arena a = ARENA_INIT;
	struct chat_gather g;
	const struct chat_frame frame = { .request_id = STR("req-1"), .model = STR("m") };
	chat_gather_init(&g, &a, OUT_MAX);
	const struct chat_reader r = { .out = &g.in, .request_id = STR("req-1") };
	const struct chat_answer *said = from->read_answer(in, &r) ? chat_gather_end(&g) : NULL;
	buf_clear(out);
	if (said)
		to->write_answer(said, &frame, out);
	must(!said || out->failed || json_scan_is_object(buf_str(out)));
	arena_clear(&a);
}

/* Each event is whole, and its data an object. */
static void check_events(struct buf *out)
{
	struct sse sse;
	struct sse_event ev;
	struct str rest = buf_str(out);
	sse_init(&sse);
	while (!out->failed && sse_feed(&sse, &rest, &ev) == SSE_EVENT)
		must(str_eq(ev.data, STR("[DONE]")) || json_scan_is_object(ev.data));
	sse_free(&sse);
}

static void stream(struct str in, const struct chat_format *from, const struct chat_format *to, struct buf *out)
{
	struct chat_reader *r = calloc(1, *from->reader_size);
	struct chat_writer *w = calloc(1, *to->writer_size);
	const struct chat_event end = { .kind = CHAT_END, .call = -1 };
	buf_clear(out);
	w->in.take = to->write_event;
	w->out = out;
	w->frame = (struct chat_frame){ .request_id = STR("req-1"), .model = STR("m"), .usage = true };
	r->out = &w->in;
	r->request_id = w->frame.request_id;
	static const char *const events[] = { "", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata" };
	for (size_t i = 0; i < array_len(events); i++)
		from->read_event(r, str_c(events[i]), in);
	from->read_event(r, STR_NONE, in);
	chat_give(&w->in, &end);
	check_events(out);
	if (from->reader_free)
		from->reader_free(r);
	if (to->writer_free)
		to->writer_free(w);
	free(r);
	free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of((const char *)data, size);
	char *copy = alone(in);
	struct buf out = BUF_INIT(OUT_MAX);
	in.p = copy;
	for (size_t i = 0; i < array_len(names) && json_scan_is_object(in); i++)
		for (size_t j = 0; j < array_len(names); j++) {
			if (format(i)->read_request && format(j)->write_request)
				request(in, format(i), format(j), &out);
			if (!format(i)->read_answer || !format(j)->write_answer)
				continue;
			answer(in, format(i), format(j), &out);
			stream(in, format(i), format(j), &out);
		}
	buf_free(&out);
	free(copy);
	return 0;
}
