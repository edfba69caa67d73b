/*
 * lead.c: the leader's sink. What it passes on is recorded; a caller who reads too slowly does not hold up those
 * who follow: its answer is recorded all the same, and it reads from there.
 */
#include "cache/cached.h"

#include "base/clock.h"
#include "cache/entry.h"
#include "cache/items.h"
#include "store/worker_store.h"

enum { PACK_MOST = 2 * 1024 * 1024 };

static const struct str KEEP_ALIVE = STR_INIT(": keep-alive");	/* weir's own comment: no part of the answer */

/* Clients often hang up behind it, before the connection's last bytes. */
static bool is_last_event(struct str raw)
{
	static const struct str last[] = { STR_INIT("data: [DONE]"), STR_INIT("data:[DONE]"), STR_INIT("event: message_stop"),
					   STR_INIT("event: response.completed") };
	for (size_t i = 0; i < array_len(last); i++)
		if (str_starts(raw, last[i]))
			return true;
	return false;
}

static enum sink_result comment(struct cached *c, struct delta *d)
{
	flight_comment(c->flight);
	return c->lagging ? SINK_TAKEN : sink_pass(&c->sink, d);	/* it has other bytes to read */
}

static enum sink_result take_bytes(struct cached *c, struct delta *d)
{
	size_t at;
	enum sink_result r = c->lagging ? SINK_FULL : sink_pass(&c->sink, d);
	bool added = flight_add(c->flight, d->raw, r != SINK_TAKEN, &at);
	if (r != SINK_TAKEN && !added)
		return r;
	c->whole |= d->kind == DELTA_EVENT && is_last_event(d->raw);
	if (r != SINK_TAKEN && !c->lagging) {
		c->lagging = true;
		c->at = at;
	}
	return SINK_TAKEN;
}

static enum sink_result take_end(struct cached *c, struct delta *d)
{
	c->whole = true;
	flight_whole(c->flight, &c->t->usage, c->t->cost);
	if (!lead_catch_up(c)) {
		if (d->may_park)
			return SINK_PARKED;
		lead_give_rest(c);
	}
	return sink_pass(&c->sink, d);
}

struct str lead_tags(const struct txn *t)
{
	return t->tags ? str_c(t->tags) : t->req ? t->req->header[RH_WEIR_TAGS] : STR_NONE;
}

static enum sink_result take(struct sink *s, struct delta *d)
{
	struct cached *c = container_of(s, struct cached, sink);
	switch (d->kind) {
	case DELTA_HEAD:
		flight_begin(c->flight, &c->t->answer, lead_tags(c->t));
		return sink_pass(s, d);
	case DELTA_END:
		return take_end(c, d);
	case DELTA_EVENT:
	case DELTA_BYTES:
		break;
	}
	return str_starts(d->raw, KEEP_ALIVE) && d->kind == DELTA_EVENT ? comment(c, d) : take_bytes(c, d);
}

void lead_begin(struct cached *c)
{
	c->sink.take = take;
	txn_lay_sink(c->t, &c->sink);
}

/* True: taken, or there was nothing to give. */
static bool give_piece(struct cached *c, struct buf *piece, bool anyway)
{
	struct flight_view v;
	struct delta d = { .content = true };
	buf_clear(piece);
	flight_read(c->flight, c->at, piece, &v);
	d.kind = v.event_stream ? DELTA_EVENT : DELTA_BYTES;
	d.raw = buf_str(piece);
	if (!piece->n) {
		c->lagging = false;
		return true;
	}
	if (sink_pass(&c->sink, &d) != SINK_TAKEN) {
		if (!anyway || !c->t->client)
			return false;
		client_write(c->t->client, &d.raw, 1);
		client_flush(c->t->client);
	}
	c->at += piece->n;
	return true;
}

static void give(struct cached *c, bool anyway)
{
	struct buf piece = BUF_INIT(SIZE_MAX >> 1);
	while (c->lagging && give_piece(c, &piece, anyway))
		;
	buf_free(&piece);
}

bool lead_catch_up(struct cached *c)
{
	give(c, false);
	return !c->lagging;
}

void lead_give_rest(struct cached *c)
{
	give(c, true);
}

/* These say something about the question or all providers; others about the leader's own money, time or luck. */
static bool is_for_all(const struct txn *t)
{
	enum error_kind k = t->error.kind;
	return (k >= ERR_UPSTREAM_REJECTED && k <= ERR_OVERLOADED) || k == ERR_CONTEXT_LENGTH || k == ERR_CONTENT_POLICY;
}

int64_t lead_ttl_us(const struct cached *c)
{
	return c->wish.ttl_us == INT64_MAX ? INT64_MAX : c->ttl_us;
}

int64_t lead_kept_ms(const struct cached *c)
{
	return (c->ttl_us + c->stale_us) / MS_US;
}

/* If that takes no long while. */
struct str lead_packed(const struct cached *c, struct str value, struct buf *small)
{
	bool wanted = c->pack_above && value.n > c->pack_above && value.n <= PACK_MOST && store_is_shared(worker_store());
	return wanted && entry_pack(value, small) ? buf_str(small) : value;
}

static bool may_be_kept(const struct cached *c)
{
	const struct txn *t = c->t;
	return !c->spoiled && !t->answered_here && !t->unrecorded && !t->odd_end && t->answer.status == 200;
}

/* The entry to be kept, as the store gets it. STR_NONE: none is. */
static struct str sealed(struct cached *c, struct buf *small)
{
	const struct txn *t = c->t;
	const struct entry e = { .cost = t->cost, .usage = t->usage, .stream = c->worth.stream, .usage_told = c->usage_told, .ttl_us = lead_ttl_us(c) };
	struct buf *b = flight_entry(c->flight);
	return b && worth_keeping(&c->worth, entry_body(b)) && entry_seal(b, &e) ? lead_packed(c, buf_str(b), small) : STR_NONE;
}

void lead_end(struct cached *c)
{
	struct txn *t = c->t;
	bool good = c->whole && !t->cut && (t->error.kind == ERR_NONE || t->error.kind == ERR_CALLER_GONE);
	if (good)
		flight_whole(c->flight, &t->usage, t->cost);	/* unless its end said so */
	else
		flight_fail(c->flight, is_for_all(t) ? FLIGHT_FAILED : FLIGHT_AGAIN, &t->error);
	struct buf entry = BUF_INIT(c->most + ENTRY_OVERHEAD), small = BUF_INIT(SIZE_MAX);
	struct str key = str_c(c->key), value = STR_NONE;
	if (good && may_be_kept(c))
		value = c->items ? items_keep(c->items, flight_entry(c->flight), &entry, &small, &key) : sealed(c, &small);
	flight_leave(c->flight, value.n ? worker_store() : NULL, key, value, lead_kept_ms(c));
	buf_free(&entry);
	buf_free(&small);
	c->flight = NULL;
}

void lead_drop(struct cached *c)
{
	static const struct error none = { .kind = ERR_NONE };
	if (!c->flight)
		return;
	flight_fail(c->flight, FLIGHT_AGAIN, &none);
	flight_leave(c->flight, NULL, STR_NONE, STR_NONE, 0);
	c->flight = NULL;
}
