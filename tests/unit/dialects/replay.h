/*
 * replay.h: a recorded answer through its dialect's reader, and what was heard as a tree that can be compared.
 *
 * The tree is that of tests/cases/recordings/expected: {"choices": [{text, reasoning, refusal, calls, finish}], "usage": ...}.
 */
#ifndef WEIR_TESTS_REPLAY_H
#define WEIR_TESTS_REPLAY_H


#include <stdlib.h>

#include "core/chat_format.h"
#include "core/dialect.h"
#include "tests/jansson.h"
#include "upstream/frames.h"
#include "wire/sse.h"

enum { REPLAY_MAX = 64 << 20, REPLAY_LOAD = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL };

static inline json_t *replay_load(struct str json)
{
	return json_loadb(json.p, json.n, REPLAY_LOAD, NULL);
}

/* What stands between quotes, as text. */
static inline json_t *replay_text(const struct buf *spelled)
{
	struct buf b = BUF_INIT(REPLAY_MAX);
	buf_addc(&b, '"');
	buf_add(&b, buf_str(spelled));
	buf_addc(&b, '"');
	json_t *found = replay_load(buf_str(&b));
	buf_free(&b);
	return found;
}

/* --- what was said --- */

static inline json_t *replay_pieces(const struct chat_choice *c, enum chat_piece_kind kind)
{
	struct buf b = BUF_INIT(REPLAY_MAX);
	for (const struct chat_piece *p = c->pieces; p; p = p->next)
		if (p->kind == kind)
			buf_add(&b, p->text);
	json_t *found = replay_text(&b);
	buf_free(&b);
	return found;
}

static inline json_t *replay_calls(const struct chat_choice *c)
{
	json_t *calls = json_array();
	for (const struct chat_piece *p = c->pieces; p; p = p->next) {
		struct buf name = BUF_INIT(REPLAY_MAX);
		if (p->kind != PIECE_CALL)
			continue;
		buf_add(&name, p->call.name);
		json_array_append_new(calls, json_pack("{s:o, s:o}", "name", replay_text(&name), "arguments", replay_load(p->call.json)));
		buf_free(&name);
	}
	return calls;
}

static inline json_t *replay_choice(const struct chat_choice *c)
{
	static const char *const words[] = { "stop", "sequence", "length", "tools", "filter", "pause", "other" };
	return json_pack("{s:o, s:o, s:o, s:o, s:s}", "text", replay_pieces(c, PIECE_TEXT), "reasoning", replay_pieces(c, PIECE_REASONING),
			 "refusal", replay_pieces(c, PIECE_REFUSAL), "calls", replay_calls(c), "finish", c->finished ? words[c->finish] : "none");
}

static inline json_t *replay_said(const struct chat_answer *a)
{
	json_t *choices = json_array(), *usage = json_null();
	for (const struct chat_choice *c = a ? a->choices : NULL; c; c = c->next)
		json_array_append_new(choices, replay_choice(c));
	if (a && a->usage.known)
		usage = json_pack("{s:f, s:f, s:f, s:f}", "input", (double)a->usage.input, "output", (double)a->usage.output,
				  "cached", (double)a->usage.cached, "reasoning", (double)a->usage.reasoning);
	return json_pack("{s:o, s:o}", "choices", choices, "usage", usage);
}

/* --- plain --- */

/* NULL: there is no answer in it. `again`, unless NULL: the same written for callers of that dialect. */
static inline json_t *replay_plain(const struct dialect *d, struct str body, const struct dialect *again, struct buf *out)
{
	struct arena a = ARENA_INIT;
	struct chat_gather g;
	const struct chat_frame frame = { .request_id = STR("req-1"), .model = STR("m"), .usage = true };
	chat_gather_init(&g, &a, REPLAY_MAX);
	const struct chat_reader r = { .out = &g.in, .request_id = STR("req-1") };
	const struct chat_answer *answer = d->chat->read_answer(body, &r) ? chat_gather_end(&g) : NULL;
	json_t *said = answer ? replay_said(answer) : NULL;
	if (answer && again)
		again->chat->write_answer(answer, &frame, out);
	arena_clear(&a);
	return said;
}

/* --- streams --- */

/* Either framing, read as an attempt reads it. */
struct replay_frames {
	bool binary;
	struct eventstream *frames;
	struct sse sse;
};

static inline void replay_frames_init(struct replay_frames *f, bool binary)
{
	f->binary = binary;
	f->frames = binary ? frames_new() : NULL;
	sse_init(&f->sse);
}

static inline enum sse_result replay_next(struct replay_frames *f, struct str *in, struct sse_event *ev)
{
	return f->binary ? frames_feed(f->frames, in, ev) : sse_feed(&f->sse, in, ev);
}

static inline void replay_frames_free(struct replay_frames *f)
{
	frames_free(f->frames);
	sse_free(&f->sse);
}

/* One stream on its way to `out`, and what its events said of its end. */
struct replay {
	const struct dialect *d;
	struct chat_reader *reader;
	bool finish, done, broken;	/* as an attempt sees them */
	bool several;			/* answers were asked for, so only [DONE] is the end */
};

static inline void replay_begin(struct replay *r, const struct dialect *d, struct chat_out *out)
{
	*r = (struct replay){ .d = d, .reader = calloc(1, *d->chat->reader_size) };
	r->reader->out = out;
	r->reader->request_id = STR("req-1");
}

static inline void replay_event(struct replay *r, const struct sse_event *ev)
{
	struct event_view v = { .want_content = true };
	if (ev->comment || r->broken)
		return;
	r->d->read_event(ev->name, ev->data, 0, &v);
	r->broken |= v.error;
	r->finish |= v.finish;
	r->done |= v.done;
	r->broken |= ev->data.n && !frames_whole(ev);
	if (!v.done && !r->broken)
		r->d->chat->read_event(r->reader, ev->name, ev->data);
}

/* True: it ended as it should, and END was given. */
static inline bool replay_end(struct replay *r, struct chat_out *out)
{
	const struct chat_event end = { .kind = CHAT_END, .call = -1 };
	bool good = !r->broken && (r->done || (r->finish && !r->several));
	if (good)
		chat_give(out, &end);
	if (r->d->chat->reader_free)
		r->d->chat->reader_free(r->reader);
	free(r->reader);
	return good;
}

/* Fed in pieces: the first ends at `cut`, the others have `step` bytes; 0: the rest at once. */
static inline void replay_feed(struct replay *r, struct str body, bool binary, size_t cut, size_t step)
{
	struct replay_frames f;
	struct sse_event ev;
	replay_frames_init(&f, binary);
	for (size_t at = 0, n = cut; at < body.n; at += n, n = step) {
		n = n == 0 || n > body.n - at ? body.n - at : n;
		struct str in = str_of(body.p + at, n);
		enum sse_result got;
		while ((got = replay_next(&f, &in, &ev)) == SSE_EVENT)
			replay_event(r, &ev);
		r->broken |= got == SSE_BAD;
	}
	if (binary)
		r->broken |= !eventstream_end(f.frames);
	else if (sse_end(&f.sse, &ev) == SSE_EVENT && frames_whole(&ev))
		replay_event(r, &ev);
	replay_frames_free(&f);
}

/* NULL: it was broken, or ended before its end. */
static inline json_t *replay_stream(const struct dialect *d, struct str body, bool binary, bool several, size_t cut, size_t step)
{
	struct arena a = ARENA_INIT;
	struct chat_gather g;
	struct replay r;
	chat_gather_init(&g, &a, REPLAY_MAX);
	replay_begin(&r, d, &g.in);
	r.several = several;
	replay_feed(&r, body, binary, cut, step);
	const struct chat_answer *answer = replay_end(&r, &g.in) ? chat_gather_end(&g) : NULL;
	json_t *said = answer ? replay_said(answer) : NULL;
	arena_clear(&a);
	return said;
}

/* As a stream for callers of another dialect. */
static inline bool replay_translate(const struct dialect *d, struct str body, bool binary, const struct dialect *again, struct buf *out)
{
	struct chat_writer *w = calloc(1, *again->chat->writer_size);
	struct replay r;
	w->in.take = again->chat->write_event;
	w->out = out;
	w->frame = (struct chat_frame){ .request_id = STR("req-1"), .model = STR("m"), .usage = true };
	replay_begin(&r, d, &w->in);
	replay_feed(&r, body, binary, 0, 0);
	bool good = replay_end(&r, &w->in);
	if (again->chat->writer_free)
		again->chat->writer_free(w);
	free(w);
	return good && !out->failed;
}

#endif
