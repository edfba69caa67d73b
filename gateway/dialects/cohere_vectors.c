/*
 * cohere_vectors.c: Cohere's v2 embed and rerank, as providers speak them (API reference of 2026-08).
 */
#include "dialects/vector_parts.h"

/* --- embeddings --- */

/* Cohere wants to know; what is stored is a document. */
static const char *const task_words[TASKS] = {
	[TASK_UNSAID] = "search_document", [TASK_QUERY] = "search_query", [TASK_DOCUMENT] = "search_document",
	[TASK_SIMILARITY] = "clustering", [TASK_CLASSIFICATION] = "classification", [TASK_CLUSTERING] = "clustering",
};

void cohere_write_embed_body(const struct embed *e, struct str model, struct json_write *w)
{
	json_write_object(w);
	if (model.n)
		json_member_string(w, "model", model);
	json_member_string(w, "input_type", str_c(task_words[e->task]));
	json_member_array(w, "texts");
	for (unsigned i = 0; i < e->n; i++)
		json_write_escaped(w, e->inputs[i]);
	json_write_array_end(w);
	json_member_array(w, "embedding_types");
	json_write_string(w, STR("float"));
	json_write_array_end(w);
	if (e->dimensions.p)
		json_member_raw(w, "output_dimension", e->dimensions);
	json_write_object_end(w);
}

static bool write_embed(const struct embed *e, const struct chat_target *t, struct buf *path, struct buf *body, struct chat_loss *loss)
{
	struct json_write w;
	if (!embed_refuse_tokens(e, loss))
		return false;
	buf_add(path, STR("/embed"));
	json_write_init(&w, body);
	cohere_write_embed_body(e, t->model, &w);
	if (e->title.p)
		chat_drop_hint(loss, "title");
	chat_drop_extras(&e->rest, loss, NULL);
	return str_empty(loss->refused) && json_write_end(&w);
}

/* By type, or the older shape: the vectors alone. */
bool cohere_read_vectors(struct str body, const struct embed *e, struct embed_answer *a)
{
	struct str root = json_value(body), all = json_get(root, STR("embeddings")), id = json_get(root, STR("id"));
	a->id = json_type(id) == JSON_STRING ? json_text(e->rest.arena, id) : STR_NONE;
	return vectors_of(json_type(all) == JSON_OBJECT ? json_get(all, STR("float")) : all, NULL, e, a);
}

/* --- rerankings --- */

void cohere_write_rank_body(const struct rank *r, struct str model, struct json_write *w)
{
	json_write_object(w);
	if (model.n)
		json_member_string(w, "model", model);
	json_member_escaped(w, "query", r->query);
	json_member_array(w, "documents");
	for (unsigned i = 0; i < r->n; i++)
		json_write_escaped(w, r->documents[i]);
	json_write_array_end(w);
	if (r->top.p)
		json_member_raw(w, "top_n", r->top);
	if (r->tokens_each.p)
		json_member_raw(w, "max_tokens_per_doc", r->tokens_each);
}

static bool write_rank(const struct rank *r, const struct chat_target *t, struct buf *path, struct buf *body, struct chat_loss *loss)
{
	struct json_write w;
	buf_add(path, STR("/rerank"));
	json_write_init(&w, body);
	cohere_write_rank_body(r, t->model, &w);
	json_write_object_end(&w);
	chat_drop_extras(&r->rest, loss, NULL);
	return str_empty(loss->refused) && json_write_end(&w);
}

bool cohere_read_ranking(struct str body, const struct rank *r, struct rank_answer *a)
{
	struct json_cursor c;
	struct str root = json_value(body), list = json_get(root, STR("results")), id = json_get(root, STR("id"));
	a->id = json_type(id) == JSON_STRING ? json_text(r->rest.arena, id) : STR_NONE;
	a->searches = json_count(json_get(json_get(root, STR("meta")), STR("billed_units")), STR("search_units"));
	if (json_type(list) != JSON_ARRAY || !json_cursor_open(&c, list))
		return false;
	while (json_cursor_next(&c)) {
		struct str score = json_get(c.value, STR("relevance_score"));
		int64_t index;
		if (!json_int(json_get(c.value, STR("index")), &index) || json_type(score) != JSON_NUMBER || !rank_add(a, r, index, score))
			return false;
	}
	return true;
}

const struct vector_format cohere_vectors = {
	.write_embed = write_embed,
	.read_vectors = cohere_read_vectors,
	.write_rank = write_rank,
	.read_ranking = cohere_read_ranking,
};
