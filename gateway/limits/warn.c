/*
 * warn.c: what was told is remembered by its digest; a table that is full forgets, and tells again.
 */
#include "limits/warn.h"

#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/digest.h"
#include "core/alert.h"
#include "core/families.h"
#include "core/target.h"
#include "store/worker_store.h"

enum { TOLD_MAX = 8192 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t told[2 * TOLD_MAX];
static unsigned n_told;

static bool is_new(const uint8_t id[DIGEST_SIZE])
{
	uint64_t name;
	memcpy(&name, id, sizeof(name));
	name |= 1;
	pthread_mutex_lock(&lock);
	uint64_t *at = &told[name % array_len(told)];
	while (*at && *at != name)
		at = at + 1 == told + array_len(told) ? told : at + 1;
	bool fresh = !*at;
	if (fresh && n_told == TOLD_MAX) {
		memset(told, 0, sizeof(told));
		n_told = 0;
		at = &told[name % array_len(told)];
	}
	if (fresh) {
		*at = name;
		n_told++;
	}
	pthread_mutex_unlock(&lock);
	return fresh;
}

/* A rolling budget is told of once a span. */
static int64_t period_of(const struct store_limit *l, int64_t now_s)
{
	return l->kind == STORE_BUDGET ? l->period_start : now_s / (l->span_s > 0 ? l->span_s : 1);
}

static void make_id(const struct hold *h, const struct store_limit *l, int at, int64_t period, uint8_t id[DIGEST_SIZE])
{
	int64_t numbers[3] = { at, period, l->limit };
	const struct iovec parts[] = {
		{ (void *)(uintptr_t)h->r.scope.p, h->r.scope.n }, { (void *)(uintptr_t)"|", 1 }, { (void *)(uintptr_t)l->key.p, l->key.n },
		{ numbers, sizeof(numbers) },
	};
	digest_sha256_parts(parts, array_len(parts), id);
}

/* As fast as until now until the end; of the first hundredth of a period nothing is foretold. */
static int64_t forecast(const struct store_limit *l, int64_t spent, int64_t now_s)
{
	int64_t all = l->period_end - l->period_start, gone = now_s - l->period_start;
	if (l->period_end == 0 || gone * 100 < all || gone <= 0)
		return -1;
	return (int64_t)((__int128)spent * all / gone);
}

static void raise(const struct limit_rule *rule, const struct hold *h, unsigned i, int at, int64_t now_s)
{
	const struct store_limit *l = &h->limits[i];
	struct alert a = { .at = at, .money = rule->unit == LIMIT_USD, .spent = h->answer.used[i].spent, .limit = l->limit,
			   .period_end = l->period_end };
	make_id(h, l, at, period_of(l, now_s), a.id);
	if (!is_new(a.id))
		return;
	a.forecast = forecast(l, a.spent, now_s);
	snprintf(a.of, sizeof(a.of), "%.*s", STR_FMT(rule->owner));
	snprintf(a.budget, sizeof(a.budget), "%.*s", STR_FMT(rule->name));
	families_budget_warning(at);
	alert_raise(&a);
}

void warn_look(struct txn *t, const struct hold *h)
{
	for (unsigned i = 0; i < h->r.n; i++) {
		const struct limit_rule *rule = &t->key->limits->rules[h->rules[i]];
		int64_t spent = h->answer.used[i].spent;
		for (unsigned w = 0; w < rule->n_warn; w++)
			if ((__int128)spent * 100 >= (__int128)h->limits[i].limit * rule->warn_at[w])
				raise(rule, h, i, rule->warn_at[w], store_wall_us(worker_store()) / SECOND_US);
	}
}
