/*
 * translate.c: read by one dialect, written by the other; nothing here knows any of them.
 */
#include "upstream/translate.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/call.h"
#include "core/chat_format.h"
#include "core/dialect.h"
#include "core/endpoint.h"
#include "core/families.h"
#include "core/plan.h"
#include "core/price.h"
#include "upstream/translate_vectors.h"

/* The last events of Responses repeat the whole answer four times. */
enum { ANSWER_MAX = 4 << 20, EVENTS_MAX = 5 * ANSWER_MAX, REQUEST_MORE = 64 * 1024 };

struct translate {
	const struct chat_format *caller, *provider;
	struct chat_frame frame;
	unsigned quirks;
	struct chat_reader *reader;	/* of a stream; NULL for a plain answer */
	struct chat_writer *writer;
	struct chat_out tap;		/* between them */
	bool *odd_end;			/* the transaction's */
	struct vectors *vectors;	/* instead of chat: embeddings or a reranking; in the transaction's arena */
	char *freeform;			/* and frame.freeform; NULL: none */
	struct buf out;
	char id[REQUEST_ID_SIZE];	/* what frame.request_id shows */
	char model[];			/* and frame.model */
};

void translate_refuse(struct txn *t, struct str field, struct str why)
{
	t->error.param = field;
	t->error.message = field.n ? arena_printf(&t->arena, "`%.*s` %.*s.", STR_FMT(field), STR_FMT(why))
				   : arena_printf(&t->arena, "%.*s.", STR_FMT(why));
}

/* OpenAI's own reasoning models refuse max_tokens; few others know the newer name. */
static bool knows_completion_tokens(const struct provider *p)
{
	return !(p->quirks & QUIRK_MAX_TOKENS_ONLY) && (str_eq(p->preset, STR("openai")) || str_starts(p->preset, STR("azure")));
}

struct chat_target translate_target(const struct target *target)
{
	const struct provider *p = target->provider;
	return (struct chat_target){ .model = target->model, .quirks = p->quirks, .max_output = target->max_output,
				     .completion_tokens = knows_completion_tokens(p), .vertex = str_has(p->base_path, STR("/publishers/")),
				     .reasons = target->features_known && (target->features & FEATURE_REASONING) };
}

struct chat_loss translate_loss(struct txn *t)
{
	return (struct chat_loss){ .policy = (enum on_unsupported)t->plan->model->policy.on_unsupported, .arena = &t->arena };
}

static bool write_request(struct txn *t, const struct translate *x, struct chat *c, const struct target *target, struct str *path, struct str *body)
{
	struct chat_target to = translate_target(target);
	struct chat_loss loss = translate_loss(t);
	struct buf out = BUF_INIT(3 * t->call->body.n + REQUEST_MORE);
	bool good = x->provider->write_request(c, &to, &out, &loss) && !out.failed && str_empty(loss.refused);
	t->dropped = loss.dropped;
	if (good) {
		*body = arena_copy(&t->arena, buf_str(&out));
		buf_clear(&out);
		x->provider->write_path(&to, t->stream, &out);
		*path = arena_copy(&t->arena, buf_str(&out));
		families_dropped(t->live_model, loss.dropped);
	} else if (loss.refused.n) {
		translate_refuse(t, loss.refused, str_c(loss.why));
	} else {
		translate_refuse(t, STR_NONE, STR("The request is too large to be translated for its target"));
	}
	buf_free(&out);
	return good;
}

static bool request(struct txn *t, struct translate *x, const struct target *target, struct str *path, struct str *body)
{
	struct chat c = { .arena = &t->arena, .parallel = -1, .schema_strict = -1, .stream = t->stream };
	struct chat_fault fault = { .field = STR_NONE };
	if (!x->caller->read_request(t->call->body, &c, &fault)) {
		translate_refuse(t, fault.field, fault.message.n ? fault.message : STR("is malformed"));
		return false;
	}
	x->frame.usage = c.stream_usage;
	if (c.freeform.n) {
		x->freeform = mem_copy(c.freeform);
		x->frame.freeform = str_c(x->freeform);
	}
	return write_request(t, x, &c, target, path, body);
}

/* A caller's format may have no word for such an end: its own then says too much. */
static void note_end(struct translate *x, enum chat_finish finish)
{
	*x->odd_end |= finish == FINISH_OTHER || finish == FINISH_PAUSE;
}

static void tap(struct chat_out *out, const struct chat_event *e)
{
	struct translate *x = container_of(out, struct translate, tap);
	if (e->kind == CHAT_FINISH)
		note_end(x, e->finish);
	chat_give(&x->writer->in, e);
}

/* States of a stream; their sizes are the dialects'. */
static void open_stream(struct translate *x)
{
	x->writer = mem_alloc(*x->caller->writer_size);
	x->writer->in.take = x->caller->write_event;
	x->writer->out = &x->out;
	x->writer->frame = x->frame;
	x->reader = mem_alloc(*x->provider->reader_size);
	x->tap.take = tap;
	x->reader->out = &x->tap;
	x->reader->quirks = x->quirks;
	x->reader->request_id = x->frame.request_id;
}

struct translate *translate_request(struct txn *t, const struct target *target, struct str *path, struct str *body)
{
	const struct provider *p = target->provider;
	struct translate *x = mem_alloc(sizeof(*x) + target->model.n + 1);
	memcpy(x->model, target->model.p, target->model.n);
	memcpy(x->id, t->id, sizeof(x->id));
	x->caller = t->endpoint->dialect->chat;
	x->provider = p->dialect->chat;
	x->quirks = p->quirks;
	x->odd_end = &t->odd_end;
	x->frame = (struct chat_frame){ .request_id = str_c(x->id), .model = str_of(x->model, target->model.n), .created_s = clock_wall_us() / SECOND_US };
	buf_init(&x->out, EVENTS_MAX);
	x->vectors = vectors_for(t);
	if (x->vectors ? !vectors_request(x->vectors, t, target, path, body) : !request(t, x, target, path, body)) {
		translate_free(x);
		return NULL;
	}
	if (t->stream)
		open_stream(x);
	return x;
}

void translate_free(struct translate *x)
{
	if (!x)
		return;
	if (x->reader && x->provider->reader_free)
		x->provider->reader_free(x->reader);
	if (x->writer && x->caller->writer_free)
		x->caller->writer_free(x->writer);
	free(x->reader);
	free(x->writer);
	buf_free(&x->out);
	free(x->freeform);
	free(x);
}

bool translate_event(struct translate *x, struct str name, struct str data, struct str *out)
{
	buf_clear(&x->out);
	x->provider->read_event(x->reader, name, data);
	*out = buf_str(&x->out);
	return !x->out.failed;
}

bool translate_end(struct translate *x, struct str *out)
{
	struct chat_event end = { .kind = CHAT_END, .call = -1 };
	buf_clear(&x->out);
	chat_give(&x->writer->in, &end);
	*out = buf_str(&x->out);
	return !x->out.failed;
}

size_t translate_answer_max(const struct translate *x)
{
	return x->vectors ? TRANSLATE_VECTORS_HELD : TRANSLATE_HELD;
}

bool translate_answer(struct translate *x, struct str body, struct buf *out)
{
	if (x->vectors)
		return vectors_answer(x->vectors, &x->frame, x->quirks, body, out);
	struct arena a = ARENA_INIT;
	struct chat_gather g;
	const struct chat_answer *answer = NULL;
	chat_gather_init(&g, &a, ANSWER_MAX);
	struct chat_reader r = { .out = &g.in, .quirks = x->quirks, .request_id = x->frame.request_id };
	if (x->provider->read_answer(body, &r))
		answer = chat_gather_end(&g);
	for (const struct chat_choice *c = answer ? answer->choices : NULL; c; c = c->next)
		note_end(x, c->finish);
	if (answer)
		x->caller->write_answer(answer, &x->frame, out);
	arena_clear(&a);
	return answer && !out->failed;
}
