/*
 * request_body.c: the body of the present request, from the connection to its reader.
 *
 * Known lengths are refused before a byte is read when they are too large; chunked bodies
 * when they become so. Memory of all bodies together is accounted for process-wide.
 */
#include "edge/request_body.h"

#include "edge/limits.h"

enum { ACCOUNT_STEP = 64 * 1024, DIRECT_MIN = 16 * 1024, DIRECT_MAX = 256 * 1024 };
static const int64_t RATE_WINDOW_US = 15 * INT64_C(1000000);

static const struct listen_settings *settings_of(struct caller *c)
{
	return c->service->settings(c->service->owner);
}

static bool account(struct caller *c, uint64_t bytes)
{
	if (!limits_memory(bytes, settings_of(c)->max_body_memory)) {
		c->reading_body = c->accepted_body = false;
		c->txn->error.retry_after_s = 1;
		c->txn->ops->body_failed(c->txn, ERR_MEMORY, "This gateway holds as many requests as its memory allows; "
					 "try again in a moment.");
		return false;
	}
	c->memory += bytes;
	return true;
}

void request_body_release(struct caller *c)
{
	if (c->memory)
		limits_memory_back(c->memory);
	c->memory = 0;
}

/* When to look at the body's progress again: at its deadline or at the end of the rate's window. */
static void look_later(struct caller *c)
{
	int64_t window = c->rate_from_us + RATE_WINDOW_US, end = c->body_began_us + settings_of(c)->body_us;
	c->look_us = end > loop_now(c->service->loop) && end < window ? end : window;
	caller_arm(c);
}

/* The clock of a body starts when it is asked for, and anew when its reader goes on. */
static void begin_clock(struct caller *c)
{
	c->body_began_us = c->rate_from_us = loop_now(c->service->loop);
	c->rate_got = c->body_got;
	look_later(c);
}

static void complete(struct caller *c)
{
	struct body_reader *r = c->reader;
	c->reading_body = c->body_paused = false;
	c->body_done = true;
	c->reader = NULL;
	caller_arm(c);
	r->end(r);
}

void caller_body_wanted(struct caller *c, struct body_reader *r)
{
	c->accepted_body = true;
	c->reader = r;
	c->reading_body = true;
	if (!c->has_body) {
		complete(c);
		return;
	}
	if (!c->chunked_request && c->body_left > r->max) {
		c->reading_body = false;
		c->accepted_body = false;
		c->txn->ops->body_too_large(c->txn);
		return;
	}
	bool collected = r->max != UINT64_MAX;
	bool small = !c->chunked_request && c->body_left < ACCOUNT_STEP;
	if (collected && !account(c, small ? c->body_left : ACCOUNT_STEP))
		return;
	if (c->expect_continue)
		reply_raw(c, STR("HTTP/1.1 100 Continue\r\n\r\n"));
	begin_clock(c);
	caller_go_on(c);
}

void caller_more_body(struct caller *c)
{
	if (!c->body_paused)
		return;
	c->body_paused = false;
	begin_clock(c);
	caller_go_on(c);
}

/*
 * The body grew: still within its limits? Memory is accounted for as it comes, since announcing
 * costs a caller nothing.
 */
static bool may_grow(struct caller *c)
{
	if (c->body_got > c->reader->max) {
		c->reading_body = false;
		c->accepted_body = false;
		c->txn->ops->body_too_large(c->txn);
		return false;
	}
	if (c->reader->max == UINT64_MAX || c->body_got <= c->memory)
		return true;
	uint64_t ahead = c->chunked_request || c->body_left > ACCOUNT_STEP ? ACCOUNT_STEP : c->body_left;
	return account(c, c->body_got + ahead - c->memory);
}

static bool take(struct caller *c, struct str piece)
{
	uint32_t generation = c->txn->generation;
	struct txn *t = c->txn;
	c->body_got += piece.n;
	if (!may_grow(c))
		return false;
	bool more = c->reader->take(c->reader, piece);
	if (c->txn != t || t->generation != generation || !c->reading_body)
		return false;
	if (!more) {
		c->body_paused = true;
		caller_arm(c);
	}
	return more;
}

static bool feed_chunked(struct caller *c, struct str *in)
{
	struct str payload;
	enum http_result r;
	while ((r = chunked_next(&c->chunked, in, &payload)) == HTTP_MORE && payload.n)
		if (!take(c, payload))
			return false;
	if (r == HTTP_DONE)
		complete(c);
	if (r == HTTP_BAD) {
		c->reading_body = c->accepted_body = false;
		c->txn->ops->body_failed(c->txn, ERR_BAD_REQUEST, "The chunked body is malformed.");
	}
	return false;
}

static bool feed_known(struct caller *c, struct str *in)
{
	struct str piece = str_head(*in, c->body_left < in->n ? (size_t)c->body_left : in->n);
	*in = str_skip(*in, piece.n);
	c->body_left -= piece.n;
	bool more = take(c, piece);
	if (c->body_left == 0 && c->reading_body && c->reader) {
		complete(c);
		return false;
	}
	return more;
}

bool request_body_feed(struct caller *c, struct str *in)
{
	return c->chunked_request ? feed_chunked(c, in) : feed_known(c, in);
}

struct str request_body_space(struct caller *c)
{
	if (!c->reading_body || c->body_paused || c->chunked_request || !c->reader->space || c->body_left < DIRECT_MIN)
		return STR_NONE;
	size_t most = c->body_left < DIRECT_MAX ? (size_t)c->body_left : DIRECT_MAX;
	struct str room = c->reader->space(c->reader, most);
	return str_head(room, most);
}

bool request_body_too_slow(struct caller *c)
{
	const struct listen_settings *s = settings_of(c);
	int64_t now = loop_now(c->service->loop);
	if (now - c->body_began_us >= s->body_us && c->reader && c->reader->max != UINT64_MAX)
		return true;
	if (now - c->rate_from_us >= RATE_WINDOW_US) {
		if (c->body_got - c->rate_got < (uint64_t)s->body_min_rate * (RATE_WINDOW_US / 1000000))
			return true;
		c->rate_from_us = now;
		c->rate_got = c->body_got;
	}
	look_later(c);
	return false;
}
