/*
 * stream_fuzz.c: a provider's stream of any bytes, cut anywhere, told to callers of each dialect.
 *
 * Input: the provider's dialect, the caller's, how many cuts and as many distances of two bytes, then the stream. Cut or not, the
 * caller is told the same; what is told is well-formed.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/dialects/replay.h"
#include "wire/json_scan.h"

enum { OUT_MAX = 4 << 20, CUTS_MOST = 64 };

static const char *const providers[] = { "openai", "anthropic", "openai-responses", "gemini", "bedrock", "cohere" };
static const char *const callers[] = { "openai", "anthropic", "openai-responses", "gemini" };

static bool is_binary(const struct dialect *d)
{
	return str_eq(str_c(d->name), STR("bedrock"));
}

/* Each piece lies alone, so that a step beyond its end is seen. */
static void feed_piece(struct replay *r, struct replay_frames *f, struct str piece)
{
	char *copy = alone(piece);
	struct str in = str_of(copy, piece.n);
	struct sse_event ev;
	enum sse_result got;
	while (!r->broken && (got = replay_next(f, &in, &ev)) != SSE_MORE) {
		if (got == SSE_EVENT)
			replay_event(r, &ev);
		else
			r->broken = true;
	}
	free(copy);
}

static void feed(struct replay *r, struct str body, const uint8_t *cuts, unsigned n)
{
	struct replay_frames f;
	struct sse_event ev;
	replay_frames_init(&f, is_binary(r->d));
	for (unsigned i = 0; i < n && body.n; i++) {
		size_t most = (size_t)cuts[2 * i] << 8 | cuts[2 * i + 1], size = most < body.n ? most : body.n;
		feed_piece(r, &f, str_head(body, size));
		body = str_skip(body, size);
	}
	feed_piece(r, &f, body);
	if (f.binary)
		r->broken |= !eventstream_end(f.frames);
	else if (!r->broken && sse_end(&f.sse, &ev) == SSE_EVENT && frames_whole(&ev))
		replay_event(r, &ev);
	replay_frames_free(&f);
}

static bool tell(const struct dialect *from, const struct dialect *to, struct str body, const uint8_t *cuts, unsigned n, struct buf *out)
{
	struct chat_writer *w = calloc(1, *to->chat->writer_size);
	struct replay r;
	buf_clear(out);
	w->in.take = to->chat->write_event;
	w->out = out;
	w->frame = (struct chat_frame){ .request_id = STR("req-1"), .model = STR("m"), .usage = true };
	replay_begin(&r, from, &w->in);
	feed(&r, body, cuts, n);
	bool whole = replay_end(&r, &w->in);
	if (to->chat->writer_free)
		to->chat->writer_free(w);
	free(w);
	return whole;
}

static void check_events(const struct buf *out)
{
	struct sse sse;
	struct sse_event ev;
	struct str rest = buf_str(out);
	sse_init(&sse);
	while (!out->failed && sse_feed(&sse, &rest, &ev) == SSE_EVENT)
		must(str_eq(ev.data, STR("[DONE]")) || json_scan_is_object(ev.data));
	sse_free(&sse);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned n = size > 3 ? data[2] % CUTS_MOST : 0;
	if (size < 3 + 2 * (size_t)n)
		return 0;
	const struct dialect *from = dialect_find(str_c(providers[data[0] % array_len(providers)]));
	const struct dialect *to = dialect_find(str_c(callers[data[1] % array_len(callers)]));
	struct str body = str_of((const char *)data + 3 + 2 * n, size - 3 - 2 * n);
	struct buf once = BUF_INIT(OUT_MAX), cut = BUF_INIT(OUT_MAX);
	bool whole = tell(from, to, body, NULL, 0, &once);
	must(whole == tell(from, to, body, data + 3, n, &cut));
	must(once.failed == cut.failed && (once.failed || str_eq(buf_str(&once), buf_str(&cut))));
	check_events(&once);
	buf_free(&once);
	buf_free(&cut);
	return 0;
}
