/*
 * bedrock_vectors.c: embeddings and rerankings by Bedrock's InvokeModel: Amazon's Titan and Rerank, Cohere's models
 * (user guide of 2026-08). Each family has a body of its own; the model stands in the path.
 */
#include "dialects/bedrock_parts.h"
#include "dialects/vector_parts.h"

/* Also of another region, as us.cohere... and eu.amazon... */
static bool is_of(struct str model, const char *maker)
{
	ptrdiff_t at = str_find(model, str_c(maker));
	return at == 0 || (at > 0 && model.p[at - 1] == '.') || (at > 0 && model.p[at - 1] == '/');
}

static void write_path(const struct chat_target *t, struct buf *path)
{
	bedrock_write_path(t, false, path);
	path->n -= sizeof("/converse") - 1;
	buf_add(path, STR("/invoke"));
}

/* --- embeddings --- */

static void write_titan(const struct embed *e, struct json_write *w)
{
	json_write_object(w);
	json_member_escaped(w, "inputText", e->inputs[0]);
	if (e->dimensions.p)
		json_member_raw(w, "dimensions", e->dimensions);
	json_write_object_end(w);
}

static bool write_embed(const struct embed *e, const struct chat_target *t, struct buf *path, struct buf *body, struct chat_loss *loss)
{
	struct json_write w;
	bool cohere = is_of(t->model, "cohere.");
	if (!embed_refuse_tokens(e, loss) || (!cohere && !embed_refuse_several(e, loss)))
		return false;
	write_path(t, path);
	json_write_init(&w, body);
	if (cohere)
		cohere_write_embed_body(e, STR_NONE, &w);
	else
		write_titan(e, &w);
	if (!cohere && e->task != TASK_UNSAID)
		chat_drop_hint(loss, e->task_field);
	if (e->title.p)
		chat_drop_hint(loss, "title");
	chat_drop_extras(&e->rest, loss, NULL);
	return str_empty(loss->refused) && json_write_end(&w);
}

static bool read_vectors(struct str body, const struct embed *e, struct embed_answer *a)
{
	struct str one = json_get(json_value(body), STR("embedding"));
	return one.p ? vectors_single(one, e, a) : cohere_read_vectors(body, e, a);
}

/* --- rerankings --- */

static bool write_rank(const struct rank *r, const struct chat_target *t, struct buf *path, struct buf *body, struct chat_loss *loss)
{
	struct json_write w;
	bool cohere = is_of(t->model, "cohere.");
	struct rank without = *r;
	if (!cohere && r->tokens_each.p)
		chat_drop_hint(loss, "max_tokens_per_doc");
	if (!cohere)
		without.tokens_each = STR_NONE;
	write_path(t, path);
	json_write_init(&w, body);
	cohere_write_rank_body(&without, STR_NONE, &w);
	if (cohere)
		json_member_int(&w, "api_version", 2);
	json_write_object_end(&w);
	chat_drop_extras(&r->rest, loss, NULL);
	return str_empty(loss->refused) && json_write_end(&w);
}

const struct vector_format bedrock_vectors = {
	.write_embed = write_embed,
	.read_vectors = read_vectors,
	.write_rank = write_rank,
	.read_ranking = cohere_read_ranking,
};
