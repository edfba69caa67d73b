/*
 * vectors.c: what readers and writers of embeddings and rerankings share.
 */
#include "core/vectors.h"

struct str *vectors_room(struct arena *a, unsigned n)
{
	return arena_array(a, struct str, n ? n : 1);
}

bool rank_add(struct rank_answer *a, const struct rank *r, int64_t index, struct str score)
{
	if (!a->ranked)
		a->ranked = arena_array(r->rest.arena, struct ranked, r->n ? r->n : 1);
	if (index < 0 || index >= r->n || !score.n || a->n == r->n)
		return false;
	for (unsigned i = 0; i < a->n; i++)
		if (a->ranked[i].index == index)
			return false;
	a->ranked[a->n++] = (struct ranked){ index, score };
	return true;
}

bool embed_refuse_tokens(const struct embed *e, struct chat_loss *loss)
{
	if (!e->tokens)
		return true;
	loss->refused = STR("input");
	loss->why = "takes texts with this target, not tokens";
	return false;
}

bool embed_refuse_several(const struct embed *e, struct chat_loss *loss)
{
	if (e->n <= 1)
		return true;
	loss->refused = STR("input");
	loss->why = "must be one text: the target embeds one a call, so ask once for each";
	return false;
}

bool vectors_single(struct str vector, const struct embed *e, struct embed_answer *a)
{
	a->vectors = vectors_room(e->rest.arena, 1);
	a->vectors[a->n++] = vector;
	return e->n == 1 && vector.n && *vector.p == '[';
}
