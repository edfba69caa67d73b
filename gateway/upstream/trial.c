/*
 * trial.c: reading an answer in its own dialect, and judging it once.
 */
#include "upstream/trial.h"

#include <stdlib.h>

#include "base/mem.h"
#include "core/call.h"
#include "core/chat_format.h"
#include "core/endpoint.h"
#include "core/txn.h"
#include "upstream/cascade_check.h"
#include "upstream/frames.h"
#include "wire/json_cursor.h"

enum { STREAM_MOST = 4 << 20, ANSWER_MOST = 4 << 20 };

struct trial {
	struct trial_terms terms;
	struct arena arena;
	const struct chat *asked;	/* in the transaction's arena; NULL: it could not be read */
	struct chat_gather gather;
	struct chat_out listen;		/* hears log-probabilities on their way to the gatherer */
	struct chat_reader *reader;
	struct sse sse;
	struct eventstream *frames;
	struct buf kept;
	struct trial_use use;
	char id[REQUEST_ID_SIZE];
	double log_sum;
	uint64_t log_n;
	bool in_frames, finish, done, broken;
	enum error_kind error;
	enum cascade_check failed;
	const struct chat_answer *answer;	/* once judged */
};

/* --- log-probabilities --- */

static void add_probability(struct trial *r, struct str token)
{
	struct str p = json_get(token, STR("logprob"));
	if (json_type(p) != JSON_NUMBER)
		return;
	r->log_sum += strtod(arena_copy(&r->arena, p).p, NULL);
	r->log_n++;
}

static void hear(struct chat_out *out, const struct chat_event *e)
{
	struct trial *r = container_of(out, struct trial, listen);
	struct json_cursor c;
	if (e->kind == CHAT_LOGPROBS)
		for (bool open = json_cursor_open(&c, json_get(e->json, STR("content"))); open && json_cursor_next(&c);)
			add_probability(r, c.value);
	chat_give(&r->gather.in, e);
}

/* --- life --- */

static const struct chat *read_request(struct txn *t)
{
	struct chat *c = arena_new(&t->arena, struct chat);
	struct chat_fault fault = { .field = STR_NONE };
	*c = (struct chat){ .arena = &t->arena, .parallel = -1, .schema_strict = -1, .stream = t->stream };
	return t->endpoint->dialect->chat->read_request(t->call->body, c, &fault) ? c : NULL;
}

struct trial *trial_new(struct txn *t, const struct trial_terms *terms)
{
	const struct chat_format *caller = t->endpoint->dialect ? t->endpoint->dialect->chat : NULL, *theirs = terms->dialect->chat;
	if (!caller || !caller->is_chat || !caller->is_chat(t->call->path) || !theirs || !theirs->read_answer || !theirs->reader_size)
		return NULL;
	struct trial *r = mem_alloc(sizeof(*r));
	*r = (struct trial){ .terms = *terms, .listen.take = hear, .failed = CASCADE_CHECKS,
			     .use.least = UINT32_MAX, .error = ERR_UPSTREAM_BROKEN };
	memcpy(r->id, t->id, sizeof(r->id));
	arena_init(&r->arena);
	chat_gather_init(&r->gather, &r->arena, ANSWER_MOST);
	r->reader = mem_alloc(*theirs->reader_size);
	r->reader->out = &r->listen;
	r->reader->quirks = terms->quirks;
	r->reader->request_id = str_c(r->id);
	r->asked = read_request(t);
	sse_init(&r->sse);
	buf_init(&r->kept, STREAM_MOST);
	return r;
}

void trial_free(struct trial *r)
{
	if (!r)
		return;
	if (r->terms.dialect->chat->reader_free)
		r->terms.dialect->chat->reader_free(r->reader);
	free(r->reader);
	frames_free(r->frames);
	sse_free(&r->sse);
	buf_free(&r->kept);
	arena_clear(&r->arena);
	free(r);
}

/* --- judging --- */

static enum trial_state judge(struct trial *r, bool whole)
{
	r->answer = chat_gather_end(&r->gather);
	struct cascade_answer of = { .answer = r->answer, .whole = whole,
				     .log_probability = r->log_n ? r->log_sum / (double)r->log_n : 1 };
	if (!r->answer)
		return TRIAL_PASSED;	/* none that can be judged: what is wrong with it is told on its way */
	r->failed = cascade_fails(&r->terms.cascade->checks, r->asked, &of, &r->arena);
	return r->failed == CASCADE_CHECKS ? TRIAL_PASSED : TRIAL_FAILED;
}

enum trial_state trial_plain(struct trial *r, struct str body)
{
	r->terms.dialect->chat->read_answer(body, r->reader);
	return judge(r, true);
}

static void note_error(struct trial *r, struct str data)
{
	struct provider_error e = { .kind = ERR_UPSTREAM_BROKEN };
	r->broken = true;
	r->terms.dialect->read_error(200, data, &e);
	r->error = e.kind;
}

static void note_content(struct trial_use *u, size_t n, int64_t now_us)
{
	u->first_us = u->first_us ? u->first_us : now_us;
	u->bytes += n;
	u->events++;
	u->least = n < u->least ? (uint32_t)n : u->least;
}

static void take_event(struct trial *r, const struct sse_event *ev, int64_t now_us)
{
	struct event_view v = { .want_content = true };
	if (ev->comment || r->done)
		return;
	r->terms.dialect->read_event(ev->name, ev->data, r->terms.quirks, &v);
	r->finish |= v.finish;
	r->done |= v.done;
	if (v.error)
		note_error(r, ev->data);
	if (v.content)
		note_content(&r->use, ev->data.n, now_us);
	if (v.has_usage)
		usage_merge(&r->use.usage, &v.usage);
	if (!v.done && !v.error)
		r->terms.dialect->chat->read_event(r->reader, ev->name, ev->data);
}

static enum sse_result next_event(struct trial *r, struct str *in, struct sse_event *ev)
{
	if (!r->in_frames)
		return sse_feed(&r->sse, in, ev);
	if (!r->frames)
		r->frames = frames_new();
	return frames_feed(r->frames, in, ev);
}

enum trial_state trial_take(struct trial *r, struct str bytes, int64_t now_us)
{
	struct sse_event ev;
	enum sse_result s = SSE_MORE;
	if (!buf_add(&r->kept, bytes))
		return TRIAL_BROKE;
	while (!r->broken && (s = next_event(r, &bytes, &ev)) == SSE_EVENT)
		take_event(r, &ev, now_us);
	if (r->broken || s == SSE_BAD)
		return TRIAL_BROKE;
	if (r->done)
		return judge(r, true);
	return r->use.first_us && r->kept.n >= r->terms.cascade->window ? judge(r, false) : TRIAL_GOES_ON;
}

enum trial_state trial_end(struct trial *r)
{
	struct sse_event ev;
	if (!r->in_frames && sse_end(&r->sse, &ev) == SSE_EVENT && frames_whole(&ev))
		take_event(r, &ev, r->use.first_us);
	return r->broken || !trial_is_whole(r) ? TRIAL_BROKE : judge(r, true);
}

enum trial_state trial_look(struct trial *r)
{
	return judge(r, trial_is_whole(r));
}

/* --- looking --- */

int64_t trial_due(const struct trial *r)
{
	return r->use.first_us ? r->use.first_us + r->terms.cascade->window_us : INT64_MAX;
}

void trial_in_frames(struct trial *r) { r->in_frames = true; }
bool trial_is_whole(const struct trial *r) { return r->finish || r->done; }
enum cascade_check trial_failed(const struct trial *r) { return r->failed; }
enum error_kind trial_error(const struct trial *r) { return r->error; }
const struct trial_use *trial_use(const struct trial *r) { return &r->use; }
struct buf *trial_kept(struct trial *r) { return &r->kept; }

struct str trial_text(struct trial *r)
{
	struct buf text = BUF_INIT(2 * (size_t)ANSWER_MOST);
	for (const struct chat_choice *c = r->answer ? r->answer->choices : NULL; c; c = c->next)
		for (const struct chat_piece *p = c->pieces; p; p = p->next) {
			buf_add(&text, p->kind == PIECE_TEXT ? p->text : p->kind == PIECE_CALL ? p->call.name : STR_NONE);
			if (p->kind == PIECE_CALL)
				buf_add(&text, p->call.json);
		}
	struct str kept = arena_copy(&r->arena, buf_str(&text));
	buf_free(&text);
	return kept;
}
