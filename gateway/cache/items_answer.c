/*
 * items_answer.c: what came of the smaller batch: each new vector with its part of tokens and money, put together with
 * those that were known, and kept by itself.
 */
#include "cache/items.h"

#include <stdio.h>

#include "core/dialect.h"
#include "core/families.h"
#include "store/worker_store.h"

enum { ERROR_MOST = 16 * 1024, PACK_ALL_MOST = 2 * 1024 * 1024 };

static const char ODD[] = "The provider's answer to the inputs that were not kept does not hold one vector for each of them.";
static const char OTHER[] = "The provider's vectors are of another length than those that were kept: ask again, and all are asked for anew.";

static const struct str JSON = STR_INIT("application/json");

/* --- the whole answer --- */

/* Numbers out of the store may be any. */
static int64_t sum(int64_t a, int64_t b)
{
	return b > 0 && a <= INT64_MAX - b ? a + b : a;
}

static void add_usage(struct usage *to, const struct usage *u)
{
	to->input = sum(to->input, u->input);
	to->output = sum(to->output, u->output);
	to->total = sum(to->total, u->total);
	to->cached = sum(to->cached, u->cached);
	to->known |= u->known;
	to->estimated |= u->estimated;
	to->service = u->service;
}

bool items_compose(struct cache_items *s)
{
	const struct batch_vector *vectors[BATCH_MOST];
	const struct cache_item *any = &s->item[0];
	struct buf *out = &s->c->converted;
	struct entry whole = { .type = any->entry.type };
	for (unsigned i = 0; i < s->n; i++) {
		const struct cache_item *it = &s->item[s->item[i].first];
		vectors[i] = &it->vector;
		add_usage(&whole.usage, &it->entry.usage);
		whole.cost = sum(whole.cost, it->entry.cost);
	}
	buf_clear(out);
	batch_answer_write(s->told ? &s->frame : &any->frame, vectors, s->n, &whole.usage, out);
	whole.body = buf_str(out);
	s->c->entry = whole;
	return !out->failed;
}

/* --- what was bought --- */

/* Of `all` what falls between two marks of a scale; over the whole scale it comes to all of it. */
static int64_t part(int64_t all, uint64_t from, uint64_t to, uint64_t scale)
{
	return (int64_t)((__int128)all * to / scale) - (int64_t)((__int128)all * from / scale);
}

static bool is_bought(const struct cache_items *s, unsigned i)
{
	return s->item[i].first == i && s->item[i].missed;
}

static void share_out(struct cache_items *s, const struct batch_vector *vectors)
{
	const struct txn *t = s->c->t;
	const struct usage *u = &t->usage;
	uint64_t scale = 0, from = 0;
	for (unsigned i = 0; i < s->n; i++)
		scale += is_bought(s, i) ? s->item[i].weight : 0;
	for (unsigned i = 0; i < s->n; i++) {
		struct cache_item *it = &s->item[i];
		uint64_t to = from + it->weight;
		if (!is_bought(s, i))
			continue;
		it->bought = true;
		it->vector = *vectors++;
		it->entry = (struct entry){
			.type = JSON, .cost = part(t->cost, from, to, scale),
			.usage = { .known = u->known, .estimated = u->estimated || s->n_bought > 1, .input = part(u->input, from, to, scale),
				   .output = part(u->output, from, to, scale), .total = part(u->total, from, to, scale),
				   .cached = part(u->cached, from, to, scale), .service = u->service },
		};
		from = to;
	}
}

/* Of all that are known; 0: none is. */
static int64_t known_size(const struct cache_items *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->item[i].first == i && !s->item[i].missed)
			return s->item[i].vector.size;
	return 0;
}

static bool are_alike(const struct batch_vector *v, unsigned n)
{
	for (unsigned i = 1; i < n; i++)
		if (v[i].size != v[0].size)
			return false;
	return true;
}

/* NULL, or what is wrong with it. */
static const char *buy(struct cache_items *s, struct str body)
{
	const struct txn *t = s->c->t;
	struct batch_vector vectors[BATCH_MOST];
	if (s->answer.failed || t->answer.status != 200 || t->answer.event_stream || !worth_keeping(&s->c->worth, body) ||
	    !batch_answer_read(body, &s->frame, vectors, s->n_bought) || !are_alike(vectors, s->n_bought))
		return ODD;
	share_out(s, vectors);
	return known_size(s) && known_size(s) != vectors[0].size ? OTHER : NULL;
}

/* --- kept --- */

static struct str entry_of(struct cache_items *s, struct cache_item *it, size_t *packed, struct buf *entry, struct buf *small)
{
	struct cached *c = s->c;
	const struct batch_vector *vector = &it->vector;
	it->entry.ttl_us = lead_ttl_us(c);
	entry_begin(entry, it->entry.type, lead_tags(c->t));
	batch_answer_write(&s->frame, &vector, 1, &it->entry.usage, entry);
	if (!entry_seal(entry, &it->entry))
		return STR_NONE;
	struct str value = buf_str(entry);
	*packed += value.n;
	buf_clear(small);
	return *packed <= PACK_ALL_MOST ? lead_packed(c, value, small) : value;
}

struct str items_keep(struct cache_items *s, const struct buf *recorded, struct buf *entry, struct buf *small, struct str *key)
{
	struct str value = STR_NONE;
	size_t packed = 0;
	if (!s->told && (!recorded || buy(s, entry_body(recorded))))
		return value;
	for (unsigned i = 0; i < s->n; i++) {
		if (!s->item[i].bought)
			continue;
		if (value.n)
			store_put(worker_store(), NULL, *key, value, lead_kept_ms(s->c));
		value = entry_of(s, &s->item[i], &packed, entry, small);
		*key = str_c(s->item[i].key);
	}
	return value;
}

/* The vectors that are known are of an older model: next time they are left out. */
static void keep_at_once(struct cache_items *s)
{
	struct buf entry = BUF_INIT(s->c->most + ENTRY_OVERHEAD), small = BUF_INIT(SIZE_MAX);
	struct str key, value = items_keep(s, NULL, &entry, &small, &key);
	if (value.n)
		store_put(worker_store(), NULL, key, value, lead_kept_ms(s->c));
	buf_free(&entry);
	buf_free(&small);
}

/* --- to the caller --- */

/* Nobody says it again: whatever the caller has to read first, it is queued. */
static void give(struct sink *from, struct str body)
{
	struct delta head = { .kind = DELTA_HEAD }, bytes = { .kind = DELTA_BYTES, .raw = body, .content = true };
	struct txn *t = from->txn;
	t->answer.length = (int64_t)body.n;
	sink_pass(from, &head);
	if (sink_pass(from, &bytes) == SINK_TAKEN || !t->client)
		return;
	client_write(t->client, &body, 1);
	t->answer.bytes += body.n;
}

/* Past the record: whoever follows hears of it by the flight. */
static void refuse(struct cache_items *s, const char *why)
{
	struct txn *t = s->c->t;
	struct buf body = BUF_INIT(ERROR_MOST);
	s->refused = true;
	t->error = (struct error){ .kind = ERR_UPSTREAM_BROKEN, .message = str_c(why) };
	flight_fail(s->c->flight, why == ODD ? FLIGHT_FAILED : FLIGHT_AGAIN, &t->error);
	t->answer.status = error_status(&t->error);
	t->answer.content_type = JSON;
	t->answer.event_stream = false;
	t->dialect->write_error(&body, &t->error, str_c(t->id));
	give(&s->c->sink, buf_str(&body));
	buf_free(&body);
}

static int64_t saved(const struct cache_items *s)
{
	int64_t cost = 0;
	for (unsigned i = 0; i < s->n; i++)
		cost = sum(cost, s->item[s->item[i].first].missed ? 0 : s->item[s->item[i].first].entry.cost);
	return cost;
}

/* A large answer goes on without its request, and what was said of it lay in the same memory. */
static void say_again(struct cache_items *s)
{
	struct txn *t = s->c->t;
	if (t->req)
		return;
	t->cache_items = str_c(s->told_items);
	t->answer.content_type = JSON;
	t->answer.headers = NULL;
	t->answer.n_headers = 0;
}

static void tell(struct cache_items *s)
{
	say_again(s);
	const char *why = buy(s, buf_str(&s->answer));
	s->told = true;
	if (why == OTHER && !s->c->spoiled)
		keep_at_once(s);
	if (!why && !items_compose(s))
		why = ODD;
	if (why) {
		refuse(s, why);
		return;
	}
	families_cache_saved(s->c->t->live_model, saved(s));
	give(&s->sink, s->c->entry.body);
}

static enum sink_result take(struct sink *sink, struct delta *d)
{
	struct cache_items *s = container_of(sink, struct cache_items, sink);
	if (!s->merging || sink->txn->answered_here)
		return sink_pass(sink, d);
	if (d->kind == DELTA_BYTES || d->kind == DELTA_EVENT)
		buf_add(&s->answer, d->raw);
	if (d->kind != DELTA_END)
		return SINK_TAKEN;
	if (!s->told)
		tell(s);
	return sink_pass(s->refused ? &s->c->sink : sink, d);
}

void items_count(struct cache_items *s, const char *known)
{
	struct txn *t = s->c->t;
	snprintf(s->told_items, sizeof(s->told_items), "%u/%u", s->n_known, s->n);
	t->cache_items = str_c(s->told_items);
	families_cache_items(t->live_model, known, s->n_known);
	families_cache_items(t->live_model, "miss", s->n - s->n_known);
}

void items_begin(struct cache_items *s)
{
	items_count(s, "hit");
	if (!s->narrowed)
		return;
	s->merging = true;
	s->sink.take = take;
	txn_lay_sink(s->c->t, &s->sink);
}
