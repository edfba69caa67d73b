/*
 * batch.c: what may be taken apart without changing a single answer.
 */
#include "cache/batch.h"

#include "core/call.h"
#include "core/endpoint.h"
#include "wire/json_cursor.h"
#include "wire/json_scan.h"

/* Known to say the same of each item. By others, as `late_chunking`, the items of a batch may be read together. */
static bool is_for_each(struct str key)
{
	static const char *const known[] = {
		"model", "input", "encoding_format", "dimensions", "user", "input_type", "task", "truncate", "truncation", "normalized",
		"output_dimension", "output_dtype", "truncate_prompt_tokens",
	};
	for (size_t i = 0; i < array_len(known); i++)
		if (str_eq(key, str_c(known[i])))
			return true;
	return false;
}

static bool all_for_each(const struct call *call)
{
	for (unsigned i = 0; i < call->json->n_members; i++) {
		const struct json_member *m = &call->json->members[i];
		if (!is_for_each(str_of(call->body.p + m->key_at + 1, m->key_length - 2)))
			return false;
	}
	return true;
}

static bool read_list(struct str list, struct batch *b)
{
	struct json_cursor c;
	bool texts = json_first(list) == '"';
	if (!json_cursor_open(&c, list))
		return false;
	for (b->n = 0; json_cursor_next(&c); b->n++) {
		if (b->n == BATCH_MOST || !(texts ? json_type(c.value) == JSON_STRING : json_list_of(c.value, JSON_NUMBER)))
			return false;
		b->items[b->n] = c.value;
	}
	return b->n > 0;
}

static bool read_input(struct str input, struct batch *b)
{
	if (json_type(input) != JSON_STRING && !json_list_of(input, JSON_NUMBER))
		return json_type(input) == JSON_ARRAY && read_list(input, b);
	b->items[0] = input;
	b->n = 1;
	return true;
}

struct batch *batch_read(struct txn *t)
{
	const struct call *call = t->call;
	if (likely(t->endpoint->good == ANSWER_TEXT) || t->stream || !str_eq(str_c(t->endpoint->name), STR("embeddings")) || !all_for_each(call))
		return NULL;
	struct batch *b = arena_new(&t->arena, struct batch);
	b->member = json_scan_find(call->json, call->body, STR("input"));
	struct str input = b->member ? str_of(call->body.p + b->member->value_at, b->member->value_length) : STR_NONE;
	return read_input(input, b) ? b : NULL;
}
