/*
 * translate.c: read by one dialect, written by the other; nothing here knows any of them.
 */
#include "upstream/translate.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/shared_bytes.h"
#include "core/call.h"
#include "core/chat_format.h"
#include "core/dialect.h"
#include "core/endpoint.h"
#include "core/families.h"
#include "core/plan.h"
#include "core/price.h"
#include "core/way.h"
#include "upstream/media_wants.h"
#include "upstream/translate_vectors.h"

/* The last events of Responses repeat the whole answer four times. */
enum { EVENTS_MAX = 20 << 20, REQUEST_MORE = 64 * 1024, PATH_MOST = 4096 };

/* A request on its way; in the arena. */
struct asking {
	struct str body;		/* the caller's */
	struct chat_target to;
	enum on_unsupported policy;
	bool stream, good;
	struct buf path, out;
	struct str dropped;
	struct chat_fault fault;	/* it is wrong, or cannot be carried; the message may be empty */
	bool fetches, lacks;		/* the target may be given what is fetched; and there is such */
	struct media_wants wants;
};

struct translate {
	const struct chat_format *caller, *provider;
	struct chat_frame frame;
	unsigned quirks;
	struct chat_reader *reader;	/* of a stream; NULL for a plain answer */
	struct chat_writer *writer;
	struct chat_out tap;		/* between them */
	bool odd_end;
	struct arena arena;		/* of the request until it is taken; for vectors until the end */
	struct asking *asking;
	struct vectors *vectors;	/* instead of chat: embeddings or a reranking; in the arena */
	struct shared_bytes *held;	/* the request's, where a thread or the answer needs them; or NULL */
	char *freeform;			/* and frame.freeform; NULL: none */
	struct buf out;
	char id[REQUEST_ID_SIZE];	/* what frame.request_id shows */
	char model[];			/* and frame.model */
};

/* OpenAI's own reasoning models refuse max_tokens; few others know the newer name. */
static bool knows_completion_tokens(const struct provider *p)
{
	return !(p->quirks & QUIRK_MAX_TOKENS_ONLY) && (str_eq(p->preset, STR("openai")) || str_starts(p->preset, STR("azure")));
}

static struct chat_target target_of(const struct translate *x, const struct target *target)
{
	const struct provider *p = target->provider;
	return (struct chat_target){ .model = x->frame.model, .quirks = p->quirks, .max_output = target->max_output,
				     .completion_tokens = knows_completion_tokens(p), .vertex = str_has(p->base_path, STR("/publishers/")),
				     .reasons = target->features_known && (target->features & FEATURE_REASONING) };
}

/* --- a request --- */

/* False: no memory. */
static bool take_body(struct translate *x, const struct call *call)
{
	x->asking->body = call->body;
	if (!x->vectors && call->body.n <= TRANSLATE_AT_ONCE)
		return true;
	x->held = call->shared ? shared_bytes_hold(call->shared) : shared_bytes_copy(call->body);
	if (x->held)
		x->asking->body.p = x->held->data;
	return x->held;
}

struct translate *translate_new(struct txn *t, const struct target *target)
{
	const struct provider *p = target->provider;
	struct translate *x = mem_alloc(sizeof(*x) + target->model.n + 1);
	memcpy(x->model, target->model.p, target->model.n);
	memcpy(x->id, t->id, sizeof(x->id));
	x->caller = t->endpoint->dialect->chat;
	x->provider = way_dialect(target)->chat;
	x->quirks = p->quirks;
	x->frame = (struct chat_frame){ .request_id = str_c(x->id), .model = str_of(x->model, target->model.n), .created_s = clock_wall_us() / SECOND_US };
	x->asking = arena_new(&x->arena, struct asking);
	x->asking->to = target_of(x, target);
	x->asking->policy = (enum on_unsupported)t->plan->model->policy.on_unsupported;
	x->asking->stream = t->stream;
	x->asking->fetches = p->fetch_max > 0;
	x->vectors = vectors_for(t->endpoint->dialect, p->dialect, t->call->path, &x->arena);
	buf_init(&x->out, EVENTS_MAX);
	if (take_body(x, t->call))
		return x;
	translate_free(x);
	return NULL;
}

static size_t fetched_bytes(const struct media_wants *w)
{
	size_t n = 0;
	for (unsigned i = 0; i < w->n; i++)
		n += w->want[i].data.n + 64;
	return n;
}

bool translate_is_large(const struct translate *x)
{
	return x->asking->body.n + fetched_bytes(&x->asking->wants) > TRANSLATE_AT_ONCE;
}

static bool chat_request(struct translate *x, struct asking *k, struct chat_loss *loss)
{
	struct chat c = { .arena = &x->arena, .parallel = -1, .schema_strict = -1, .stream = k->stream };
	if (!x->caller->read_request(k->body, &c, &k->fault)) {
		if (str_empty(k->fault.message))
			k->fault.message = STR("is malformed");
		return false;
	}
	k->lacks = k->fetches && !media_fill(&k->wants, &c, x->provider);
	if (k->lacks)
		return false;
	x->frame.usage = c.stream_usage;
	if (c.freeform.n) {
		x->freeform = mem_copy(c.freeform);
		x->frame.freeform = str_c(x->freeform);
	}
	x->provider->write_path(&k->to, k->stream, &k->path);
	return x->provider->write_request(&c, &k->to, &k->out, loss);
}

void translate_request(struct translate *x)
{
	struct asking *k = x->asking;
	struct chat_loss loss = { .policy = k->policy, .arena = &x->arena };
	buf_init(&k->path, PATH_MOST);
	buf_init(&k->out, 3 * k->body.n + REQUEST_MORE + fetched_bytes(&k->wants));
	(void)buf_reserve(&k->out, k->body.n + k->body.n / 4 + 512);	/* what it mostly comes to */
	k->good = x->vectors ? vectors_request(x->vectors, k->body, &k->to, &k->path, &k->out, &loss, &k->fault) : chat_request(x, k, &loss);
	k->good = k->good && !k->out.failed && !k->path.failed && str_empty(loss.refused);
	k->dropped = loss.dropped;
	if (k->lacks) {		/* and begun anew when it is there */
		buf_free(&k->path);
		buf_free(&k->out);
	}
	if (loss.refused.n)
		k->fault = (struct chat_fault){ loss.refused, str_c(loss.why) };
	else if (!k->good && !k->lacks && str_empty(k->fault.message))
		k->fault = (struct chat_fault){ STR_NONE, STR("The request is too large to be translated for its target") };
}

struct media_wants *translate_wants(struct translate *x, struct arena **a)
{
	*a = &x->arena;
	return x->asking->lacks ? &x->asking->wants : NULL;
}

static void refuse(struct txn *t, const struct chat_fault *f)
{
	t->error.param = f->field.n ? arena_copy(&t->arena, f->field) : STR_NONE;
	t->error.message = f->field.n ? arena_printf(&t->arena, "`%.*s` %.*s.", STR_FMT(f->field), STR_FMT(f->message))
				      : arena_printf(&t->arena, "%.*s.", STR_FMT(f->message));
}

static void free_buf(void *b)
{
	buf_free(b);
}

/* The bytes go over as they are. */
static struct str hand_over(struct arena *a, struct buf *from)
{
	struct buf *b = arena_new(a, struct buf);
	*b = *from;
	buf_init(from, from->max);
	arena_own(a, b, free_buf);
	return buf_str(b);
}

/* A caller's format may have no word for such an end: its own then says too much. */
static void note_end(struct translate *x, enum chat_finish finish)
{
	x->odd_end |= finish == FINISH_OTHER || finish == FINISH_PAUSE;
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

/* Vectors are needed to read the answer. */
static void forget_request(struct translate *x)
{
	if (x->asking) {
		buf_free(&x->asking->path);
		buf_free(&x->asking->out);
	}
	x->asking = NULL;
	if (x->vectors)
		return;
	arena_clear(&x->arena);
	shared_bytes_let_go(x->held);
	x->held = NULL;
}

bool translate_request_take(struct translate *x, struct txn *t, struct str *path, struct str *body)
{
	struct asking *k = x->asking;
	bool good = k->good;
	t->dropped = k->dropped.n ? arena_copy(&t->arena, k->dropped) : STR_NONE;
	if (good) {
		*body = hand_over(&t->arena, &k->out);
		*path = arena_copy(&t->arena, buf_str(&k->path));
		families_dropped(t->live_model, t->dropped);
	} else {
		refuse(t, &k->fault);
	}
	forget_request(x);
	if (good && t->stream)
		open_stream(x);
	return good;
}

void translate_free(struct translate *x)
{
	if (!x)
		return;
	forget_request(x);
	arena_clear(&x->arena);
	shared_bytes_let_go(x->held);
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

/* --- an answer --- */

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

/* Arguments of calls are text in some formats: escaped, they are up to twice as long. */
static bool chat_answer(struct translate *x, struct str body, struct buf *out)
{
	struct arena a = ARENA_INIT;
	struct chat_gather g;
	const struct chat_answer *answer = NULL;
	chat_gather_init(&g, &a, 2 * body.n + REQUEST_MORE);
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

bool translate_answer(struct translate *x, struct str body, struct buf *out)
{
	return x->vectors ? vectors_answer(x->vectors, &x->frame, x->quirks, body, out) : chat_answer(x, body, out);
}

bool translate_ended_oddly(const struct translate *x)
{
	return x->odd_end;
}
