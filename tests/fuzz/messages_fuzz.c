/*
 * messages_fuzz.c: any JSON as a request of Messages, as a chat completion and as a chunk of one. What is written is JSON.
 */
#include "core/dialect.h"
#include "dialects/messages_chat.h"
#include "tests/fuzz/fuzz.h"
#include "wire/json_cursor.h"
#include "wire/json_scan.h"
#include "wire/sse.h"

enum { OUT_MAX = 4 << 20 };

static bool is_object(struct str text)
{
	struct arena a = ARENA_INIT;
	struct json_scan scan;
	json_scan_init(&scan, &a);
	bool good = json_scan_feed(&scan, text.p, text.n, true) == JSON_DONE;
	arena_clear(&a);
	return good;
}

static void request(struct str in, struct buf *out)
{
	struct arena a = ARENA_INIT;
	struct translation_loss loss;
	const struct translation_request r = { .model = STR("m \"x\""), .stream = in.n & 1, .stream_usage = in.n & 2 };
	if (messages_to_chat(in, &r, &a, out, &loss))
		must(is_object(buf_str(out)));
	else
		must(loss.refused || out->failed || out->n > 0);
	arena_clear(&a);
}

/* Each event is whole, and its data an object. */
static void stream(struct str in, struct buf *out)
{
	struct translation_stream s = { .begun = false };
	struct sse sse;
	struct sse_event ev;
	chat_to_messages(&s, in, out);
	chat_to_messages(&s, in, out);
	chat_to_messages_end(&s, out);
	size_t n = out->n;
	chat_to_messages_end(&s, out);
	must(out->n == n);
	struct str rest = buf_str(out);
	sse_init(&sse);
	while (!out->failed && sse_feed(&sse, &rest, &ev) == SSE_EVENT)
		must(ev.name.n && is_object(ev.data));
	sse_free(&sse);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of((const char *)data, size);
	char *copy = alone(in);
	struct buf out = BUF_INIT(OUT_MAX);
	struct event_view v = { .want_content = true };
	struct usage u;
	extern const struct dialect anthropic_messages_dialect;
	in.p = copy;
	anthropic_messages_dialect.read_event(STR_NONE, in, 0, &v);
	anthropic_messages_dialect.read_usage(in, 0, &u);
	if (is_object(in)) {
		request(in, &out);
		buf_clear(&out);
		if (chat_to_message(in, &out))
			must(is_object(buf_str(&out)));
		buf_clear(&out);
		stream(in, &out);
	}
	buf_free(&out);
	free(copy);
	return 0;
}
