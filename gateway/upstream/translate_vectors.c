/*
 * translate_vectors.c: one question, one answer, never a stream: read by one dialect, written by the other.
 */
#include "upstream/translate_vectors.h"

struct vectors {
	enum vector_kind kind;
	const struct vector_format *caller, *provider;
	const struct dialect *theirs;
	struct str path;		/* the caller's */
	struct embed embed;
	struct rank rank;
};

struct vectors *vectors_for(const struct dialect *caller, const struct dialect *provider, struct str path, struct arena *a)
{
	enum vector_kind kind = caller->vectors && caller->vectors->kind ? caller->vectors->kind(path) : VECTOR_NONE;
	if (kind == VECTOR_NONE)
		return NULL;
	struct vectors *v = arena_new(a, struct vectors);
	v->kind = kind;
	v->caller = caller->vectors;
	v->theirs = provider;
	v->provider = provider->vectors;
	v->path = arena_copy(a, path);
	v->embed.rest.arena = v->rank.rest.arena = a;
	return v;
}

static bool read(struct vectors *v, struct str body, struct chat_fault *fault)
{
	bool good = v->kind == VECTOR_EMBED ? v->caller->read_embed(v->path, body, &v->embed, fault) : v->caller->read_rank(body, &v->rank, fault);
	if (!good && str_empty(fault->message))
		fault->message = STR("is malformed");
	return good;
}

bool vectors_request(struct vectors *v, struct str body, const struct chat_target *to, struct buf *path, struct buf *out,
		     struct chat_loss *loss, struct chat_fault *fault)
{
	if (!read(v, body, fault))
		return false;
	return v->kind == VECTOR_EMBED ? v->provider->write_embed(&v->embed, to, path, out, loss) :
					 v->provider->write_rank(&v->rank, to, path, out, loss);
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
