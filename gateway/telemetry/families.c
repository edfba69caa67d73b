/*
 * families.c: the families that requests and attempts count in, and their rows.
 *
 * Rows hang in lists that only grow: a reader follows them without a lock, a writer puts a
 * new row in front under one. Losing the race for a series costs a second look-up of the
 * same one, nothing else.
 */
#include "telemetry/families.h"

#include <pthread.h>
#include <stdio.h>

#include "base/mem.h"
#include "core/endpoint.h"
#include "core/families.h"
#include "core/limit.h"
#include "core/txn.h"
#include "telemetry/cache_counters.h"
#include "telemetry/cascade_counters.h"
#include "telemetry/genai.h"

/* Doubling as OpenTelemetry does, and three more for models that think for minutes. */
static const uint64_t duration_bounds[] = {
	10000, 20000, 40000, 80000, 160000, 320000, 640000, 1280000, 2560000, 5120000, 10240000, 20480000,
	40960000, 81920000, 163840000, 327680000, 655360000
};
static const uint64_t first_token_bounds[] = {
	5000, 10000, 20000, 40000, 60000, 80000, 100000, 250000, 500000, 750000, 1000000, 2500000, 5000000,
	7500000, 10000000, 20000000, 40000000, 80000000
};
static const uint64_t overhead_bounds[] = { 50, 100, 200, 300, 500, 1000, 2000, 5000, 10000, 20000, 50000 };

#define SUM(n, h) .name = n, .help = h, .kind = COUNTER_SUM, .scale = 1
#define SECONDS(n, h, b) .name = n, .help = h, .kind = COUNTER_HISTOGRAM, .scale = 1e-6, \
	.bounds = b, .n_bounds = array_len(b)

static struct counter_family requests = {
	SUM("weir_requests_total", "Requests that ended, by how they ended and whose fault it was."),
	.labels = { "endpoint", "model", "status", "error_type" },
};
static struct counter_family durations = {
	SECONDS("weir_request_duration_seconds", "Whole duration of a request.", duration_bounds),
	.labels = { "endpoint", "model" },
};
static struct counter_family first_tokens = {
	SECONDS("weir_time_to_first_token_seconds", "Time from a request to its first content.", first_token_bounds),
	.labels = { "endpoint", "model" },
};
static struct counter_family overheads = {
	SECONDS("weir_overhead_seconds", "Time of a request, its body's arrival included, not spent waiting for providers.",
		overhead_bounds),
	.labels = { "endpoint" },
};
static struct counter_family in_flight = {
	.name = "weir_requests_in_flight", .help = "Requests that are being served.", .kind = COUNTER_GAUGE, .scale = 1,
};
static struct counter_family attempts = {
	SUM("weir_upstream_attempts_total", "Attempts at targets, by result."),
	.labels = { "provider", "target", "result" },
};
static struct counter_family attempt_durations = {
	SECONDS("weir_upstream_duration_seconds", "Duration of attempts that succeeded.", duration_bounds),
	.labels = { "provider", "target" },
};
static struct counter_family target_first_tokens = {
	SECONDS("weir_upstream_time_to_first_token_seconds",
		"Time to the first content of requests answered by their first target.", first_token_bounds),
	.labels = { "provider", "target" },
};
static struct counter_family ups = {
	.name = "weir_upstream_up", .help = "1 when a target would be asked now, 0 when a breaker or a check keeps it out.",
	.kind = COUNTER_GAUGE, .scale = 1, .labels = { "provider", "target" },
};
static struct counter_family target_in_flight = {
	.name = "weir_upstream_requests_in_flight", .help = "Attempts under way at a target.",
	.kind = COUNTER_GAUGE, .scale = 1, .labels = { "provider", "target" },
};
static struct counter_family retries = {
	SUM("weir_retries_total", "Attempts beyond a request's first one."), .labels = { "model" },
};
static struct counter_family fallbacks = {
	SUM("weir_fallbacks_total", "Requests that went on from one target to another."),
	.labels = { "from", "to", "reason" },
};
static struct counter_family hedges = {
	SUM("weir_hedges_total", "Second attempts beside a first one whose token was late, by whether they answered."),
	.labels = { "model", "result" },
};
static struct counter_family ladder_answers = {
	SUM("weir_ladder_answers_total", "Requests that no target answered, but what comes after them did: a stale answer, a rule."),
	.labels = { "model", "rung" },
};
static struct counter_family refusals = {
	SUM("weir_limit_refusals_total", "Requests that a limit or a budget of their key refused."), .labels = { "key" },
};
static struct counter_family warnings = {
	SUM("weir_budget_warnings_total", "Budgets that came to a threshold of their warn_at."), .labels = { "at" },
};
static struct counter_family fields_dropped = {
	SUM("weir_fields_dropped_total", "Fields of requests that a target's format could not carry."),
	.labels = { "model" },
};
static struct counter_family tokens = {
	SUM("weir_tokens_total", "Tokens, as providers reported them. Input holds cache_read, output holds reasoning."),
	.labels = { "model", "provider", "type" },
};
static struct counter_family costs = {
	.name = "weir_cost_usd_total", .help = "Money spent, by table or estimate.", .kind = COUNTER_SUM, .scale = 1e-9,
	.labels = { "model", "provider" },
};
static struct counter_family costs_estimated = {
	.name = "weir_cost_estimated_usd_total", .help = "The part of weir_cost_usd_total that weir had to estimate.",
	.kind = COUNTER_SUM, .scale = 1e-9, .labels = { "model", "provider" },
};
static struct counter_family key_costs = {
	.name = "weir_key_cost_usd_total", .help = "Money spent by each key.", .kind = COUNTER_SUM, .scale = 1e-9,
	.labels = { "key" },
};
static struct counter_family unpriced = {
	SUM("weir_unpriced_attempts_total", "Attempts whose price is not known: part of no cost."), .labels = { "target" },
};
static struct counter_family aborts = {
	SUM("weir_stream_aborts_total", "Streams that broke off, by the side that did it."), .labels = { "side" },
};

static const char *const token_names[TOKEN_TYPES] = { "input", "output", "cache_read", "cache_write", "reasoning" };
static const char *const class_names[STATUS_CLASSES] = { "1xx", "2xx", "3xx", "4xx", "5xx" };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct model_counters *) models;
static _Atomic(struct target_counters *) targets;

static struct counter *one(struct counter_family *f, struct str a)
{
	return counter_of(f, &a);
}

static struct counter *two(struct counter_family *f, struct str a, struct str b)
{
	return counter_of(f, (struct str[]){ a, b });
}

static struct counter *three(struct counter_family *f, struct str a, struct str b, struct str c)
{
	return counter_of(f, (struct str[]){ a, b, c });
}

/* --- rows --- */

static struct model_counters *model_make(struct str name)
{
	struct model_counters *m = mem_alloc(sizeof *m);
	m->name = name;
	m->retries = one(&retries, name);
	m->next = atomic_load_explicit(&models, memory_order_relaxed);
	atomic_store_explicit(&models, m, memory_order_release);
	return m;
}

struct model_counters *families_model(struct live_model *live)
{
	static _Atomic(struct model_counters *) none;
	_Atomic(struct model_counters *) *slot = live ? &live->counters : &none;
	struct model_counters *m = atomic_load_explicit(slot, memory_order_acquire);
	if (likely(m))
		return m;
	pthread_mutex_lock(&lock);
	m = atomic_load_explicit(slot, memory_order_relaxed);
	if (!m) {
		m = model_make(live ? live->name : STR("none"));
		atomic_store_explicit(slot, m, memory_order_release);
	}
	pthread_mutex_unlock(&lock);
	return m;
}

static struct target_counters *target_make(const struct live_target *live)
{
	struct target_counters *t = mem_alloc(sizeof *t);
	struct str name = live->name;
	ptrdiff_t slash = str_chr(name, '/');
	t->live = live;
	t->name = name;
	t->provider = slash < 0 ? name : str_head(name, (size_t)slash);
	t->model = slash < 0 ? name : str_skip(name, (size_t)slash + 1);
	t->duration = two(&attempt_durations, t->provider, name);
	t->first_token = two(&target_first_tokens, t->provider, name);
	t->up = two(&ups, t->provider, name);
	t->in_flight = two(&target_in_flight, t->provider, name);
	counter_set(t->up, 1);
	t->next = atomic_load_explicit(&targets, memory_order_relaxed);
	atomic_store_explicit(&targets, t, memory_order_release);
	return t;
}

struct target_counters *families_target(struct live_target *live)
{
	struct target_counters *t = atomic_load_explicit(&live->counters, memory_order_acquire);
	if (likely(t))
		return t;
	pthread_mutex_lock(&lock);
	t = atomic_load_explicit(&live->counters, memory_order_relaxed);
	if (!t) {
		t = target_make(live);
		atomic_store_explicit(&live->counters, t, memory_order_release);
	}
	pthread_mutex_unlock(&lock);
	return t;
}

static struct endpoint_counters *endpoint_find(struct model_counters *m, const char *endpoint)
{
	struct endpoint_counters *e = atomic_load_explicit(&m->endpoints, memory_order_acquire);
	while (e && e->endpoint != endpoint)
		e = e->next;
	return e;
}

static struct endpoint_counters *endpoint_make(struct model_counters *m, const char *endpoint)
{
	struct endpoint_counters *e = mem_alloc(sizeof *e);
	e->endpoint = endpoint;
	e->model = m->name;
	e->duration = two(&durations, str_c(endpoint), m->name);
	e->first_token = two(&first_tokens, str_c(endpoint), m->name);
	e->overhead = one(&overheads, str_c(endpoint));
	e->next = atomic_load_explicit(&m->endpoints, memory_order_relaxed);
	atomic_store_explicit(&m->endpoints, e, memory_order_release);
	return e;
}

struct endpoint_counters *families_endpoint(struct model_counters *m, const char *endpoint)
{
	struct endpoint_counters *e = endpoint_find(m, endpoint);
	if (likely(e))
		return e;
	pthread_mutex_lock(&lock);
	e = endpoint_find(m, endpoint);
	if (!e)
		e = endpoint_make(m, endpoint);
	pthread_mutex_unlock(&lock);
	return e;
}

static _Atomic(struct route_counters *) *route_chain(struct model_counters *m, const struct live_target *t)
{
	return &m->routes[((uintptr_t)t * UINT64_C(0x9E3779B97F4A7C15)) >> 60];
}

static struct route_counters *route_find(struct model_counters *m, const char *endpoint, const struct live_target *t)
{
	struct route_counters *r = atomic_load_explicit(route_chain(m, t), memory_order_acquire);
	while (r && (r->target != t || r->endpoint != endpoint))
		r = r->next;
	return r;
}

static void route_make(struct model_counters *m, const char *endpoint, const struct live_target *t,
		       const struct target_counters *row)
{
	struct route_counters *r = mem_alloc(sizeof *r);
	r->endpoint = endpoint;
	r->target = t;
	r->model = m->name;
	for (unsigned i = 0; i < TOKEN_TYPES; i++)
		r->tokens[i] = three(&tokens, m->name, row->provider, str_c(token_names[i]));
	r->cost = two(&costs, m->name, row->provider);
	r->cost_estimated = two(&costs_estimated, m->name, row->provider);
	genai_fill(r, row);
	r->next = atomic_load_explicit(route_chain(m, t), memory_order_relaxed);
	atomic_store_explicit(route_chain(m, t), r, memory_order_release);
}

struct route_counters *families_route(struct model_counters *m, const char *endpoint, struct live_target *t)
{
	struct route_counters *r = route_find(m, endpoint, t);
	if (likely(r))
		return r;
	const struct target_counters *row = families_target(t);
	pthread_mutex_lock(&lock);
	if (!route_find(m, endpoint, t))
		route_make(m, endpoint, t, row);
	pthread_mutex_unlock(&lock);
	return route_find(m, endpoint, t);
}

/* --- counting --- */

static struct counter *request_series(struct endpoint_counters *e, enum error_kind kind, unsigned class)
{
	_Atomic(struct counter *) *slot = &e->requests[kind][class];
	struct counter *c = atomic_load_explicit(slot, memory_order_acquire);
	if (likely(c))
		return c;
	c = counter_of(&requests, (struct str[]){
		str_c(e->endpoint), e->model, str_c(class_names[class]), str_c(error_row(kind)->fault),
	});
	atomic_store_explicit(slot, c, memory_order_release);
	return c;
}

void families_request(struct endpoint_counters *e, enum error_kind kind, int status)
{
	unsigned class = status >= 100 && status < 600 ? (unsigned)status / 100 - 1 : STATUS_CLASSES - 1;
	counter_add(request_series(e, kind < ERR_KINDS ? kind : ERR_INTERNAL, class), 1);
}

void families_ai_duration(struct route_counters *r, enum error_kind kind, int64_t us)
{
	_Atomic(struct counter *) *slot = &r->ai_duration[kind < ERR_KINDS ? kind : ERR_INTERNAL];
	struct counter *c = atomic_load_explicit(slot, memory_order_acquire);
	if (unlikely(!c)) {
		c = genai_duration(r, atomic_load(&r->target->counters), kind);
		atomic_store_explicit(slot, c, memory_order_release);
	}
	counter_observe(c, (uint64_t)us);
}

static struct counter *attempt_series(struct target_counters *t, enum error_kind kind)
{
	_Atomic(struct counter *) *slot = &t->attempts[kind];
	struct counter *c = atomic_load_explicit(slot, memory_order_acquire);
	if (likely(c))
		return c;
	c = three(&attempts, t->provider, t->name, kind == ERR_NONE ? STR("success") : str_c(error_row(kind)->fault));
	atomic_store_explicit(slot, c, memory_order_release);
	return c;
}

void families_attempt(struct live_target *target, enum error_kind kind, int64_t took_us)
{
	if (!target)
		return;
	struct target_counters *t = families_target(target);
	counter_add(attempt_series(t, kind < ERR_KINDS ? kind : ERR_INTERNAL), 1);
	if (kind == ERR_NONE && took_us >= 0)
		counter_observe(t->duration, (uint64_t)took_us);
}

static struct counter *key_series(struct live_key *key)
{
	struct counter *c = atomic_load_explicit(&key->cost, memory_order_acquire);
	if (unlikely(!c)) {
		c = one(&key_costs, key->label);
		atomic_store_explicit(&key->cost, c, memory_order_release);
	}
	return c;
}

static void count_unpriced(struct target_counters *t)
{
	struct counter *c = atomic_load_explicit(&t->unpriced, memory_order_acquire);
	if (unlikely(!c)) {
		c = one(&unpriced, t->name);
		atomic_store_explicit(&t->unpriced, c, memory_order_release);
	}
	counter_add(c, 1);
	atomic_fetch_add_explicit(&t->n_unpriced, 1, memory_order_relaxed);
}

void families_cost(const struct txn *t, struct live_target *live, int64_t nano, bool estimated)
{
	if (!live)
		return;
	struct target_counters *target = families_target(live);
	if (nano < 0) {
		count_unpriced(target);
		return;
	}
	if (nano == 0)
		return;
	struct route_counters *r = families_route(families_model(t->live_model), t->endpoint->name, live);
	counter_add(r->cost, nano);
	atomic_fetch_add_explicit(&target->cost, nano, memory_order_relaxed);
	if (estimated) {
		counter_add(r->cost_estimated, nano);
		atomic_fetch_add_explicit(&target->cost_estimated, nano, memory_order_relaxed);
	}
	if (t->live_key)
		counter_add(key_series(t->live_key), nano);
}

void families_refusal(struct live_key *key)
{
	counter_add(one(&refusals, key ? key->label : STR("none")), 1);
}

void families_dropped(struct live_model *model, struct str fields)
{
	int64_t n = 0;
	struct str name;
	while (str_split(&fields, ',', &name))
		n++;
	if (n)
		counter_add(one(&fields_dropped, model ? model->name : STR("none")), n);
}

void families_hedge(struct live_model *model, bool won)
{
	counter_add(two(&hedges, model ? model->name : STR("none"), won ? STR("won") : STR("lost")), 1);
}

void families_ladder(struct live_model *model, const char *rung)
{
	counter_add(two(&ladder_answers, model ? model->name : STR("none"), str_c(rung)), 1);
}

void families_fallback(struct str from, struct str to, enum error_kind why)
{
	counter_add(three(&fallbacks, from, to, str_c(error_row(why)->fault)), 1);
}

/* A series without labels of configuration, found once in a process. */
static struct counter *once(_Atomic(struct counter *) *slot, struct counter_family *f, struct str value)
{
	struct counter *c = atomic_load_explicit(slot, memory_order_acquire);
	if (unlikely(!c)) {
		c = one(f, value);
		atomic_store_explicit(slot, c, memory_order_release);
	}
	return c;
}

struct counter *families_in_flight(void)
{
	static _Atomic(struct counter *) slot;
	return once(&slot, &in_flight, STR_NONE);
}

void families_abort(bool by_caller)
{
	static _Atomic(struct counter *) slots[2];
	counter_add(once(&slots[by_caller], &aborts, by_caller ? STR("client") : STR("upstream")), 1);
}

/* --- sums --- */

struct target_counters *families_targets(void)
{
	return atomic_load_explicit(&targets, memory_order_acquire);
}

void families_attempts(struct target_counters *t, int64_t *all, int64_t *failed)
{
	*all = *failed = 0;
	for (unsigned kind = 0; kind < ERR_KINDS; kind++) {
		struct counter *c = atomic_load_explicit(&t->attempts[kind], memory_order_acquire);
		int64_t n = c ? counter_value(c) : 0;
		*all += n;
		*failed += kind == ERR_NONE ? 0 : n;
	}
}

static bool not_the_callers(enum error_kind kind)
{
	struct str fault = str_c(error_row(kind)->fault);
	return str_starts(fault, STR("provider_")) || str_starts(fault, STR("gateway_"));
}

static void add_requests(struct endpoint_counters *e, struct families_totals *sum)
{
	for (unsigned kind = 0; kind < ERR_KINDS; kind++)
		for (unsigned class = 0; class < STATUS_CLASSES; class++) {
			struct counter *c = atomic_load_explicit(&e->requests[kind][class], memory_order_acquire);
			int64_t n = c ? counter_value(c) : 0;
			sum->requests += n;
			sum->failed += not_the_callers(kind) ? n : 0;
		}
}

/* Not a caller's: a probe that comes every second would make each failure look small. */
static bool is_probe(const struct endpoint_counters *e)
{
	return strcmp(e->endpoint, "livez") == 0 || strcmp(e->endpoint, "readyz") == 0;
}

void families_totals(struct families_totals *sum)
{
	*sum = (struct families_totals){ .requests = 0 };
	for (struct model_counters *m = atomic_load(&models); m; m = m->next)
		for (struct endpoint_counters *e = atomic_load(&m->endpoints); e; e = e->next)
			if (!is_probe(e))
				add_requests(e, sum);
	for (struct target_counters *t = families_targets(); t; t = t->next) {
		sum->input += atomic_load_explicit(&t->input, memory_order_relaxed);
		sum->output += atomic_load_explicit(&t->output, memory_order_relaxed);
		sum->cost += atomic_load_explicit(&t->cost, memory_order_relaxed);
	}
}

/* --- everything known, at zero --- */

static const enum error_kind usual_failures[] = {
	ERR_UPSTREAM_RATE_LIMIT, ERR_UPSTREAM_AUTH, ERR_UPSTREAM_BROKEN, ERR_UPSTREAM_CONNECT,
	ERR_UPSTREAM_OVERLOADED, ERR_TIMEOUT,
};

static void prepare_target(struct live_target *live)
{
	struct target_counters *t = families_target(live);
	attempt_series(t, ERR_NONE);
	for (size_t i = 0; i < array_len(usual_failures); i++)
		attempt_series(t, usual_failures[i]);
}

static void prepare_pair(struct str model, struct str provider)
{
	for (unsigned k = 0; k < TOKEN_TYPES; k++)
		three(&tokens, model, provider, str_c(token_names[k]));
	two(&costs, model, provider);
	two(&costs_estimated, model, provider);
}

static void prepare_model(const struct model *m)
{
	struct model_counters *row = families_model(m->live);
	struct endpoint_counters *e = families_endpoint(row, "chat");
	request_series(e, ERR_NONE, 1);
	for (size_t i = 0; i < array_len(usual_failures); i++)
		request_series(e, usual_failures[i], (unsigned)error_row(usual_failures[i])->status / 100 - 1);
	if (m->policy.hedge_quantile) {
		two(&hedges, row->name, STR("won"));
		two(&hedges, row->name, STR("lost"));
	}
	for (unsigned i = 0; i < m->n_ladder; i++)
		two(&ladder_answers, row->name, m->ladder[i] == LADDER_STALE ? STR("stale") : STR("rule"));
	for (unsigned i = 0; i < m->n_targets; i++)
		if (m->targets[i]->live)
			prepare_pair(row->name, m->targets[i]->provider->name);
}

static struct counter *warning_series(int at)
{
	char text[8];
	return one(&warnings, str_of(text, (size_t)snprintf(text, sizeof(text), "%d", at)));
}

void families_budget_warning(int at)
{
	counter_add(warning_series(at), 1);
}

static void prepare_key(const struct key *k)
{
	key_series(k->live);
	for (unsigned i = 0; k->limits && i < k->limits->n; i++)
		for (unsigned w = 0; w < k->limits->rules[i].n_warn; w++)
			warning_series(k->limits->rules[i].warn_at[w]);
}

void families_prepare(const struct snapshot *s)
{
	families_in_flight();
	one(&aborts, STR("client"));
	one(&aborts, STR("upstream"));
	for (unsigned i = 0; i < s->n_targets; i++)
		if (s->targets[i]->live)
			prepare_target(s->targets[i]->live);
	for (unsigned i = 0; i < s->n_models; i++)
		if (s->models[i]->live)
			prepare_model(s->models[i]);
	for (unsigned i = 0; i < s->n_keys; i++)
		prepare_key(s->keys[i]);
	cascade_prepare(s);
	cache_counters_prepare(s);
}
