/*
 * plugin_sink.c: an answer on its way by the plugins that read or change it.
 *
 * Of a stream each event's texts are shown as they come, of a plain answer when it is whole. Events
 * in which nothing is changed pass as they are. The sink lies right above the answer writer: what
 * the caller's queue does not take at once is queued all the same, so no hook sees a text twice.
 */
#include "core/dialect.h"
#include "core/endpoint.h"
#include "plugin_host/run.h"
#include "plugin_host/spots.h"
#include "wire/json_cursor.h"
#include "wire/sse.h"

enum { PLAIN_MOST = 16 * 1024 * 1024, EVENT_MOST = 4 * 1024 * 1024, QUEUE_MOST = 64 * 1024 * 1024 };

/* --- breaking off --- */

static void on_break(struct loop_task *task)
{
	struct weir_request *r = container_of(task, struct weir_request, break_task);
	struct txn *t = r->t;
	struct error e = t->error;
	if (t->state == TXN_DONE)
		return;
	if (t->cancel)
		t->cancel(t);
	t->error = e;
	t->cut = t->answer.begun;
	t->ops->fail(t);
}

void run_break(struct weir_request *r, const char *why)
{
	struct error *e = &r->t->error;
	if (e->kind == ERR_NONE) {
		e->kind = ERR_PLUGIN;
		e->message = str_c(why);
	}
	r->broken = true;
	if (r->t->answer.event_stream)
		loop_defer(r->t->loop, &r->break_task);
}

/* --- one text --- */

typedef enum weir_verdict delta_hook(void *, struct weir_request *, const struct weir_delta *);

static delta_hook *hook_of(const struct plugin_use *u, const struct spot *s)
{
	return s->arguments ? u->plugin->arguments : u->plugin->delta;
}

static void call(struct weir_request *r, const struct spot *s, struct str *text, bool *changed)
{
	const struct plugin_use *u = run_use(r);
	struct weir_delta d = { .size = sizeof(d), .choice = s->choice, .text = run_text(*text), .whole = s->whole, .last = s->last };
	hook_begin(u, s->arguments ? "arguments" : "delta");
	r->was_replaced = false;
	r->in_delta = true;
	enum weir_verdict v = hook_of(u, s)(u->self, r, &d);
	r->in_delta = false;
	hook_end(u);
	if (v == WEIR_REJECT) {
		count_outcome(u, OUTCOME_REJECT);
		run_break(r, "A step of this gateway broke the answer off.");
	} else if (r->was_replaced) {
		*text = arena_copy(&r->scratch, buf_str(&r->replaced));
		*changed = true;
	}
}

/* False when it stays as it is. */
static bool pass_text(struct weir_request *r, const struct spot *s, struct str *text)
{
	bool changed = false;
	*text = json_type(s->value) == JSON_STRING ? json_text(&r->scratch, s->value) : s->value;
	if (!text->p)
		*text = STR("");
	for (r->at = 0; r->at < r->set->n && !r->broken; r->at++)
		if (r->deltas >> r->at & 1 && hook_of(run_use(r), s))
			call(r, s, text, &changed);
	return changed;
}

static struct str text_member(const struct weir_request *r)
{
	return str_eq(str_c(r->t->endpoint->name), STR("completions")) ? STR("\"text\":") : STR("\"content\":");
}

/* `data` with its texts replaced; appended to `out`. What goes before the event is written to `before`. */
static bool splice(struct weir_request *r, struct str data, const struct spots *spots, struct buf *before, struct buf *out)
{
	size_t from = 0;
	bool changed = false;
	for (unsigned i = 0; i < spots->n && !r->broken; i++) {
		const struct spot *s = &spots->s[i];
		struct str text;
		if (!pass_text(r, s, &text) || (!s->value.p && text.n == 0))
			continue;
		if (s->before) {
			const char *end = spots_open_event(r->t->endpoint->name, data, s, before);
			buf_add_json(before, text);
			buf_addf(before, "%s", end);
			continue;
		}
		size_t at = (size_t)((s->value.p ? s->value.p : s->inserted_at) - data.p);
		buf_add(out, str_of(data.p + from, at - from));
		if (!s->value.p)
			buf_add(out, text_member(r));
		if (json_type(s->value) == JSON_OBJECT)
			buf_add(out, text);
		else
			buf_add_json(out, text);
		if (!s->value.p && s->more_behind)
			buf_addc(out, ',');
		from = at + s->value.n;
		changed = true;
	}
	buf_add(out, str_skip(data, from));
	return changed;
}

/* --- streams --- */

static void pass_event(struct weir_request *r, const struct sse_event *ev, struct buf *data)
{
	struct spots spots;
	spots_of_event(r->t->endpoint->name, ev->comment ? STR_NONE : ev->data, &spots);
	buf_clear(data);
	if (spots.n == 0 || !splice(r, ev->data, &spots, &r->event, data)) {
		if (!r->broken)
			buf_add(&r->event, ev->raw);
		return;
	}
	if (r->broken)
		return;
	if (ev->name.n)
		buf_addf(&r->event, "event: %.*s\n", STR_FMT(ev->name));
	buf_addf(&r->event, "data: %.*s\n\n", STR_FMT(buf_str(data)));
}

/* One delta may hold several events: what was held back before content, or an answer out of the cache. */
static void pass_events(struct weir_request *r, struct str raw)
{
	struct sse sse;
	struct sse_event ev;
	struct buf data = BUF_INIT(EVENT_MOST);
	sse_init(&sse);
	while (!r->broken && sse_feed(&sse, &raw, &ev) == SSE_EVENT)
		pass_event(r, &ev, &data);
	sse_free(&sse);
	buf_free(&data);
	if (r->event.failed || data.failed)
		run_break(r, "An answer grew too large in a step of this gateway.");
}

static void say(struct weir_request *r, struct delta *d)
{
	struct txn *t = r->t;
	struct delta ours = *d;
	ours.raw = buf_str(&r->event);
	ours.more = false;	/* the buffer is wanted again for the next event: flushed now */
	if (!ours.raw.n || sink_pass(&r->sink, &ours) == SINK_TAKEN || !t->client)
		return;
	client_write(t->client, &ours.raw, 1);
	client_flush(t->client);
	t->answer.bytes += ours.raw.n;
	if (client_queued(t->client) > QUEUE_MOST)
		run_break(r, "The answer was not read.");
}

static enum sink_result take_event(struct weir_request *r, struct delta *d)
{
	if (r->broken)
		return SINK_TAKEN;
	buf_clear(&r->event);
	pass_events(r, d->raw);
	say(r, d);
	arena_clear(&r->scratch);
	return SINK_TAKEN;
}

static enum sink_result end_stream(struct weir_request *r, struct delta *d)
{
	struct txn *t = r->t;
	if (r->broken) {	/* the task did not come to it any more */
		loop_task_cancel(&r->break_task);
		buf_clear(&r->event);
		t->dialect->write_error_event(&r->event, &t->error, str_c(t->id));
		struct delta last = { .kind = DELTA_EVENT };
		say(r, &last);
	}
	return sink_pass(&r->sink, d);
}

/* --- held streams --- */

/* Comments go on, what is said waits. */
static enum sink_result keep_event(struct weir_request *r, struct delta *d)
{
	if (d->raw.n && d->raw.p[0] == ':')
		return sink_pass(&r->sink, d);
	buf_add(&r->plain, d->raw);
	return SINK_TAKEN;
}

static enum sink_result end_held(struct weir_request *r, struct delta *d)
{
	struct delta event = { .kind = DELTA_EVENT, .content = true };
	if (!r->read) {
		r->read = true;
		buf_clear(&r->event);
		pass_events(r, buf_str(&r->plain));
		if (r->plain.failed)
			run_break(r, "The answer is too large for a step of this gateway that has to see it.");
	}
	if (!r->broken && !run_judge(r))
		return SINK_PARKED;
	if (!r->broken)
		say(r, &event);
	arena_clear(&r->scratch);
	return end_stream(r, d);
}

/* --- plain answers --- */

static void write_plain(struct weir_request *r)
{
	struct txn *t = r->t;
	struct spots spots;
	struct buf none = BUF_INIT(EVENT_MOST);
	struct str body = buf_str(&r->plain);
	buf_clear(&r->event);
	spots_of_answer(t->endpoint->name, body, &spots);
	if (t->answer.status != 200 || spots.n == 0)
		buf_add(&r->event, body);
	else
		splice(r, body, &spots, &none, &r->event);
	buf_free(&none);
	if (r->plain.failed || r->event.failed)
		run_break(r, "The answer is too large for a step of this gateway that has to see it.");
}

static void write_refusal(struct weir_request *r)
{
	struct txn *t = r->t;
	buf_clear(&r->event);
	t->dialect->write_error(&r->event, &t->error, str_c(t->id));
	t->answer.status = error_status(&t->error);
	t->answer.content_type = STR("application/json");
}

static enum sink_result end_plain(struct weir_request *r, struct delta *d)
{
	struct delta head = { .kind = DELTA_HEAD }, body = { .kind = DELTA_BYTES, .content = true };
	if (!r->read)
		write_plain(r);
	r->read = true;
	if (r->held && !r->broken && !run_judge(r))
		return SINK_PARKED;
	if (r->broken)
		write_refusal(r);
	body.raw = buf_str(&r->event);
	r->t->answer.length = (int64_t)body.raw.n;
	sink_pass(&r->sink, &head);
	if (body.raw.n)
		say(r, &body);
	arena_clear(&r->scratch);
	return sink_pass(&r->sink, d);
}

static enum sink_result take_head(struct weir_request *r, struct delta *d)
{
	buf_clear(&r->plain);
	r->held = r->holds && d->may_park;
	return r->t->answer.event_stream ? sink_pass(&r->sink, d) : SINK_TAKEN;
}

static enum sink_result take(struct sink *s, struct delta *d)
{
	struct weir_request *r = container_of(s, struct weir_request, sink);
	switch (d->kind) {
	case DELTA_HEAD:
		return take_head(r, d);
	case DELTA_EVENT:
		return r->held ? keep_event(r, d) : take_event(r, d);
	case DELTA_BYTES:
		buf_add(&r->plain, d->raw);
		return SINK_TAKEN;
	case DELTA_END:
		return !r->t->answer.event_stream ? end_plain(r, d) : r->held ? end_held(r, d) : end_stream(r, d);
	}
	return SINK_TAKEN;
}

void run_lay_sink(struct weir_request *r)
{
	buf_init(&r->plain, PLAIN_MOST);
	buf_init(&r->event, 2 * PLAIN_MOST);
	buf_init(&r->replaced, PLAIN_MOST);
	loop_task_init(&r->break_task, on_break);
	arena_init(&r->scratch);
	r->sink.take = take;
	txn_lay_sink(r->t, &r->sink);
}
