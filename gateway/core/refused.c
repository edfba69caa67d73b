/*
 * refused.c: a refusal that says all: whose limit, how much is spent, held back and allowed.
 */
#include "core/refused.h"

#include <time.h>

#include "base/clock.h"
#include "core/live.h"
#include "core/money.h"
#include "core/snapshot.h"
#include "core/target.h"

struct str moment_text(struct arena *a, int64_t unix_s)
{
	struct tm tm;
	time_t at = (time_t)unix_s;
	gmtime_r(&at, &tm);
	return arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
			    tm.tm_sec);
}

static struct str amount(struct arena *a, const struct limit_rule *rule, int64_t n)
{
	char text[MONEY_SIZE];
	if (rule->unit == LIMIT_USD)
		return arena_printf(a, "$%.*s", STR_FMT(money_format(text, n)));
	return arena_printf(a, "%lld", (long long)n);
}

/* What is held and needed, where it was asked. */
static struct str rest(struct txn *t, const struct refused *r)
{
	if (r->amount < 0)
		return STR_NONE;
	return arena_printf(&t->arena, ", %.*s are held by running requests, this one needs %.*s",
			    STR_FMT(amount(&t->arena, r->rule, r->reserved)), STR_FMT(amount(&t->arena, r->rule, r->amount)));
}

/* A part of the limit was reached, not the limit. */
static struct str part_note(struct arena *a, const struct refused *r)
{
	if (!r->local || r->limit == r->rule->most)
		return STR_NONE;
	return arena_printf(a, " The store that replicas share is away: until it is back this one goes as far as %.*s.",
			    STR_FMT(amount(a, r->rule, r->limit)));
}

static enum stage_result budget_spent(struct txn *t, const struct refused *r)
{
	const char *then = r->period_end ? " It begins anew at " : r->rule->span_s ? " What is spent frees it again when it is older." : "";
	t->error.final = !r->local;
	t->error.budget_reset = r->period_end ? moment_text(&t->arena, r->period_end) : STR_NONE;
	return txn_error(t, ERR_BUDGET, "The budget of %.*s (%.*s) does not allow this request: %.*s are spent%.*s.%s%.*s%.*s",
			 STR_FMT(r->rule->owner), STR_FMT(r->rule->name), STR_FMT(amount(&t->arena, r->rule, r->spent)),
			 STR_FMT(rest(t, r)), then, STR_FMT(t->error.budget_reset), STR_FMT(part_note(&t->arena, r)));
}

/* Where the store was not asked, the headers tell of this limit alone. */
static const struct rate_state *rate_of(struct txn *t, const struct limit_rule *rule)
{
	struct rate_state *s = arena_new(&t->arena, struct rate_state);
	s->requests_known = rule->unit == LIMIT_REQUESTS;
	s->tokens_known = rule->unit == LIMIT_TOKENS;
	s->requests_limit = s->tokens_limit = rule->most;
	s->requests_reset_s = s->tokens_reset_s = rule->span_s;
	return s->requests_known || s->tokens_known ? s : NULL;
}

enum stage_result refuse(struct txn *t, const struct refused *r)
{
	bool never = r->retry_us == INT64_MAX;
	if (!t->rate && !r->rule->budget)
		t->rate = rate_of(t, r->rule);
	if (r->rule->budget)
		return budget_spent(t, r);
	t->error.retry_after_s = never ? 0 : r->retry_us > 0 ? (int)((r->retry_us + SECOND_US - 1) / SECOND_US) : 1;
	t->error.final = never;
	return txn_error(t, ERR_KEY_RATE_LIMIT, "The limit of %.*s is reached: %.*s %lld; %lld are used%.*s.%.*s", STR_FMT(r->rule->owner),
			 STR_FMT(r->rule->name), (long long)r->rule->most, (long long)r->spent, STR_FMT(rest(t, r)),
			 STR_FMT(part_note(&t->arena, r)));
}

/* --- remembered --- */

void refused_note(const struct txn *t, const struct refused *r, int64_t for_us)
{
	struct live_denial *d = &t->live_key->denial;
	int64_t now = loop_now(t->loop);
	atomic_store(&d->until_us, 0);
	atomic_store(&d->stamp, snapshot_stamp(t->snapshot));
	atomic_store(&d->rule, (uint32_t)(r->rule - t->key->limits->rules));
	atomic_store(&d->spent, r->spent);
	atomic_store(&d->period_end, r->period_end);
	atomic_store(&d->retry_us, r->retry_us == INT64_MAX ? INT64_MAX : now + r->retry_us);
	atomic_store(&d->until_us, now + for_us);
}

bool refused_before(const struct txn *t, struct refused *out)
{
	const struct live_denial *d = &t->live_key->denial;
	const struct limit_set *set = t->key->limits;
	int64_t now = loop_now(t->loop);
	if (likely(atomic_load_explicit(&d->until_us, memory_order_acquire) <= now))
		return false;
	uint32_t rule = atomic_load(&d->rule);
	if (!set || rule >= set->n || atomic_load(&d->stamp) != snapshot_stamp(t->snapshot))
		return false;
	int64_t retry = atomic_load(&d->retry_us);
	*out = (struct refused){ .rule = &set->rules[rule], .spent = atomic_load(&d->spent), .amount = -1,
				 .retry_us = retry == INT64_MAX ? retry : retry - now, .period_end = atomic_load(&d->period_end) };
	return true;
}
