/*
 * translate_vectors.c: one question, one answer, never a stream: read by one dialect, written by the other.
 */
#include "upstream/translate_vectors.h"

#include "core/call.h"
#include "core/dialect.h"
#include "core/endpoint.h"
#include "core/families.h"

enum { REQUEST_MORE = 64 * 1024, PATH_MAX_BYTES = 4096 };

struct vectors {
	enum vector_kind kind;
	const struct vector_format *caller, *provider;
	const struct dialect *theirs;
	struct embed embed;
	struct rank rank;
};

struct vectors *vectors_for(struct txn *t)
{
	const struct vector_format *caller = t->endpoint->dialect->vectors;
	enum vector_kind kind = caller && caller->kind ? caller->kind(t->call->path) : VECTOR_NONE;
	if (kind == VECTOR_NONE)
		return NULL;
	struct vectors *v = arena_new(&t->arena, struct vectors);
	v->kind = kind;
	v->caller = caller;
	v->embed.rest.arena = v->rank.rest.arena = &t->arena;
	return v;
}

static bool read(struct vectors *v, struct txn *t)
{
	struct chat_fault fault = { .field = STR_NONE };
	struct str body = t->call->body;
	bool good = v->kind == VECTOR_EMBED ? v->caller->read_embed(t->call->path, body, &v->embed, &fault) :
					      v->caller->read_rank(body, &v->rank, &fault);
	if (!good)
		translate_refuse(t, fault.field, fault.message.n ? fault.message : STR("is malformed"));
	return good;
}

static bool write(struct vectors *v, struct txn *t, const struct chat_target *to, struct buf *path, struct buf *body)
{
	struct chat_loss loss = translate_loss(t);
	bool good = v->kind == VECTOR_EMBED ? v->provider->write_embed(&v->embed, to, path, body, &loss) :
					      v->provider->write_rank(&v->rank, to, path, body, &loss);
	good = good && !body->failed && !path->failed;
	t->dropped = loss.dropped;
	if (good)
		families_dropped(t->live_model, loss.dropped);
	else if (loss.refused.n)
		translate_refuse(t, loss.refused, str_c(loss.why));
	else
		translate_refuse(t, STR_NONE, STR("The request is too large to be translated for its target"));
	return good;
}

bool vectors_request(struct vectors *v, struct txn *t, const struct target *target, struct str *path, struct str *body)
{
	struct chat_target to = translate_target(target);
	struct buf p = BUF_INIT(PATH_MAX_BYTES), b = BUF_INIT(3 * t->call->body.n + REQUEST_MORE);
	v->theirs = target->provider->dialect;
	v->provider = v->theirs->vectors;
	bool good = read(v, t) && write(v, t, &to, &p, &b);
	if (good) {
		*path = arena_copy(&t->arena, buf_str(&p));
		*body = arena_copy(&t->arena, buf_str(&b));
	}
	buf_free(&p);
	buf_free(&b);
	return good;
}

bool vectors_answer(struct vectors *v, const struct chat_frame *f, unsigned quirks, struct str body, struct buf *out)
{
	struct embed_answer vectors = { .n = 0 };
	struct rank_answer ranking = { .n = 0 };
	if (v->kind == VECTOR_EMBED) {
		v->theirs->read_usage(body, quirks, &vectors.usage);
		if (!v->provider->read_vectors(body, &v->embed, &vectors))
			return false;
		v->caller->write_vectors(&v->embed, &vectors, f, out);
	} else {
		v->theirs->read_usage(body, quirks, &ranking.usage);
		if (!v->provider->read_ranking(body, &v->rank, &ranking))
			return false;
		v->caller->write_ranking(&v->rank, &ranking, f, out);
	}
	return !out->failed;
}
