/*
 * access_log.c: one JSON line for each request, when it is over.
 *
 * Written by hand into a buffer of the thread: numbers and known words need no formatter
 * and nothing is allocated. Callers' text appears in two places, capped and escaped: the
 * path and the model asked for. Both are gone once a stream is committed; the endpoint's
 * and the configured model's names then stand for them. No header, no body, no query.
 */
#include <stdatomic.h>

#include "base/clock.h"
#include "core/call.h"
#include "core/endpoint.h"
#include "core/live.h"
#include "core/money.h"
#include "core/target.h"
#include "core/txn.h"
#include "telemetry/stages.h"

/* Escaping makes a byte six at most; all fields together then fit with room to spare. */
enum { LINE_SIZE = 12 * 1024, PATH_MAX_SHOWN = 256, NAME_MAX_SHOWN = 256 };

static _Atomic(struct log_sink *) sink;

void access_log_to(struct log_sink *s)
{
	atomic_store(&sink, s);
}

static void add_text(struct buf *b, struct str key, struct str value, size_t max)
{
	buf_add(b, key);
	buf_add_json(b, str_head(value, max));
}

static void add_some_text(struct buf *b, struct str key, struct str value, size_t max)
{
	if (value.n)
		add_text(b, key, value, max);
}

static void add_number(struct buf *b, struct str key, int64_t n)
{
	buf_add(b, key);
	buf_addd(b, n);
}

/* Milliseconds with three places. */
static void add_ms(struct buf *b, struct str key, int64_t us)
{
	int64_t n = us > 0 ? us : 0;
	buf_add(b, key);
	buf_addd(b, n / 1000);
	buf_addc(b, '.');
	buf_addc(b, (char)('0' + n / 100 % 10));
	buf_addc(b, (char)('0' + n / 10 % 10));
	buf_addc(b, (char)('0' + n % 10));
}

static struct str method_name(enum http_method m)
{
	static const struct str names[] = {
		STR_INIT("GET"), STR_INIT("HEAD"), STR_INIT("POST"), STR_INIT("PUT"), STR_INIT("DELETE"),
		STR_INIT("PATCH"), STR_INIT("OPTIONS"), STR_INIT("TRACE"), STR_INIT("CONNECT"), STR_INIT("other"),
	};
	return names[m <= HTTP_UNKNOWN ? m : HTTP_UNKNOWN];
}

static void add_who_and_what(struct buf *b, const struct txn *t)
{
	struct str model = t->call ? t->call->model : STR_NONE;
	add_text(b, STR(",\"id\":"), str_c(t->id), REQUEST_ID_SIZE);
	add_some_text(b, STR(",\"peer\":"), str_c(t->peer), PEER_SIZE);
	add_text(b, STR(",\"method\":"), method_name(t->method), NAME_MAX_SHOWN);
	add_text(b, STR(",\"endpoint\":"), t->endpoint ? str_c(t->endpoint->name) : STR("none"), NAME_MAX_SHOWN);
	if (t->req)
		add_some_text(b, STR(",\"path\":"), t->req->path, PATH_MAX_SHOWN);
	if (t->live_key)
		add_text(b, STR(",\"key\":"), t->live_key->name, NAME_MAX_SHOWN);
	const struct live_team *team = t->live_key ? atomic_load_explicit(&t->live_key->team, memory_order_acquire) : NULL;
	if (team)
		add_text(b, STR(",\"team\":"), team->name, NAME_MAX_SHOWN);
	if (str_empty(model) && t->live_model)
		model = t->live_model->name;
	add_some_text(b, STR(",\"model\":"), model, NAME_MAX_SHOWN);
	if (t->live_target && t->attempts > 0) {
		add_text(b, STR(",\"target\":"), t->live_target->name, NAME_MAX_SHOWN);
		add_number(b, STR(",\"attempts\":"), t->attempts);
	}
	add_some_text(b, STR(",\"answered_by\":"), t->answered_by, NAME_MAX_SHOWN);
}

static void add_outcome(struct buf *b, const struct txn *t)
{
	add_number(b, STR(",\"status\":"), t->answer.begun ? t->answer.status : error_status(&t->error));
	if (t->error.kind != ERR_NONE)
		add_text(b, STR(",\"error\":"), str_c(error_row(t->error.kind)->fault), NAME_MAX_SHOWN);
	buf_add(b, t->stream ? STR(",\"stream\":true") : STR(",\"stream\":false"));
	add_number(b, STR(",\"bytes\":"), (int64_t)t->answer.bytes);
	if (t->cache_state)
		add_text(b, STR(",\"cache\":"), str_c(t->cache_state), NAME_MAX_SHOWN);
	if (t->cut)
		buf_add(b, STR(",\"cut\":true"));
	if (t->caller_gone)
		buf_add(b, STR(",\"caller_gone\":true"));
}

static void add_usage(struct buf *b, const struct usage *u)
{
	if (!u->known)
		return;
	add_number(b, STR(",\"tokens\":{\"input\":"), u->input);
	add_number(b, STR(",\"output\":"), u->output);
	add_number(b, STR(",\"cached\":"), u->cached);
	add_number(b, STR(",\"reasoning\":"), u->reasoning);
	buf_add(b, u->estimated ? STR(",\"estimated\":true}") : STR("}"));
}

/* Not known: null. In part not known: the rest, which says so. */
static void add_cost(struct buf *b, const struct txn *t)
{
	char text[MONEY_SIZE];
	if (!t->cost_known && !t->cost_missing)
		return;
	buf_add(b, STR(",\"cost_usd\":"));
	buf_add(b, t->cost_known ? money_format(text, t->cost) : STR("null"));
	if (t->cost_estimated)
		buf_add(b, STR(",\"cost_estimated\":true"));
	if (t->cost_missing)
		buf_add(b, STR(",\"cost_incomplete\":true"));
}

static void add_times(struct buf *b, const struct txn *t)
{
	int64_t waiting = t->upstream_since_us ? t->ended_us - t->upstream_since_us : 0;
	add_ms(b, STR(",\"ms\":"), t->ended_us - t->began_us);
	if (t->first_content_us)
		add_ms(b, STR(",\"ms_first_token\":"), t->first_content_us - t->began_us);
	if (t->attempts > 0)
		add_ms(b, STR(",\"ms_upstream\":"), t->upstream_us + waiting);
}

static enum stage_result enter(struct txn *t)
{
	struct str peer = t->req ? str_head(t->req->peer, PEER_SIZE - 1) : STR_NONE;
	if (peer.n)
		memcpy(t->peer, peer.p, peer.n);
	return STAGE_NEXT;
}

static void leave(struct txn *t)
{
	struct log_sink *to = atomic_load_explicit(&sink, memory_order_acquire);
	static _Thread_local char text[LINE_SIZE];
	struct buf line = { text, 0, LINE_SIZE, LINE_SIZE, false };	/* never grows: nothing is allocated */
	char time[LOG_TIME_SIZE];
	if (!to || (t->endpoint && t->endpoint->open && t->answer.status < 400))
		return;		/* probes every few seconds would drown the rest */
	buf_add(&line, STR("{\"time\":\""));
	buf_add(&line, str_of(time, log_time(time, clock_wall_us())));
	buf_addc(&line, '"');
	add_who_and_what(&line, t);
	add_outcome(&line, t);
	add_usage(&line, &t->usage);
	add_cost(&line, t);
	add_times(&line, t);
	if (buf_add(&line, STR("}\n")))
		log_record(to, buf_str(&line));
}

const struct stage access_log_stage = { .name = "access_log", .enter = enter, .leave = leave };
