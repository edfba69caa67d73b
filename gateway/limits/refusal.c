/*
 * refusal.c: of the limits that refuse, the one to name; and whether it denies its key for a while.
 */
#include "limits/refusal.h"

#include "base/clock.h"
#include "core/refused.h"
#include "core/target.h"
#include "store/worker_store.h"

/*
 * How long no request at all can pass: each needs one of a limit of requests; of one that is spent to its end each needs
 * something, and nothing comes back before a part of its window slides out, or its period ends.
 */
static int64_t denied_for(const struct refused *r)
{
	const int64_t total_us = 3600 * SECOND_US;
	const struct limit_rule *rule = r->rule;
	bool never = r->retry_us == STORE_NEVER;
	if (rule->unit == LIMIT_REQUESTS)
		return never ? 0 : r->retry_us;
	if (rule->unit == LIMIT_CONCURRENT || r->spent < rule->most)
		return 0;
	if (rule->span_s) {
		int64_t slide = store_slide_us(worker_store(), rule->span_s);
		return r->retry_us < slide ? r->retry_us : slide;
	}
	return never ? total_us : r->retry_us;
}

enum stage_result refusal(struct txn *t, const struct hold *h, const struct limit_set *set)
{
	unsigned i = h->answer.refused_by < h->r.n ? h->answer.refused_by : 0;
	const struct refused r = {
		.rule = &set->rules[h->rules[i]], .spent = h->answer.used[i].spent, .reserved = h->answer.used[i].reserved,
		.amount = h->limits[i].amount, .retry_us = h->answer.retry_us, .period_end = h->limits[i].period_end,
		.local = h->local, .limit = h->limits[i].limit,
	};
	int64_t for_us = r.rule->per == LIMIT_ALL && !h->local && t->live_key ? denied_for(&r) : 0;
	if (for_us > 0)
		refused_note(t, &r, for_us);
	t->rate = rate_state_of(t, h);
	return refuse(t, &r);
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
