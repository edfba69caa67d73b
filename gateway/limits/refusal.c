/*
 * refusal.c: a refusal that says all: whose limit, how much is spent, held back and allowed.
 */
#include "limits/refusal.h"

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

/* A part of the limit was reached, not the limit. */
static struct str part_note(struct arena *a, const struct hold *h, unsigned i, const struct limit_rule *rule)
{
	if (!h->local || h->limits[i].limit == rule->most)
		return STR_NONE;
	return arena_printf(a, " The store that replicas share is away: until it is back this one goes as far as %.*s.",
			    STR_FMT(amount(a, rule, h->limits[i].limit)));
}

static enum stage_result budget_spent(struct txn *t, const struct hold *h, unsigned i, const struct limit_rule *rule)
{
	const struct store_usage *u = &h->answer.used[i];
	int64_t end = h->limits[i].period_end;
	t->error.final = !h->local;
	t->error.budget_reset = end ? moment_text(&t->arena, end) : STR_NONE;
	return txn_error(t, ERR_BUDGET, "The budget of %.*s (%.*s) does not allow this request: %.*s are spent, %.*s are held by running "
			 "requests, this one needs %.*s.%s%.*s%.*s", STR_FMT(rule->owner), STR_FMT(rule->name),
			 STR_FMT(amount(&t->arena, rule, u->spent)), STR_FMT(amount(&t->arena, rule, u->reserved)),
			 STR_FMT(amount(&t->arena, rule, h->limits[i].amount)), end ? " It begins anew at " : rule->span_s ? " What is spent frees it again when it is older." : "",
			 STR_FMT(t->error.budget_reset), STR_FMT(part_note(&t->arena, h, i, rule)));
}

/*
 * Every request needs one of a limit of requests, and only time gives them back: until then the key need not be asked for
 * its body.
 */
static void deny(const struct txn *t, const struct limit_rule *rule, int64_t retry_us)
{
	if (rule->unit != LIMIT_REQUESTS || rule->per != LIMIT_ALL || retry_us <= 0 || retry_us == STORE_NEVER || !t->live_key)
		return;
	struct live_denial *d = &t->live_key->denial;
	atomic_store(&d->until_us, 0);
	atomic_store(&d->stamp, snapshot_stamp(t->snapshot));
	atomic_store(&d->most, rule->most);
	atomic_store(&d->span_s, rule->span_s);
	atomic_store(&d->of_team, str_starts(rule->store_key, STR("team/")));
	atomic_store(&d->until_us, loop_now(t->loop) + retry_us);
}

enum stage_result refusal(struct txn *t, const struct hold *h, const struct limit_set *set)
{
	unsigned i = h->answer.refused_by < h->r.n ? h->answer.refused_by : 0;
	const struct limit_rule *rule = &set->rules[h->rules[i]];
	const struct store_usage *u = &h->answer.used[i];
	int64_t retry = h->answer.retry_us;
	if (rule->budget)
		return budget_spent(t, h, i, rule);
	if (!h->local)
		deny(t, rule, retry);
	if (retry != STORE_NEVER)
		t->error.retry_after_s = (int)((retry + SECOND_US - 1) / SECOND_US > 0 ? (retry + SECOND_US - 1) / SECOND_US : 1);
	t->error.final = retry == STORE_NEVER;
	return txn_error(t, ERR_KEY_RATE_LIMIT, "The limit of %.*s is reached: %.*s %lld; %lld are used, %lld are held by running requests, "
			 "this one needs %lld.%.*s", STR_FMT(rule->owner), STR_FMT(rule->name), (long long)rule->most, (long long)u->spent,
			 (long long)u->reserved, (long long)h->limits[i].amount, STR_FMT(part_note(&t->arena, h, i, rule)));
}

const struct rate_state *rate_state_of(struct txn *t, const struct hold *h)
{
	struct rate_state *s = arena_new(&t->arena, struct rate_state);
	for (unsigned i = 0; i < h->r.n; i++) {
		const struct store_limit *l = &h->limits[i];
		int64_t left = l->limit - h->answer.used[i].spent - h->answer.used[i].reserved;
		left = left > 0 ? left : 0;
		if (t->key->limits->rules[h->rules[i]].budget)
			continue;
		if (l->kind == STORE_REQUESTS && (!s->requests_known || left < s->requests_left)) {
			s->requests_known = true;
			s->requests_limit = l->limit;
			s->requests_left = left;
			s->requests_reset_s = l->span_s;
		} else if (l->kind == STORE_WINDOW && (!s->tokens_known || left < s->tokens_left)) {
			s->tokens_known = true;
			s->tokens_limit = l->limit;
			s->tokens_left = left;
			s->tokens_reset_s = l->span_s;
		}
	}
	return s->requests_known || s->tokens_known ? s : NULL;
}
