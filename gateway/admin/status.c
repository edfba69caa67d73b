/*
 * status.c: gathers the state of everything.
 *
 * Rows are the targets of the present configuration, in its order, and behind them those
 * that patterns made and somebody asked. Rates cover the last minute.
 */
#include "admin/status.h"

#include "base/clock.h"
#include "base/mem.h"
#include "core/breaker.h"
#include "core/health.h"
#include "telemetry/families.h"
#include "telemetry/gauges.h"

void status_sample(struct status_history *h)
{
	struct families_totals sum;
	families_totals(&sum);
	h->samples[h->n++ % STATUS_SAMPLES] = (struct status_sample){
		clock_us(), sum.requests, sum.failed, sum.input + sum.output,
	};
}

static void gather_rates(struct status *st, const struct status_history *h)
{
	const struct status_sample *then = &h->samples[h->n < STATUS_SAMPLES ? 0 : h->n % STATUS_SAMPLES];
	if (h->n == 0 || (st->window_us = clock_us() - then->at_us) <= 0)
		return;
	double seconds = (double)st->window_us / 1e6;
	int64_t requests = st->requests - then->requests;
	st->requests_per_s = (double)requests / seconds;
	st->tokens_per_s = (double)(st->input + st->output - then->tokens) / seconds;
	st->failed_share = requests > 0 ? (double)(st->failed - then->failed) / (double)requests : 0;
}

/* A breaker that was open and has not seen a success since: the next request is its trial. */
static bool on_trial(const struct live_target *live)
{
	for (enum breaker_class c = 0; c < BREAKER_CLASSES; c++)
		if (atomic_load_explicit(&live->breakers[c].open_until, memory_order_relaxed))
			return true;
	return false;
}

static void set_state(struct status_target *row, const struct live_target *live, bool usable)
{
	enum breaker_class open;
	int64_t back, now = clock_us();
	row->state = row->attempts ? STATE_UP : STATE_UNKNOWN;
	row->state_text = row->attempts ? "up" : "not asked yet";
	if (!usable) {
		row->state = STATE_UNUSABLE;
		row->state_text = "no credential";
	} else if (!breakers_allow(live->breakers, now, &open, &back)) {
		row->state = STATE_OPEN;
		row->state_text = breaker_class_name(open);
		row->back_in_us = back > now ? back - now : 0;
	} else if (atomic_load_explicit(&live->healthy, memory_order_relaxed) == 0) {
		row->state = STATE_DOWN;
		row->state_text = "down";
	} else if (on_trial(live)) {
		row->state = STATE_TRIAL;
		row->state_text = "on trial";
	}
}

static const char *price_word(const struct price *p)
{
	return !p ? "unknown" : p->free ? "free" : p->estimated ? "estimated" : "listed";
}

static void gather_target(struct status_target *row, struct target_counters *t, bool usable)
{
	const struct live_target *live = t->live;
	int kind = atomic_load_explicit(&live->last_error, memory_order_relaxed);
	row->provider = t->provider;
	row->model = t->model;
	families_attempts(t, &row->attempts, &row->failed);
	set_state(row, live, usable);
	row->since_us = atomic_load_explicit(&live->since_us, memory_order_relaxed);
	row->in_flight = atomic_load_explicit(&live->in_flight, memory_order_relaxed);
	row->input = atomic_load_explicit(&t->input, memory_order_relaxed);
	row->output = atomic_load_explicit(&t->output, memory_order_relaxed);
	row->cost = atomic_load_explicit(&t->cost, memory_order_relaxed);
	row->cost_estimated = atomic_load_explicit(&t->cost_estimated, memory_order_relaxed);
	row->unpriced = atomic_load_explicit(&t->n_unpriced, memory_order_relaxed);
	row->price = row->unpriced ? "unknown" : row->cost_estimated ? "estimated" : "listed";
	row->p50_us = counter_quantile(t->duration, 0.5);
	row->p95_us = counter_quantile(t->duration, 0.95);
	row->first_p50_us = counter_quantile(t->first_token, 0.5);
	row->first_p95_us = counter_quantile(t->first_token, 0.95);
	row->last_error = kind > ERR_NONE && kind < ERR_KINDS ? error_row((enum error_kind)kind)->fault : NULL;
	row->last_status = atomic_load_explicit(&live->last_status, memory_order_relaxed);
}

static bool configured(const struct snapshot *s, const struct live_target *live, unsigned before)
{
	for (unsigned i = 0; i < before; i++)
		if (s->targets[i]->live == live)
			return true;
	return false;
}

static bool provider_known(const struct snapshot *s, struct str name)
{
	for (unsigned i = 0; i < s->n_providers; i++)
		if (str_eq(s->providers[i]->name, name))
			return true;
	return false;
}

static void gather_targets(struct status *st, const struct snapshot *s)
{
	unsigned rows = s->n_targets;
	for (struct target_counters *t = families_targets(); t; t = t->next)
		rows++;
	st->targets = mem_alloc(sizeof(*st->targets) * (rows + 1));
	for (unsigned i = 0; i < s->n_targets; i++)
		if (s->targets[i]->live && !configured(s, s->targets[i]->live, i)) {
			gather_target(&st->targets[st->n_targets], families_target(s->targets[i]->live),
				      s->targets[i]->provider->usable);
			st->targets[st->n_targets++].price = price_word(s->targets[i]->price);
		}
	for (struct target_counters *t = families_targets(); t && st->n_targets < rows; t = t->next)
		if (!configured(s, t->live, s->n_targets) && provider_known(s, t->provider))
			gather_target(&st->targets[st->n_targets++], t, true);
}

void status_gather(struct status *st, const struct status_history *h, const struct snapshot *s, unsigned connections)
{
	struct families_totals sum;
	struct gauges_reload_state reload = gauges_reload_state();
	families_totals(&sum);
	*st = (struct status){
		.requests = sum.requests, .failed = sum.failed, .input = sum.input, .output = sum.output,
		.cost = sum.cost,
		.in_flight = counter_value(families_in_flight()), .uptime_us = clock_wall_us() - gauges_started_us(),
		.connections = connections, .draining = health_draining(), .reload_ok = reload.success,
		.reloaded_us = reload.at_us,
	};
	gather_rates(st, h);
	if (!s)
		return;
	st->source = s->source;
	st->serial = s->serial;
	gather_targets(st, s);
}

void status_free(struct status *st)
{
	free(st->targets);
	st->targets = NULL;
}
