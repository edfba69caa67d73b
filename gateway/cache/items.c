/*
 * items.c: what is known of a batch, and the request for the rest of it.
 */
#include "cache/items.h"

#include <stdlib.h>

#include "base/mem.h"
#include "core/call.h"
#include "core/families.h"
#include "store/worker_store.h"
#include "wire/json_scan.h"

/* --- life --- */

static uint64_t weight_of(struct str input)
{
	uint64_t numbers = 1;
	if (input.p[0] == '"')
		return input.n;
	for (size_t i = 0; i < input.n; i++)
		numbers += input.p[i] == ',';
	return numbers;
}

static unsigned first_of(const struct cache_items *s, unsigned i)
{
	unsigned first = 0;
	while (strcmp(s->item[first].key, s->item[i].key) != 0)
		first++;
	return first;
}

static void item_init(struct cache_items *s, unsigned i, struct str input, const uint8_t digest[DIGEST_SIZE])
{
	struct cache_item *it = &s->item[i];
	char hex[2 * DIGEST_SIZE + 1];
	digest_to_hex(digest, hex);
	cache_key_name(str_of(hex, 2 * DIGEST_SIZE), it->key);
	it->all = s;
	it->input = input;
	it->weight = weight_of(input);
	it->first = first_of(s, i);
	buf_init(&it->found, s->c->most + ENTRY_OVERHEAD);
	buf_init(&it->unpacked, s->c->most);
}

struct cache_items *items_new(struct cached *c, const struct batch *b)
{
	uint8_t digests[BATCH_MOST][DIGEST_SIZE];
	struct cache_items *s = cache_key_items(c->t, &c->wish, b, digests) ? calloc(1, sizeof(*s) + b->n * sizeof(s->item[0])) : NULL;
	if (!s)
		return NULL;
	s->c = c;
	s->body = c->t->call->body;
	s->shared = c->t->call->shared;
	s->json = c->t->call->json;
	s->input_at = b->member->value_at;
	s->input_length = b->member->value_length;
	s->n = b->n;
	buf_init(&s->answer, FLIGHT_MOST);
	buf_init(&c->converted, ITEMS_BYTES);
	for (unsigned i = 0; i < s->n; i++)
		item_init(s, i, b->items[i], digests[i]);
	return s;
}

void items_free(struct cache_items *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		buf_free(&s->item[i].found);
		buf_free(&s->item[i].unpacked);
	}
	buf_free(&s->answer);
	free(s);
}

/* --- looking up --- */

static void one_said(struct cache_items *s)
{
	struct cached *c = s->c;
	if (--s->asking > 0)
		return;
	c->asking = false;
	if (c->parked)
		txn_resume(c->t, c->generation);
}

static void on_value(struct store_call *call)
{
	struct cache_item *it = container_of(call, struct cache_item, call);
	struct cache_items *s = it->all;
	it->asking = false;
	if (call->result == STORE_OK && s->bytes + call->value.n <= ITEMS_BYTES) {	/* more is as good as cut: no entry */
		s->bytes += call->value.n;
		buf_add(&it->found, call->value);
	}
	one_said(s);
}

static void ask_one(struct cache_items *s, struct cache_item *it)
{
	buf_clear(&it->found);
	buf_clear(&it->unpacked);
	s->asking++;
	it->asking = true;
	it->call = (struct store_call){ .done = on_value };
	store_get(worker_store(), &it->call, str_c(it->key));
}

void items_ask(struct cache_items *s)
{
	s->bytes = 0;
	s->narrowed = false;
	s->asking = 1;
	s->c->asking = true;
	for (unsigned i = 0; i < s->n; i++)
		if (s->item[i].first == i)
			ask_one(s, &s->item[i]);
	one_said(s);
}

void items_stop(struct cache_items *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->item[i].asking)
			store_cancel(worker_store(), &s->item[i].call);
	for (unsigned i = 0; i < s->n; i++)
		s->item[i].asking = false;
	s->asking = 0;
}

/* --- what it said --- */

static void judge_one(struct cache_items *s, struct cache_item *it)
{
	struct entry *e = &it->entry;
	*e = (struct entry){ .stream = false };
	it->bought = false;
	it->missed = cache_judge(s->c, it->call.result, buf_str(&it->found), &it->unpacked, e);
	if (e->type.p && !batch_answer_read(e->body, &it->frame, &it->vector, 1)) {
		*e = (struct entry){ .stream = false };
		it->missed = "form";
	}
}

/* Vectors of two models do not go together. Those that are not like the latest one are asked for anew. */
static void leave_out_others(struct cache_items *s)
{
	const struct cache_item *latest = NULL;
	for (unsigned i = 0; i < s->n; i++)
		if (s->item[i].entry.type.p && (!latest || s->item[i].entry.stored_us > latest->entry.stored_us))
			latest = &s->item[i];
	for (unsigned i = 0; i < s->n; i++) {
		struct cache_item *it = &s->item[i];
		if (!it->entry.type.p || it->vector.size == latest->vector.size)
			continue;
		it->entry = (struct entry){ .stream = false };
		it->missed = "form";
	}
}

static void count(struct cache_items *s)
{
	s->n_known = s->n_bought = 0;
	for (unsigned i = 0; i < s->n; i++) {
		bool missed = s->item[s->item[i].first].missed;
		s->n_known += !missed;
		s->n_bought += missed && s->item[i].first == i;
	}
}

static void forget_all(struct cache_items *s, const char *why)
{
	for (unsigned i = 0; i < s->n; i++)
		s->item[s->item[i].first].missed = why;
	count(s);
}

const char *items_judge(struct cache_items *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->item[i].first == i)
			judge_one(s, &s->item[i]);
	leave_out_others(s);
	count(s);
	if (s->n_bought == 0 && !items_compose(s))
		forget_all(s, "form");
	for (unsigned i = 0; i < s->n; i++)
		if (s->item[i].missed)
			return s->item[i].missed;
	return NULL;
}

bool items_stale(struct cache_items *s, int64_t over_us)
{
	s->merging = false;
	for (unsigned i = 0; i < s->n; i++) {
		const struct entry *e = &s->item[s->item[i].first].entry;
		if (!e->type.p || s->item[s->item[i].first].bought || e->age_us - s->c->ttl_us > over_us)
			return false;
	}
	s->n_known = s->n;
	return items_compose(s);
}

/* --- asking for the rest --- */

static struct str smaller_body(struct cache_items *s)
{
	struct str body = s->body;
	struct buf b = BUF_INIT(SIZE_MAX >> 1);
	char next = '[';
	buf_add(&b, str_head(body, s->input_at));
	for (unsigned i = 0; i < s->n; i++) {
		if (s->item[i].first != i || !s->item[i].missed)
			continue;
		buf_addc(&b, next);
		buf_add(&b, s->item[i].input);
		next = ',';
	}
	buf_addc(&b, ']');
	buf_add(&b, str_skip(body, s->input_at + s->input_length));
	struct str text = b.failed ? STR_NONE : arena_copy(&s->c->t->arena, buf_str(&b));
	buf_free(&b);
	return text;
}

static void set_body(struct call *call, struct str body, struct shared_bytes *shared, const struct json_scan *json)
{
	const struct json_member *model = json_scan_find(json, body, STR("model"));
	call->body = body;
	call->shared = shared;
	call->json = json;
	call->model_at = model ? model->value_at : 0;
	call->prompt = (struct prompt){ .measured = false };
}

void items_narrow(struct cache_items *s)
{
	struct txn *t = s->c->t;
	if (s->narrowed)
		return;
	set_body(t->call, s->body, s->shared, s->json);
	t->call->whole = STR_NONE;
	if (s->n_bought == s->n)
		return;
	struct str text = smaller_body(s);
	struct json_scan *json = arena_new(&t->arena, struct json_scan);
	json_scan_init(json, &t->arena);
	s->narrowed = text.n && json_scan_feed(json, text.p, text.n, true) == JSON_DONE;
	if (!s->narrowed) {	/* there was no memory for it */
		forget_all(s, "form");
		return;
	}
	set_body(t->call, text, NULL, json);
	t->call->whole = s->body;
}
