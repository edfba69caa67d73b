/*
 * vectors_fuzz.c: any JSON as embeddings and rerankings, asked for and answered, of each dialect in each. What is written is JSON.
 */
#include "core/dialect.h"
#include "core/vectors.h"
#include "tests/fuzz/fuzz.h"
#include "wire/json_scan.h"

enum { OUT_MAX = 4 << 20 };

static const char *const names[] = { "openai", "gemini", "bedrock", "cohere" };
static const char *const paths[] = { "/embeddings", "/models/m:embedContent", "/models/m:batchEmbedContents" };
static const char *const models[] = { "m \"x\"", "cohere.embed-v4:0", "models/m" };
static const struct chat_frame frame = { .request_id = STR_INIT("req-1"), .model = STR_INIT("m") };

static const struct vector_format *format(size_t i)
{
	return dialect_find(str_c(names[i]))->vectors;
}

static struct chat_target target_of(struct str in)
{
	return (struct chat_target){ .model = str_c(models[in.n % array_len(models)]), .vertex = in.n & 4 };
}

/* Asked as it is, and answered with the same bytes. */
static void embed(struct str in, const struct vector_format *from, const struct vector_format *to, struct buf *path, struct buf *out)
{
	struct arena a = ARENA_INIT;
	struct embed e = { .rest.arena = &a };
	struct embed_answer said = { .n = 0 };
	struct chat_fault fault = { .field = STR_NONE };
	struct chat_target target = target_of(in);
	struct chat_loss loss = { .policy = (enum on_unsupported)(in.n % 3), .arena = &a };
	if (!from->read_embed(str_c(paths[in.n % array_len(paths)]), in, &e, &fault)) {
		must(fault.field.n && fault.message.n);
	} else {
		buf_clear(out);
		if (to->write_embed(&e, &target, path, out, &loss))
			must(json_scan_is_object(buf_str(out)) && path->n > 0);
		buf_clear(out);
		if (to->read_vectors(in, &e, &said)) {
			from->write_vectors(&e, &said, &frame, out);
			must(said.n == e.n && (out->failed || json_scan_is_object(buf_str(out))));
		}
	}
	arena_clear(&a);
}

static void rank(struct str in, const struct vector_format *from, const struct vector_format *to, struct buf *path, struct buf *out)
{
	struct arena a = ARENA_INIT;
	struct rank r = { .rest.arena = &a };
	struct rank_answer said = { .n = 0 };
	struct chat_fault fault = { .field = STR_NONE };
	struct chat_target target = target_of(in);
	struct chat_loss loss = { .policy = (enum on_unsupported)(in.n % 3), .arena = &a };
	if (!from->read_rank(in, &r, &fault)) {
		must(fault.field.n && fault.message.n);
	} else {
		buf_clear(out);
		if (to->write_rank(&r, &target, path, out, &loss))
			must(json_scan_is_object(buf_str(out)) && path->n > 0);
		buf_clear(out);
		if (to->read_ranking(in, &r, &said)) {
			from->write_ranking(&r, &said, &frame, out);
			must(said.n <= r.n && (out->failed || json_scan_is_object(buf_str(out))));
		}
	}
	arena_clear(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of((const char *)data, size);
	char *copy = alone(in);
	struct buf out = BUF_INIT(OUT_MAX), path = BUF_INIT(4096);
	in.p = copy;
	for (size_t i = 0; i < array_len(names) && json_scan_is_object(in); i++)
		for (size_t j = 0; j < array_len(names); j++) {
			buf_clear(&path);
			if (format(i)->read_embed && format(j)->write_embed)
				embed(in, format(i), format(j), &path, &out);
			if (format(i)->read_rank && format(j)->write_rank)
				rank(in, format(i), format(j), &path, &out);
		}
	buf_free(&out);
	buf_free(&path);
	free(copy);
	return 0;
}
