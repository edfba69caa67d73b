/*
 * cache.c: look-up on the way in, a recording sink on the way out.
 *
 * A value begins with a fixed head: format, length and checksum of the rest, what the answer
 * cost, its tokens. Whatever does not fit is a miss.
 */
#include "cache/cache.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cache/cache_key.h"
#include "core/call.h"
#include "core/endpoint.h"
#include "core/families.h"
#include "core/plan.h"
#include "core/snapshot.h"
#include "store/worker_store.h"

static const uint32_t FORMAT = 0x31635757;	/* "WWc1" */

struct entry_head {
	uint32_t format;
	uint32_t type_length;		/* of the content type, which stands first */
	uint64_t body_length, checksum;	/* of type and body together */
	int64_t cost, input, output, cached;
	int64_t stored_s;		/* Unix time */
};

struct cached {
	struct sink sink;		/* records; first member of what sinks see */
	struct txn *t;
	uint32_t generation;
	struct store_call call;
	bool asking, parked;
	char key[8 + 2 * DIGEST_SIZE + 1];
	int64_t ttl_ms;
	uint64_t max_entry;
	bool tools, recording, spoiled;
	struct buf bytes;		/* a head's room, the content type, the body */
	size_t type_length;
};

static void free_cached(struct txn *t)
{
	if (!t->cached)
		return;
	buf_free(&t->cached->bytes);
	free(t->cached);
	t->cached = NULL;
}

/* --- recording --- */

static bool says(struct str body, const char *const *words)
{
	for (; *words; words++)
		if (str_has(body, str_c(*words)))
			return true;
	return false;
}

/* Filtered answers never, tool calls only where they are wanted: their effects are not repeated by a replay. */
static bool worth_keeping(const struct cached *c, struct str body)
{
	static const char *const filtered[] = { "\"content_filter\"", "\"stop_reason\":\"refusal\"", "\"status\":\"incomplete\"", NULL };
	static const char *const tools[] = { "\"tool_calls\":[{", "\"tool_calls\": [{", "\"tool_use\"", "\"function_call\"", NULL };
	return body.n && !says(body, filtered) && (c->tools || !says(body, tools));
}

static void keep(struct cached *c)
{
	struct txn *t = c->t;
	struct str rest = str_skip(buf_str(&c->bytes), sizeof(struct entry_head)), body = str_skip(rest, c->type_length);
	struct entry_head head = {
		.format = FORMAT, .type_length = (uint32_t)c->type_length, .body_length = body.n, .checksum = str_hash(rest), .cost = t->cost,
		.input = t->usage.input, .output = t->usage.output, .cached = t->usage.cached, .stored_s = clock_wall_us() / SECOND_US,
	};
	if (c->spoiled || c->bytes.failed || t->unrecorded || t->answer.status != 200 || !worth_keeping(c, body))
		return;
	memcpy(c->bytes.p, &head, sizeof(head));
	store_put(worker_store(), NULL, str_c(c->key), buf_str(&c->bytes), c->ttl_ms);
}

static void begin_recording(struct cached *c)
{
	struct entry_head room = { .format = 0 };
	buf_clear(&c->bytes);
	buf_add(&c->bytes, str_of((const char *)&room, sizeof(room)));
	buf_add(&c->bytes, c->t->answer.content_type);
	c->type_length = c->t->answer.content_type.n;
}

static void record(struct cached *c, const struct delta *d)
{
	bool comment = d->kind == DELTA_EVENT && str_starts(d->raw, STR(":"));
	switch (d->kind) {
	case DELTA_HEAD:
		begin_recording(c);
		break;
	case DELTA_EVENT:
	case DELTA_BYTES:
		if (!comment && !buf_add(&c->bytes, d->raw)) {
			c->spoiled = true;	/* too large: let go of it at once */
			buf_free(&c->bytes);
		}
		break;
	case DELTA_END:
		break;
	}
}

static enum sink_result take(struct sink *s, struct delta *d)
{
	struct cached *c = container_of(s, struct cached, sink);
	enum sink_result r = sink_pass(s, d);
	if (r == SINK_TAKEN && !c->spoiled)
		record(c, d);
	if (r == SINK_TAKEN && d->kind == DELTA_END)
		c->recording = !c->spoiled;	/* whole; its cost is known when the transaction is over */
	return r;
}

/* --- replaying --- */

static bool read_entry(struct str value, struct entry_head *head, struct str *type, struct str *body)
{
	if (value.n < sizeof(*head))
		return false;
	memcpy(head, value.p, sizeof(*head));
	struct str rest = str_skip(value, sizeof(*head));
	if (head->format != FORMAT || head->type_length > rest.n || head->body_length != rest.n - head->type_length ||
	    head->checksum != str_hash(rest))
		return false;
	*type = str_head(rest, head->type_length);
	*body = str_skip(rest, head->type_length);
	return true;
}

static void emit(struct txn *t, enum delta_kind kind, struct str raw)
{
	struct delta d = { .kind = kind, .raw = raw, .content = true };
	t->sinks->take(t->sinks, &d);
}

static void replay(struct txn *t, const struct entry_head *head, struct str type, struct str body)
{
	t->cache_state = "hit";
	t->cost_known = true;
	t->usage = (struct usage){ .known = true, .input = head->input, .output = head->output, .cached = head->cached,
				   .total = head->input + head->output };
	t->answer.status = 200;
	t->answer.content_type = type;
	t->answer.event_stream = t->stream;
	t->answer.length = t->stream ? ANSWER_CHUNKED : (int64_t)body.n;
	t->first_content_us = loop_now(t->loop);
	families_cache(t->live_model, "hit", head->cost);
	emit(t, DELTA_HEAD, STR_NONE);
	t->answer.content = true;
	emit(t, t->stream ? DELTA_EVENT : DELTA_BYTES, body);
	emit(t, DELTA_END, STR_NONE);
}

/* --- looking up --- */

static void on_value(struct store_call *call)
{
	struct cached *c = container_of(call, struct cached, call);
	c->asking = false;
	if (call->result == STORE_OK)	/* readable now only */
		buf_add(&c->bytes, call->value);
	if (c->parked)
		txn_resume(c->t, c->generation);
}

static void cancel(struct txn *t)
{
	struct cached *c = t->cached;
	if (c && c->asking)
		store_cancel(worker_store(), &c->call);
	if (c)
		c->asking = c->parked = false;
}

static bool says_header(const struct txn *t, const char *word)
{
	return str_ihas(t->req->header[RH_WEIR_CACHE], str_c(word)) || str_ihas(t->req->header[RH_CACHE_CONTROL], str_c(word));
}

static bool has_part(const struct txn *t)
{
	static const char *const endpoints[] = { "chat", "completions", "responses", "messages", "embeddings", "rerank", "moderations" };
	if (!(t->cache_wish ? t->cache_wish > 0 : t->plan->model->policy.cache) || !worker_store() || t->method != HTTP_POST || !t->call->json || t->call->upload)
		return false;
	for (size_t i = 0; i < array_len(endpoints); i++)
		if (str_eq(str_c(t->endpoint->name), str_c(endpoints[i])))
			return true;
	return false;
}

static struct cached *make(struct txn *t)
{
	const struct cache_settings *s = &t->snapshot->settings.cache;
	struct cached *c = mem_alloc(sizeof(*c));
	uint8_t digest[DIGEST_SIZE];
	*c = (struct cached){ .t = t, .generation = t->generation, .ttl_ms = s->ttl_us / MS_US, .max_entry = s->max_entry, .tools = s->tools };
	buf_init(&c->bytes, s->max_entry + sizeof(struct entry_head) + 256);
	cache_key(t, digest);
	memcpy(c->key, "answer/", 7);
	digest_to_hex(digest, c->key + 7);
	return c;
}

static enum stage_result miss(struct txn *t, bool keep_it)
{
	struct cached *c = t->cached;
	buf_free(&c->bytes);
	families_cache(t->live_model, keep_it ? "miss" : "bypass", 0);
	t->cache_state = keep_it ? "miss" : "bypass";
	if (!keep_it) {
		free_cached(t);
		return STAGE_NEXT;
	}
	c->sink.take = take;
	txn_lay_sink(t, &c->sink);
	return STAGE_NEXT;
}

static enum stage_result decide(struct txn *t)
{
	struct cached *c = t->cached;
	struct entry_head head;
	struct str type, body;
	t->cancel = NULL;
	c->parked = false;
	if (c->call.result == STORE_OK && read_entry(buf_str(&c->bytes), &head, &type, &body)) {
		replay(t, &head, type, body);
		txn_end(t);
		return STAGE_ANSWERED;
	}
	if (says_header(t, "only-if-cached") || str_ieq(str_trim(t->req->header[RH_WEIR_CACHE]), STR("only")))
		return txn_error(t, ERR_TIMEOUT, "There is no kept answer to this, and only a kept one was wanted.");
	return miss(t, true);
}

static enum stage_result enter(struct txn *t)
{
	if (!t->cached) {
		if (!has_part(t))
			return STAGE_NEXT;
		t->cached = make(t);
		if (says_header(t, "no-store"))
			return miss(t, false);
		if (says_header(t, "no-cache"))
			return miss(t, true);
		t->cached->asking = true;
		t->cached->call = (struct store_call){ .done = on_value };
		store_get(worker_store(), &t->cached->call, str_c(t->cached->key));
	}
	if (t->cached->asking) {
		t->cached->parked = true;
		t->cancel = cancel;
		return STAGE_PARKED;
	}
	return decide(t);
}

static void leave(struct txn *t)
{
	struct cached *c = t->cached;
	if (!c)
		return;
	if (c->asking)
		store_cancel(worker_store(), &c->call);
	if (c->recording && !t->cut && !t->caller_gone && t->error.kind == ERR_NONE)
		keep(c);
	free_cached(t);
}

const struct stage cache_stage = { .name = "cache", .enter = enter, .leave = leave };
