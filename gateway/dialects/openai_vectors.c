/*
 * openai_vectors.c: OpenAI's embeddings, both sides, and rerankings as callers know them: Cohere's words (Jina, vLLM,
 * OpenRouter and others took them over) or Voyage's (`top_k`, `data`). Formats read 2026-08.
 */
#include "dialects/openai_embeddings.h"
#include "dialects/vector_parts.h"

enum { BASE64_MAX = 64 << 20 };

static enum vector_kind kind(struct str path)
{
	return str_eq(path, STR("/embeddings")) ? VECTOR_EMBED : str_eq(path, STR("/rerank")) ? VECTOR_RANK : VECTOR_NONE;
}

/* --- shared with others --- */

/* The texts of a JSON array of strings. False: one is none. */
static bool spelled_texts(struct arena *arena, struct str array, const struct str **out, unsigned *n)
{
	struct json_cursor c;
	unsigned count = 0;
	if (!json_cursor_open(&c, array))
		return false;
	while (json_cursor_next(&c))
		count++;
	struct str *texts = vectors_room(arena, count < VECTOR_INPUTS_MAX ? count : VECTOR_INPUTS_MAX);
	*out = texts;
	*n = 0;
	json_cursor_open(&c, array);
	while (json_cursor_next(&c)) {
		if (json_type(c.value) != JSON_STRING || *n == VECTOR_INPUTS_MAX)
			return false;
		texts[(*n)++] = json_raw(c.value);
	}
	return true;
}

bool vectors_of(struct str list, const char *member, const struct embed *e, struct embed_answer *a)
{
	struct json_cursor c;
	a->vectors = vectors_room(e->rest.arena, e->n);
	if (json_type(list) != JSON_ARRAY || !json_cursor_open(&c, list))
		return false;
	while (json_cursor_next(&c)) {
		struct str v = member ? json_get(c.value, str_c(member)) : c.value;
		if (a->n == e->n || !json_list_of(v, JSON_NUMBER))
			return false;
		a->vectors[a->n++] = v;
	}
	return a->n == e->n;
}

/* --- embeddings, callers --- */

static bool wrong(struct chat_fault *fault, const char *field, const char *message)
{
	fault->field = str_c(field);
	fault->message = str_c(message);
	return false;
}

static bool read_tokens(struct embed *e, struct str array, bool nested)
{
	struct json_cursor c;
	unsigned n = 0;
	if (!json_cursor_open(&c, array))
		return false;
	while (nested && json_cursor_next(&c))
		n++;
	struct str *inputs = vectors_room(e->rest.arena, n);
	json_cursor_open(&c, array);
	e->tokens = true;
	e->inputs = inputs;
	while (nested && json_cursor_next(&c)) {
		if (!json_list_of(c.value, JSON_NUMBER) || e->n == VECTOR_INPUTS_MAX)
			return false;
		inputs[e->n++] = c.value;
	}
	if (!nested)
		inputs[e->n++] = array;
	return nested || json_list_of(array, JSON_NUMBER);
}

static bool read_inputs(struct embed *e, struct str input)
{
	char first = json_type(input) == JSON_ARRAY ? json_first(input) : 0;
	if (json_type(input) == JSON_STRING) {
		struct str *one = vectors_room(e->rest.arena, 1);
		one[0] = json_raw(input);
		e->inputs = one;
		e->n = 1;
		return true;
	}
	if (first == '"')
		return spelled_texts(e->rest.arena, input, &e->inputs, &e->n);
	return first && read_tokens(e, input, first == '[');
}

/* Words of Cohere, Voyage, NIM and Jina. */
static const struct {
	const char *word;
	enum vector_task task;
} task_words[] = {
	{ "search_query", TASK_QUERY }, { "query", TASK_QUERY }, { "retrieval.query", TASK_QUERY }, { "search_document", TASK_DOCUMENT },
	{ "document", TASK_DOCUMENT }, { "passage", TASK_DOCUMENT }, { "retrieval.passage", TASK_DOCUMENT },
	{ "text-matching", TASK_SIMILARITY }, { "classification", TASK_CLASSIFICATION }, { "clustering", TASK_CLUSTERING },
	{ "separation", TASK_CLUSTERING },
};

static void read_task(struct embed *e, const char *field, struct str value)
{
	for (size_t i = 0; i < array_len(task_words); i++)
		if (json_is(value, str_c(task_words[i].word))) {
			e->task = task_words[i].task;
			e->task_field = field;
			return;
		}
	chat_add_extra(&e->rest, field, false, value);
}

static bool read_member(struct embed *e, struct str key, struct str value, struct chat_fault *fault)
{
	if (json_type(value) == JSON_NULL || str_eq(key, STR("model")))
		return true;
	if (str_eq(key, STR("dimensions")))
		return (e->dimensions = value, json_type(value) == JSON_NUMBER) || wrong(fault, "dimensions", "must be a number");
	if (str_eq(key, STR("encoding_format"))) {
		e->base64 = json_is(value, STR("base64"));
		return e->base64 || json_is(value, STR("float")) || wrong(fault, "encoding_format", "must be float or base64");
	}
	if (str_eq(key, STR("input_type")))
		read_task(e, "input_type", value);
	else if (str_eq(key, STR("task")))
		read_task(e, "task", value);
	else if (str_eq(key, STR("user")))
		chat_add_extra(&e->rest, "user", false, value);
	else if (!str_eq(key, STR("input")))
		chat_add_unknown(&e->rest, arena_copy(e->rest.arena, key), false, value);
	return true;
}

static bool read_embed(struct str path, struct str body, struct embed *e, struct chat_fault *fault)
{
	struct json_cursor c;
	(void)path;
	if (!read_inputs(e, json_get(json_value(body), STR("input"))))
		return wrong(fault, "input", "must be a text, a list of texts, or tokens, and not empty");
	if (json_cursor_open(&c, json_value(body)))
		while (json_cursor_next(&c))
			if (!read_member(e, c.key, c.value, fault))
				return false;
	return true;
}

static void write_vector(struct json_write *w, const struct embed *e, struct str vector)
{
	struct buf packed = BUF_INIT(BASE64_MAX);
	if (e->base64 && openai_vector_to_base64(vector, &packed))
		json_member_raw(w, "embedding", buf_str(&packed));
	else
		json_member_raw(w, "embedding", vector);
	buf_free(&packed);
}

static void write_usage(struct json_write *w, const struct usage *u)
{
	json_member_object(w, "usage");
	json_member_int(w, "prompt_tokens", u->input);
	json_member_int(w, "total_tokens", u->input);
	json_write_object_end(w);
}

static struct str model_of(struct str said, const struct chat_frame *f)
{
	return said.n ? said : f->model;
}

static void write_vectors(const struct embed *e, const struct embed_answer *a, const struct chat_frame *f, struct buf *out)
{
	struct json_write w;
	json_write_init(&w, out);
	json_write_object(&w);
	json_member_string(&w, "object", STR("list"));
	json_member_array(&w, "data");
	for (unsigned i = 0; i < a->n; i++) {
		json_write_object(&w);
		json_member_string(&w, "object", STR("embedding"));
		json_member_int(&w, "index", i);
		write_vector(&w, e, a->vectors[i]);
		json_write_object_end(&w);
	}
	json_write_array_end(&w);
	json_member_string(&w, "model", model_of(a->model, f));
	write_usage(&w, &a->usage);
	json_write_object_end(&w);
}

/* --- embeddings, providers --- */

static bool write_embed(const struct embed *e, const struct chat_target *t, struct buf *path, struct buf *body, struct chat_loss *loss)
{
	struct json_write w;
	buf_add(path, STR("/embeddings"));
	json_write_init(&w, body);
	json_write_object(&w);
	json_member_string(&w, "model", t->model);
	json_member_array(&w, "input");
	for (unsigned i = 0; i < e->n; i++)
		if (e->tokens)
			json_write_raw(&w, e->inputs[i]);
		else
			json_write_escaped(&w, e->inputs[i]);
	json_write_array_end(&w);
	if (e->dimensions.p)
		json_member_raw(&w, "dimensions", e->dimensions);
	json_member_string(&w, "encoding_format", STR("float"));
	json_write_object_end(&w);
	if (e->task != TASK_UNSAID)
		chat_drop_hint(loss, e->task_field);
	if (e->title.p)
		chat_drop_hint(loss, "title");
	chat_drop_extras(&e->rest, loss, NULL);
	return str_empty(loss->refused) && json_write_end(&w);
}

static bool read_vectors(struct str body, const struct embed *e, struct embed_answer *a)
{
	struct str model = json_get(json_value(body), STR("model"));
	a->model = json_type(model) == JSON_STRING ? json_text(e->rest.arena, model) : STR_NONE;
	return vectors_of(json_get(json_value(body), STR("data")), "embedding", e, a);
}

/* --- rerankings, callers --- */

static bool read_documents(struct rank *r, struct str list, struct chat_fault *fault)
{
	struct json_cursor c;
	unsigned n = 0;
	if (json_type(list) != JSON_ARRAY || !json_cursor_open(&c, list) || !json_first(list))
		return wrong(fault, "documents", "must be a list of texts, and not empty");
	while (json_cursor_next(&c))
		n++;
	struct str *documents = vectors_room(r->rest.arena, n);
	r->documents = documents;
	json_cursor_open(&c, list);
	while (json_cursor_next(&c)) {
		struct str text = json_type(c.value) == JSON_OBJECT ? json_get(c.value, STR("text")) : c.value;
		if (json_type(text) != JSON_STRING || r->n == VECTOR_INPUTS_MAX) {
			fault->field = arena_printf(r->rest.arena, "documents[%u]", r->n);
			fault->message = STR("must be a text, or an object with `text`");
			return false;
		}
		documents[r->n++] = json_raw(text);
	}
	return true;
}

static bool read_number(struct str value, struct str *to, struct chat_fault *fault, const char *field)
{
	int64_t n;
	*to = value;
	return (json_int(value, &n) && n > 0) || wrong(fault, field, "must be a number above 0");
}

static bool read_rank_member(struct rank *r, struct str key, struct str value, struct chat_fault *fault)
{
	if (json_type(value) == JSON_NULL || str_eq(key, STR("model")) || str_eq(key, STR("query")) || str_eq(key, STR("documents")))
		return true;
	if (str_eq(key, STR("top_n")))
		return read_number(value, &r->top, fault, "top_n");
	if (str_eq(key, STR("top_k"))) {
		r->top_k = true;
		return read_number(value, &r->top, fault, "top_k");
	}
	if (str_eq(key, STR("max_tokens_per_doc")))
		return read_number(value, &r->tokens_each, fault, "max_tokens_per_doc");
	if (str_eq(key, STR("return_documents")))
		r->documents_back = json_type(value) == JSON_TRUE;
	else
		chat_add_unknown(&r->rest, arena_copy(r->rest.arena, key), false, STR_NONE);
	return true;
}

static bool read_rank(struct str body, struct rank *r, struct chat_fault *fault)
{
	struct json_cursor c;
	struct str root = json_value(body), query = json_get(root, STR("query"));
	if (json_type(query) != JSON_STRING)
		return wrong(fault, "query", "must be a text");
	r->query = json_raw(query);
	if (!read_documents(r, json_get(root, STR("documents")), fault) || !json_cursor_open(&c, root))
		return false;
	while (json_cursor_next(&c))
		if (!read_rank_member(r, c.key, c.value, fault))
			return false;
	return true;
}

static void write_ranked(struct json_write *w, const struct rank *r, const struct ranked *x)
{
	json_write_object(w);
	json_member_int(w, "index", x->index);
	json_member_raw(w, "relevance_score", x->score);
	if (r->documents_back && r->top_k) {
		json_member_escaped(w, "document", r->documents[x->index]);
	} else if (r->documents_back) {
		json_member_object(w, "document");
		json_member_escaped(w, "text", r->documents[x->index]);
		json_write_object_end(w);
	}
	json_write_object_end(w);
}

/* What Cohere's clients read (`meta`) and what Jina's and vLLM's read (`usage`) do not get in each other's way. */
static void write_ranking(const struct rank *r, const struct rank_answer *a, const struct chat_frame *f, struct buf *out)
{
	struct json_write w;
	json_write_init(&w, out);
	json_write_object(&w);
	if (r->top_k)
		json_member_string(&w, "object", STR("list"));
	else
		json_member_string(&w, "id", a->id.n ? a->id : f->request_id);
	json_member_array(&w, r->top_k ? "data" : "results");
	for (unsigned i = 0; i < a->n; i++)
		write_ranked(&w, r, &a->ranked[i]);
	json_write_array_end(&w);
	json_member_string(&w, "model", model_of(a->model, f));
	json_member_object(&w, "usage");
	json_member_int(&w, "total_tokens", a->usage.input);
	json_write_object_end(&w);
	if (!r->top_k && a->searches) {
		json_member_object(&w, "meta");
		json_member_object(&w, "billed_units");
		json_member_int(&w, "search_units", a->searches);
		json_write_object_end(&w);
		json_write_object_end(&w);
	}
	json_write_object_end(&w);
}

const struct vector_format openai_vectors = {
	.kind = kind,
	.read_embed = read_embed,
	.write_vectors = write_vectors,
	.read_rank = read_rank,
	.write_ranking = write_ranking,
	.write_embed = write_embed,
	.read_vectors = read_vectors,
};
