/*
 * answer_writer.c: the last sink, where deltas become bytes for the caller.
 *
 * Headers of every answer are decided here and nowhere else. A stream that breaks ends with
 * the dialect's error event, never with a false end; a plain body that breaks after its
 * status was sent ends the connection visibly.
 */
#include "api/answer_writer.h"

#include <time.h>

#include "api/cors.h"
#include "base/clock.h"
#include "core/call.h"
#include "core/dialect.h"
#include "core/limit.h"
#include "core/live.h"
#include "core/money.h"

enum { HEADERS_MAX = 32, NUMBER_SIZE = 24, ERROR_BODY_MAX = 16 * 1024 };

struct header_list {
	struct answer_header h[HEADERS_MAX];
	unsigned n, n_own;	/* the first are our own words and numbers */
	char attempts[NUMBER_SIZE], retry_after[NUMBER_SIZE], cost[MONEY_SIZE], rate[6][NUMBER_SIZE], moments[2][NUMBER_SIZE];
};

static void add(struct header_list *l, struct str name, struct str value)
{
	if (l->n < HEADERS_MAX && value.n)
		l->h[l->n++] = (struct answer_header){ name, value };
}

static struct str number(char to[NUMBER_SIZE], int64_t n)
{
	return str_digits(to, n > 0 ? (uint64_t)n : 0);
}

static struct str seconds(char to[NUMBER_SIZE], int64_t n)
{
	struct str digits = number(to, n);
	to[STR_DIGITS] = 's';
	return str_of(digits.p, digits.n + 1);
}

/* When so much time has passed, as RFC 3339 has it. */
static struct str moment(char *to, int64_t in_s)
{
	struct tm tm;
	time_t at = (time_t)(clock_wall_us() / SECOND_US + in_s);
	gmtime_r(&at, &tm);
	return str_of(to, strftime(to, NUMBER_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm));
}

/* The names that Anthropic's callers read. */
static void add_anthropic_rate(struct header_list *l, const struct rate_state *r)
{
	if (r->requests_known) {
		add(l, STR("anthropic-ratelimit-requests-limit"), number(l->rate[0], r->requests_limit));
		add(l, STR("anthropic-ratelimit-requests-remaining"), number(l->rate[1], r->requests_left));
		add(l, STR("anthropic-ratelimit-requests-reset"), moment(l->moments[0], r->requests_reset_s));
	}
	if (r->tokens_known) {
		add(l, STR("anthropic-ratelimit-tokens-limit"), number(l->rate[3], r->tokens_limit));
		add(l, STR("anthropic-ratelimit-tokens-remaining"), number(l->rate[4], r->tokens_left));
		add(l, STR("anthropic-ratelimit-tokens-reset"), moment(l->moments[1], r->tokens_reset_s));
	}
}

static void add_rate(struct header_list *l, const struct rate_state *r)
{
	if (r->requests_known) {
		add(l, STR("x-ratelimit-limit-requests"), number(l->rate[0], r->requests_limit));
		add(l, STR("x-ratelimit-remaining-requests"), number(l->rate[1], r->requests_left));
		add(l, STR("x-ratelimit-reset-requests"), seconds(l->rate[2], r->requests_reset_s));
	}
	if (r->tokens_known) {
		add(l, STR("x-ratelimit-limit-tokens"), number(l->rate[3], r->tokens_limit));
		add(l, STR("x-ratelimit-remaining-tokens"), number(l->rate[4], r->tokens_left));
		add(l, STR("x-ratelimit-reset-tokens"), seconds(l->rate[5], r->tokens_reset_s));
	}
}

static void add_own(struct txn *t, struct header_list *l)
{
	add(l, STR("x-request-id"), str_c(t->id));
	add(l, STR("request-id"), str_c(t->id));
	if (t->attempts)
		add(l, STR("x-weir-attempts"), number(l->attempts, t->attempts));
	if (t->cost_known && !t->cost_missing)
		add(l, STR("x-weir-cost-usd"), money_format(l->cost, t->cost));
	if (t->cost_known && t->cost_estimated)
		add(l, STR("x-weir-cost-estimated"), STR("true"));
	if (t->rate)
		add_rate(l, t->rate);
	if (t->rate && t->dialect && str_eq(str_c(t->dialect->name), STR("anthropic")))
		add_anthropic_rate(l, t->rate);
	l->n_own = l->n;
}

static void add_usual(struct txn *t, struct header_list *l)
{
	add_own(t, l);
	if (t->attempts && t->live_target)
		add(l, STR("x-weir-target"), t->live_target->name);
	add(l, STR("x-weir-dropped"), t->dropped);
	add(l, STR("x-weir-cache"), str_c(t->cache_state));
	add(l, STR("x-weir-cache-id"), t->cache_id);
	add(l, STR("x-weir-cache-items"), t->cache_items);
	add(l, STR("x-weir-answered-by"), t->answered_by);
	if (t->req && t->req->header[RH_ORIGIN].p)
		l->n += cors_headers(t, &l->h[l->n], HEADERS_MAX - l->n);
}

static bool begin(struct txn *t, struct header_list *l, int64_t length, bool close)
{
	struct answer_head head = {
		.status = t->answer.status, .content_type = t->answer.content_type, .length = length,
		.headers = l->h, .n_headers = l->n, .n_own = l->n_own, .event_stream = t->answer.event_stream, .close = close,
	};
	t->answer.begun = true;
	return client_begin(t->client, &head);
}

/* --- deltas --- */

static void write_head(struct txn *t)
{
	struct header_list unset l;
	if (t->answer.begun)
		return;
	l.n = 0;
	add_usual(t, &l);
	for (unsigned i = 0; i < t->answer.n_headers; i++)
		add(&l, t->answer.headers[i].name, t->answer.headers[i].value);
	if (!begin(t, &l, t->answer.length, false)) {
		/* A header of the provider that must not be sent on: the answer goes without them. */
		l.n = 0;
		add_usual(t, &l);
		t->answer.content_type = STR("application/octet-stream");
		(void)!begin(t, &l, t->answer.length, false);
	}
}

static enum sink_result take(struct sink *s, struct delta *d)
{
	struct txn *t = s->txn;
	if (!t->client)
		return SINK_TAKEN;
	switch (d->kind) {
	case DELTA_HEAD:
		write_head(t);
		break;
	case DELTA_EVENT:
	case DELTA_BYTES:
		if (client_queued(t->client) >= CLIENT_HIGH_WATER)
			return SINK_FULL;
		client_write(t->client, &d->raw, 1);
		t->answer.bytes += d->raw.n;
		if (!d->more)
			client_flush(t->client);
		break;
	case DELTA_END:
		client_end(t->client);
		break;
	}
	return SINK_TAKEN;
}

void answer_writer_lay(struct txn *t)
{
	t->writer = (struct sink){ .take = take, .next = NULL, .txn = t };
	t->sinks = &t->writer;
}

/* --- answers of our own --- */

static enum stage_result whole(struct txn *t, struct header_list *l, int status, struct str type, struct str body,
			       bool close)
{
	t->answer.status = status;
	t->answer.content_type = type;
	t->answer.event_stream = false;
	if (t->client && begin(t, l, (int64_t)body.n, close)) {
		if (body.n)
			client_write(t->client, &body, 1);
		client_end(t->client);
		t->answer.bytes += body.n;
	} else if (t->client) {
		client_abort(t->client);
	}
	return STAGE_ANSWERED;
}

enum stage_result answer_json(struct txn *t, int status, struct str body)
{
	struct header_list l = { .n = 0 };
	add_usual(t, &l);
	whole(t, &l, status, STR("application/json"), body, false);
	txn_end(t);
	return STAGE_ANSWERED;
}

enum stage_result answer_empty(struct txn *t, int status, const struct answer_header *headers, unsigned n)
{
	struct header_list l = { .n = 0 };
	add_usual(t, &l);
	for (unsigned i = 0; i < n; i++)
		add(&l, headers[i].name, headers[i].value);
	whole(t, &l, status, STR_NONE, STR_NONE, false);
	txn_end(t);
	return STAGE_ANSWERED;
}

/* --- errors --- */

static void error_headers(struct txn *t, struct header_list *l)
{
	const struct error *e = &t->error;
	int status = error_status(e);
	add_usual(t, l);
	if (e->retry_after_s > 0 && (status == 429 || status == 503))
		add(l, STR("retry-after"), number(l->retry_after, e->retry_after_s));
	add(l, STR("x-weir-budget-reset"), e->budget_reset);
	if (e->final || e->retry_after_s > 60)
		add(l, STR("x-should-retry"), STR("false"));
	if (status == 405)
		add(l, STR("allow"), STR("GET, HEAD, POST, DELETE, OPTIONS"));
}

static void error_answer(struct txn *t)
{
	struct header_list l = { .n = 0 };
	struct buf body = BUF_INIT(ERROR_BODY_MAX);
	const struct error *e = &t->error;
	error_headers(t, &l);
	if (str_empty(e->relay))
		t->dialect->write_error(&body, e, str_c(t->id));
	whole(t, &l, error_status(e), STR("application/json"), str_empty(e->relay) ? buf_str(&body) : e->relay, t->refused);
	buf_free(&body);
}

static void error_event(struct txn *t)
{
	struct buf event = BUF_INIT(ERROR_BODY_MAX);
	t->dialect->write_error_event(&event, &t->error, str_c(t->id));
	struct str bytes = buf_str(&event);
	client_write(t->client, &bytes, 1);
	t->answer.bytes += bytes.n;
	client_end(t->client);
	buf_free(&event);
}

void answer_error(struct txn *t)
{
	if (!t->client)
		return;
	if (!t->answer.begun)
		error_answer(t);
	else if (t->answer.event_stream)
		error_event(t);
	else
		client_abort(t->client);
}
