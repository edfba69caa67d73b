/*
 * gemini_vectors.c: Google's embedContent and batchEmbedContents, both sides, and Vertex's predict, which has embeddings of
 * its own shape there (API references of 2026-08). Newer models on Vertex know embedContent alone, one text at a time.
 */
#include "dialects/gemini_parts.h"
#include "dialects/vector_parts.h"

static const char *const task_words[TASKS] = {
	[TASK_QUERY] = "RETRIEVAL_QUERY", [TASK_DOCUMENT] = "RETRIEVAL_DOCUMENT", [TASK_SIMILARITY] = "SEMANTIC_SIMILARITY",
	[TASK_CLASSIFICATION] = "CLASSIFICATION", [TASK_CLUSTERING] = "CLUSTERING",
};

static enum vector_kind kind(struct str path)
{
	return str_ends(path, STR(":embedContent")) || str_ends(path, STR(":batchEmbedContents")) ? VECTOR_EMBED : VECTOR_NONE;
}

/* --- callers --- */

static bool wrong(struct chat_fault *fault, struct str field, const char *message)
{
	fault->field = field;
	fault->message = str_c(message);
	return false;
}

/* The texts of a content's parts, joined; images and the like are no text. */
static bool read_content(struct embed *e, struct str content, struct str *out)
{
	struct json_cursor c;
	struct str parts = json_get(content, STR("parts"));
	if (json_type(content) == JSON_STRING) {
		*out = json_raw(content);
		return true;
	}
	if (json_type(parts) != JSON_ARRAY || !json_cursor_open(&c, parts) || !json_first(parts))
		return false;
	while (json_cursor_next(&c)) {
		struct str text = json_get(c.value, STR("text"));
		if (json_type(text) != JSON_STRING)
			return false;
		*out = out->n ? arena_printf(e->rest.arena, "%.*s\\n%.*s", STR_FMT(*out), STR_FMT(json_raw(text))) : json_raw(text);
	}
	return true;
}

static void read_task(struct embed *e, struct str value)
{
	static const char *const queries[] = { "QUESTION_ANSWERING", "FACT_VERIFICATION", "CODE_RETRIEVAL_QUERY" };
	e->task_field = "taskType";
	for (int i = 1; i < TASKS; i++)
		if (json_is(value, str_c(task_words[i])))
			e->task = (enum vector_task)i;
	for (size_t i = 0; i < array_len(queries); i++)
		if (json_is(value, str_c(queries[i])))
			e->task = TASK_QUERY;
}

/* One request; of a batch the first one's settings are taken for all, which is how Google's SDKs send them. */
static bool read_one(struct embed *e, struct str request, struct str *input)
{
	if (e->n == 0) {
		struct str title = json_get(request, STR("title"));
		read_task(e, json_either(request, "taskType", "task_type"));
		e->dimensions = json_either(request, "outputDimensionality", "output_dimensionality");
		e->title = json_type(title) == JSON_STRING ? json_raw(title) : STR_NONE;
	}
	e->n++;
	return read_content(e, json_get(request, STR("content")), input);
}

static bool read_embed(struct str path, struct str body, struct embed *e, struct chat_fault *fault)
{
	struct json_cursor c;
	struct str root = json_value(body), list = json_get(root, STR("requests"));
	unsigned n = 0;
	e->one = str_ends(path, STR(":embedContent"));
	if (!e->one && (json_type(list) != JSON_ARRAY || !json_cursor_open(&c, list) || !json_first(list)))
		return wrong(fault, STR("requests"), "must be a list, and not empty");
	while (!e->one && json_cursor_next(&c))
		n++;
	struct str *inputs = vectors_room(e->rest.arena, e->one ? 1 : n);
	e->inputs = inputs;
	if (e->one)
		return read_one(e, root, &inputs[0]) || wrong(fault, STR("content"), "must hold text; images are embedded by Google's own models only");
	json_cursor_open(&c, list);
	for (n = 0; n < VECTOR_INPUTS_MAX && json_cursor_next(&c); n++)
		if (!read_one(e, c.value, &inputs[n]))
			return wrong(fault, arena_printf(e->rest.arena, "requests[%u].content", n), "must hold text");
	return !json_cursor_next(&c) || wrong(fault, STR("requests"), "are too many");
}

static void write_values(struct json_write *w, struct str vector)
{
	json_write_object(w);
	json_member_raw(w, "values", vector);
	json_write_object_end(w);
}

static void write_vectors(const struct embed *e, const struct embed_answer *a, const struct chat_frame *f, struct buf *out)
{
	struct json_write w;
	(void)f;
	json_write_init(&w, out);
	json_write_object(&w);
	json_write_key(&w, e->one ? STR("embedding") : STR("embeddings"));
	if (!e->one)
		json_write_array(&w);
	for (unsigned i = 0; i < a->n; i++)
		write_values(&w, a->vectors[i]);
	if (!e->one)
		json_write_array_end(&w);
	if (a->usage.known) {
		json_member_object(&w, "usageMetadata");
		json_member_int(&w, "promptTokenCount", a->usage.input);
		json_write_object_end(&w);
	}
	json_write_object_end(&w);
}

/* --- providers --- */

/* The path with another verb than generateContent. */
static void write_path(const struct chat_target *t, const char *verb, struct buf *path)
{
	gemini_write_path(t, false, path);
	path->n -= sizeof(":generateContent") - 1;
	buf_add(path, str_c(verb));
}

static void write_settings(const struct embed *e, struct json_write *w, bool snake)
{
	if (e->task != TASK_UNSAID)
		json_member_string(w, snake ? "task_type" : "taskType", str_c(task_words[e->task]));
	if (e->title.p)
		json_member_escaped(w, "title", e->title);
}

static void write_content(struct json_write *w, struct str text)
{
	json_member_object(w, "content");
	json_member_array(w, "parts");
	json_write_object(w);
	json_member_escaped(w, "text", text);
	json_write_object_end(w);
	json_write_array_end(w);
	json_write_object_end(w);
}

static void write_batch(const struct embed *e, const struct chat_target *t, struct json_write *w, struct str model)
{
	bool named = str_starts(t->model, STR("models/"));
	json_member_array(w, "requests");
	for (unsigned i = 0; i < e->n; i++) {
		json_write_object(w);
		json_member_string(w, "model", named ? t->model : model);
		write_content(w, e->inputs[i]);
		write_settings(e, w, false);
		if (e->dimensions.p)
			json_member_raw(w, "outputDimensionality", e->dimensions);
		json_write_object_end(w);
	}
	json_write_array_end(w);
}

static void write_predict(const struct embed *e, struct json_write *w)
{
	json_member_array(w, "instances");
	for (unsigned i = 0; i < e->n; i++) {
		json_write_object(w);
		json_member_escaped(w, "content", e->inputs[i]);
		write_settings(e, w, true);
		json_write_object_end(w);
	}
	json_write_array_end(w);
	if (!e->dimensions.p)
		return;
	json_member_object(w, "parameters");
	json_member_raw(w, "outputDimensionality", e->dimensions);
	json_write_object_end(w);
}

static void write_single(const struct embed *e, struct json_write *w)
{
	write_content(w, e->inputs[0]);
	write_settings(e, w, false);
	if (e->dimensions.p)
		json_member_raw(w, "outputDimensionality", e->dimensions);
}

static bool write_embed(const struct embed *e, const struct chat_target *t, struct buf *path, struct buf *body, struct chat_loss *loss)
{
	struct json_write w;
	bool single = t->vertex && str_has(t->model, STR("gemini-embedding-2"));
	if (!embed_refuse_tokens(e, loss) || (single && !embed_refuse_several(e, loss)))
		return false;
	write_path(t, single ? ":embedContent" : t->vertex ? ":predict" : ":batchEmbedContents", path);
	json_write_init(&w, body);
	json_write_object(&w);
	if (single)
		write_single(e, &w);
	else if (t->vertex)
		write_predict(e, &w);
	else
		write_batch(e, t, &w, arena_printf(e->rest.arena, "models/%.*s", STR_FMT(t->model)));
	json_write_object_end(&w);
	chat_drop_extras(&e->rest, loss, NULL);
	return str_empty(loss->refused) && json_write_end(&w);
}

/* Vertex: {"predictions": [{"embeddings": {"values": [...]}}]} */
static bool read_predictions(struct str list, const struct embed *e, struct embed_answer *a)
{
	struct json_cursor c;
	if (json_type(list) != JSON_ARRAY || !json_cursor_open(&c, list))
		return false;
	a->vectors = vectors_room(e->rest.arena, e->n);
	while (json_cursor_next(&c)) {
		struct str v = json_get(json_get(c.value, STR("embeddings")), STR("values"));
		if (a->n == e->n || json_type(v) != JSON_ARRAY)
			return false;
		a->vectors[a->n++] = v;
	}
	return a->n == e->n;
}

static bool read_vectors(struct str body, const struct embed *e, struct embed_answer *a)
{
	struct str root = json_value(body), predictions = json_get(root, STR("predictions"));
	struct str one = json_get(json_get(root, STR("embedding")), STR("values"));
	if (one.p)
		return vectors_single(one, e, a);
	return predictions.p ? read_predictions(predictions, e, a) : vectors_of(json_get(root, STR("embeddings")), "values", e, a);
}

const struct vector_format gemini_vectors = {
	.kind = kind,
	.read_embed = read_embed,
	.write_vectors = write_vectors,
	.write_embed = write_embed,
	.read_vectors = read_vectors,
};
