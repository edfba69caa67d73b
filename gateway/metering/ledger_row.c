/*
 * ledger_row.c: a transaction becomes a row, and a row a line of JSON.
 */
#include "metering/ledger_row.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/endpoint.h"
#include "core/live.h"
#include "core/money.h"
#include "core/txn.h"

static void set_text(char *to, size_t room, struct str s)
{
	size_t n = s.n < room - 1 ? s.n : room - 1;
	if (n)
		memcpy(to, s.p, n);
	to[n] = 0;
}

static void set_names(struct ledger_row *r, const struct txn *t)
{
	const struct live_team *team = t->live_key ? atomic_load_explicit(&t->live_key->team, memory_order_acquire) : NULL;
	memcpy(r->id, t->id, sizeof(r->id));
	set_text(r->key, LEDGER_TEXT, t->live_key ? t->live_key->name : STR_NONE);
	set_text(r->team, LEDGER_TEXT, team ? team->name : STR_NONE);
	set_text(r->tags, LEDGER_TEXT, str_c(t->tags));
	set_text(r->model, LEDGER_TEXT, t->live_model ? t->live_model->name : STR_NONE);
	set_text(r->target, LEDGER_TEXT, t->live_target && t->attempts ? t->live_target->name : STR_NONE);
	set_text(r->rule, LEDGER_RULE, t->answered_by.n ? t->answered_by : t->answered_here ? STR("plugin") : STR_NONE);
}

void ledger_row_copy(struct ledger_row *r, const struct txn *t)
{
	*r = (struct ledger_row){
		.at_us = clock_wall_us(), .endpoint = t->endpoint ? t->endpoint->name : "none", .attempts = t->attempts, .stream = t->stream,
		.status = t->answer.begun ? t->answer.status : error_status(&t->error), .cache = t->cache_state,
		.error = t->error.kind == ERR_NONE ? NULL : error_row(t->error.kind)->fault,
		.estimated = t->cost_estimated, .incomplete = t->cost_missing, .input = t->usage.input, .output = t->usage.output,
		.cached = t->usage.cached, .cache_write = t->usage.cache_write, .reasoning = t->usage.reasoning, .cost = t->cost,
		.price_date = t->price_date, .took_us = t->ended_us - t->began_us,
		.first_us = t->first_content_us ? t->first_content_us - t->began_us : 0,
	};
	set_names(r, t);
}

void ledger_row_fill(struct ledger_row *r, struct txn *t)
{
	ledger_row_copy(r, t);
	r->spending = t->spending;
	t->spending = NULL;
}

/* --- as a line --- */

static void add_text(struct buf *out, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	buf_addf(out, ",\"%s\":", name);
	buf_add_json(out, str_c(text));
}

static void add_number(struct buf *out, const char *name, int64_t n)
{
	buf_addf(out, ",\"%s\":%lld", name, (long long)n);
}

void ledger_row_json(const struct ledger_row *r, struct buf *out)
{
	char time[LOG_TIME_SIZE], money[MONEY_SIZE];
	size_t n = log_time(time, r->at_us);
	buf_addf(out, "{\"time\":\"%.*s\"", (int)n, time);
	add_text(out, "id", r->id);
	add_text(out, "key", r->key);
	add_text(out, "team", r->team);
	add_text(out, "tags", r->tags);
	add_text(out, "model", r->model);
	add_text(out, "target", r->target);
	add_text(out, "endpoint", r->endpoint);
	add_number(out, "status", r->status);
	add_text(out, "error", r->error);
	add_number(out, "attempts", r->attempts);
	buf_addf(out, ",\"stream\":%s", r->stream ? "true" : "false");
	add_number(out, "input", r->input);
	add_number(out, "output", r->output);
	add_number(out, "cached", r->cached);
	add_number(out, "cache_write", r->cache_write);
	add_number(out, "reasoning", r->reasoning);
	buf_addf(out, ",\"cost_usd\":%.*s", STR_FMT(money_format(money, r->cost)));
	buf_addf(out, ",\"cost_estimated\":%s,\"cost_incomplete\":%s", r->estimated ? "true" : "false", r->incomplete ? "true" : "false");
	add_number(out, "price_date", r->price_date);
	add_number(out, "us", r->took_us);
	add_number(out, "first_us", r->first_us);
	add_text(out, "cache", r->cache);
	add_text(out, "rule", r->rule);
	buf_add(out, STR("}\n"));
}
