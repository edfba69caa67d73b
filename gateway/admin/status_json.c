/*
 * status_json.c: what the status page shows, for programs. Milliseconds; null where nothing was measured.
 */
#include "admin/status.h"
#include "base/log.h"
#include "core/money.h"

static void add_ms(struct buf *b, const char *key, double us)
{
	if (us < 0)
		buf_addf(b, ",\"%s\":null", key);
	else
		buf_addf(b, ",\"%s\":%.3f", key, us / 1000);
}

static void add_time(struct buf *b, const char *key, int64_t wall_us)
{
	char text[LOG_TIME_SIZE];
	if (wall_us <= 0) {
		buf_addf(b, ",\"%s\":null", key);
		return;
	}
	log_time(text, wall_us);
	buf_addf(b, ",\"%s\":\"%s\"", key, text);
}

static void add_cost(struct buf *b, const struct status_target *t)
{
	char text[MONEY_SIZE];
	buf_addf(b, ",\"price\":\"%s\",\"cost_usd\":", t->price);
	buf_add(b, money_format(text, t->cost));
	buf_add(b, STR(",\"cost_estimated_usd\":"));
	buf_add(b, money_format(text, t->cost_estimated));
	buf_addf(b, ",\"unpriced_attempts\":%lld", (long long)t->unpriced);
}

static void add_target(struct buf *b, const struct status_target *t)
{
	static const char *const states[] = {
		[STATE_UP] = "up", [STATE_UNKNOWN] = "unknown", [STATE_OPEN] = "open", [STATE_TRIAL] = "trial",
		[STATE_DOWN] = "down",
		[STATE_UNUSABLE] = "unusable",
	};
	buf_add(b, STR("{\"provider\":"));
	buf_add_json(b, t->provider);
	buf_add(b, STR(",\"model\":"));
	buf_add_json(b, t->model);
	buf_addf(b, ",\"state\":\"%s\",\"reason\":\"%s\"", states[t->state], t->state_text);
	add_time(b, "since", t->since_us);
	if (t->state == STATE_OPEN)
		add_ms(b, "back_in_ms", (double)t->back_in_us);
	buf_addf(b, ",\"in_flight\":%lld,\"attempts\":%lld,\"failed\":%lld,\"tokens\":{\"input\":%lld,\"output\":%lld}",
		 (long long)t->in_flight, (long long)t->attempts, (long long)t->failed, (long long)t->input,
		 (long long)t->output);
	add_cost(b, t);
	add_ms(b, "p50_ms", t->p50_us);
	add_ms(b, "p95_ms", t->p95_us);
	add_ms(b, "first_token_p50_ms", t->first_p50_us);
	add_ms(b, "first_token_p95_ms", t->first_p95_us);
	if (t->last_error)
		buf_addf(b, ",\"last_error\":{\"type\":\"%s\",\"status\":%d}", t->last_error, t->last_status);
	buf_addc(b, '}');
}

bool status_write_json(const struct status *st, struct buf *b)
{
	buf_addf(b, "{\"version\":\"%s\",\"draining\":%s,\"configuration\":{\"source\":", WEIR_VERSION,
		 st->draining ? "true" : "false");
	buf_add_json(b, st->source);
	buf_addf(b, ",\"serial\":%llu,\"last_reload_ok\":%s", (unsigned long long)st->serial,
		 st->reload_ok ? "true" : "false");
	add_time(b, "loaded", st->reloaded_us);
	buf_addf(b, "},\"last_minute\":{\"seconds\":%.1f,\"requests_per_second\":%.3f,\"failed_ratio\":%.4f,"
		 "\"tokens_per_second\":%.1f}", (double)st->window_us / 1e6, st->requests_per_s, st->failed_share,
		 st->tokens_per_s);
	char cost[MONEY_SIZE];
	buf_add(b, STR(",\"cost_usd\":"));
	buf_add(b, money_format(cost, st->cost));
	buf_addf(b, ",\"requests\":%lld,\"failed\":%lld,\"tokens\":{\"input\":%lld,\"output\":%lld},\"in_flight\":%lld,"
		 "\"connections\":%u,\"uptime_seconds\":%lld,\"targets\":[", (long long)st->requests,
		 (long long)st->failed, (long long)st->input, (long long)st->output, (long long)st->in_flight,
		 st->connections, (long long)(st->uptime_us / 1000000));
	for (unsigned i = 0; i < st->n_targets; i++) {
		if (i)
			buf_addc(b, ',');
		add_target(b, &st->targets[i]);
	}
	return buf_add(b, STR("]}\n"));
}
