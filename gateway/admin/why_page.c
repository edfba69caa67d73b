/*
 * why_page.c: one entry of the journal.
 */
#include "admin/why_page.h"

#include <math.h>

#include "base/log.h"
#include "core/live.h"
#include "core/money.h"

static void add_string(struct buf *b, const char *key, struct str value)
{
	if (!value.p)
		return;
	buf_addf(b, ",\"%s\":", key);
	buf_add_json(b, value);
}

static void add_ms(struct buf *b, const char *key, int64_t us)
{
	buf_addf(b, ",\"%s\":%.3f", key, (double)us / 1000);
}

static void add_money(struct buf *b, const char *key, int64_t nano)
{
	char text[MONEY_SIZE];
	buf_addf(b, ",\"%s\":", key);
	buf_add(b, money_format(text, nano));
}

static void add_target(struct buf *b, const struct journal_target *t)
{
	buf_add(b, STR("{\"target\":"));
	buf_add_json(b, t->target ? t->target->name : STR("?"));
	buf_addf(b, ",\"rung\":%u", t->rung);
	add_string(b, "excluded", str_c(t->excluded));
	add_string(b, "because", str_c(t->placed));
	if (!t->excluded && isfinite(t->score))
		buf_addf(b, ",\"score\":%.9g", t->score);
	if (t->input >= 0)
		buf_addf(b, ",\"input_tokens\":%lld,\"output_tokens\":%lld", (long long)t->input, (long long)t->output);
	if (t->cost >= 0)
		add_money(b, "cost_usd", t->cost);
	if (t->time_us >= 0)
		add_ms(b, "ms", (int64_t)t->time_us);
	buf_addc(b, '}');
}

static void add_attempt(struct buf *b, const struct journal_attempt *a)
{
	buf_add(b, STR("{\"target\":"));
	buf_add_json(b, a->target ? a->target->name : STR("?"));
	buf_addf(b, ",\"result\":\"%s\"", a->kind == ERR_NONE ? "answered" : error_row(a->kind)->fault);
	if (a->status)
		buf_addf(b, ",\"status\":%d", a->status);
	add_ms(b, "after_ms", a->began_us);
	add_ms(b, "ms", a->took_us);
	buf_addc(b, '}');
}

static void add_outcome(struct buf *b, const struct journal_entry *e)
{
	buf_addf(b, ",\"status\":%d", e->status);
	if (e->kind != ERR_NONE)
		add_string(b, "error", str_c(error_row(e->kind)->fault));
	add_ms(b, "ms", e->took_us);
	if (e->first_us)
		add_ms(b, "first_token_ms", e->first_us);
	if (e->usage.known)
		buf_addf(b, ",\"tokens\":{\"input\":%lld,\"output\":%lld,\"cached\":%lld}", (long long)e->usage.input,
			 (long long)e->usage.output, (long long)e->usage.cached);
	if (e->cost_known)
		add_money(b, "cost_usd", e->cost);
	if (e->cost_estimated)
		buf_add(b, STR(",\"cost_estimated\":true"));
}

void why_json(const struct journal_entry *e, struct buf *b)
{
	char time[LOG_TIME_SIZE];
	log_time(time, e->at_us);
	buf_addf(b, "{\"id\":");
	buf_add_json(b, str_c(e->id));
	buf_addf(b, ",\"time\":\"%s\",\"endpoint\":\"%s\",\"stream\":%s,\"strategy\":\"%s\"", time, e->endpoint,
		 e->stream ? "true" : "false", e->strategy);
	if (e->model)
		add_string(b, "model", e->model->name);
	if (e->key)
		add_string(b, "key", e->key->name);
	buf_addf(b, ",\"session\":%s,\"over\":%s", e->session ? "true" : "false", e->over ? "true" : "false");
	if (e->over)
		add_outcome(b, e);
	buf_addf(b, ",\"considered\":%u,\"targets\":[", e->n_targets);
	for (unsigned i = 0; i < e->n_targets && i < JOURNAL_TARGETS; i++) {
		buf_add(b, i ? STR(",") : STR(""));
		add_target(b, &e->targets[i]);
	}
	buf_add(b, STR("],\"attempts\":["));
	for (unsigned i = 0; i < e->n_attempts && i < JOURNAL_ATTEMPTS; i++) {
		buf_add(b, i ? STR(",") : STR(""));
		add_attempt(b, &e->attempts[i]);
	}
	buf_add(b, STR("]}\n"));
}
