/*
 * hold.c: rules and amounts become the store's limits.
 */
#include "limits/hold.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/spending.h"
#include "limits/subject.h"

static enum store_kind kind_of(const struct limit_rule *r)
{
	if (r->unit == LIMIT_CONCURRENT)
		return STORE_CONCURRENT;
	if (r->budget && !r->span_s)
		return STORE_BUDGET;
	return r->unit == LIMIT_REQUESTS ? STORE_REQUESTS : STORE_WINDOW;
}

struct store_limit hold_limit(const struct limit_rule *rule, struct str key, int64_t now_s)
{
	struct store_limit l = { .key = key, .kind = kind_of(rule), .limit = rule->most, .span_s = rule->span_s };
	if (rule->budget && !rule->span_s)
		period_bounds(rule->period, rule->zone, now_s, &l.period_start, &l.period_end);
	return l;
}

static int64_t amount_of(const struct limit_rule *r, const struct hold_need *n)
{
	switch (r->unit) {
	case LIMIT_TOKENS: return (r->side == LIMIT_OUTPUT ? 0 : n->input) +
				  (r->side == LIMIT_INPUT ? 0 : r->worst_case ? n->most_output : n->output);
	case LIMIT_USD:    return r->worst_case ? n->most_cost : n->cost;
	default:           return 1;
	}
}

static size_t bytes_of(const struct limit_set *set)
{
	size_t n = set->scope.n;
	for (unsigned i = 0; i < set->n; i++)
		n += set->rules[i].store_key.n + (set->rules[i].per == LIMIT_USER ? USER_MAX + 1 : 0);
	return n;
}

/* The rule may be gone with its snapshot when it is settled. */
enum hold_count { COUNT_REQUEST, COUNT_MONEY, COUNT_TOKENS, COUNT_INPUT, COUNT_OUTPUT, COUNT_WHAT = 7, COUNT_BUDGET = 8 };

static enum hold_count what_of(const struct limit_rule *r)
{
	if (r->unit == LIMIT_USD)
		return COUNT_MONEY;
	if (r->unit != LIMIT_TOKENS)
		return COUNT_REQUEST;
	return r->side == LIMIT_INPUT ? COUNT_INPUT : r->side == LIMIT_OUTPUT ? COUNT_OUTPUT : COUNT_TOKENS;
}

static struct str keep(char **at, struct str s)
{
	struct str copy = str_of(*at, s.n);
	if (s.n)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return copy;
}

struct hold *hold_new(struct txn *t, const struct limit_set *set, const struct hold_need *need, int64_t now_s, bool without_money)
{
	size_t limits = sizeof(struct store_limit) * set->n, known = sizeof(int64_t) * set->n;
	char *memory = mem_alloc(sizeof(struct hold) + limits + known + 2 * (size_t)set->n + bytes_of(set));
	struct str user = subject_user(t, set);
	struct hold *h = (struct hold *)(void *)memory;
	char *behind = memory + sizeof(*h) + limits, *names = behind + known + 2 * (size_t)set->n;
	*h = (struct hold){ .t = t, .generation = t->generation, .limits = (struct store_limit *)(void *)(memory + sizeof(*h)),
			    .known = (int64_t *)(void *)behind, .rules = (unsigned char *)behind + known,
			    .counts = (unsigned char *)behind + known + set->n };
	list_init(&h->link);
	h->r = (struct store_reservation){ .scope = keep(&names, set->scope), .limits = h->limits };
	store_id_make(h->r.id);
	for (unsigned i = 0; i < set->n; i++) {
		const struct limit_rule *rule = &set->rules[i];
		struct store_limit *l = &h->limits[h->r.n];
		bool unasked = (rule->unit == LIMIT_USD && without_money) || (rule->unit == LIMIT_TOKENS && t->answered_here);
		if (unasked || !subject_matches(t, rule, user))
			continue;
		*l = hold_limit(rule, keep(&names, rule->store_key), now_s);
		l->amount = amount_of(rule, need);
		if (rule->per == LIMIT_USER) {
			memcpy(names, user.p, user.n);
			l->key.n += user.n;	/* right behind it */
			names += user.n;
		}
		h->counts[h->r.n] = (unsigned char)(what_of(rule) | (rule->budget ? COUNT_BUDGET : 0));
		h->rules[h->r.n++] = (unsigned char)i;
	}
	return h;
}

static int64_t real_of(const struct txn *t, enum hold_count what)
{
	if (what == COUNT_MONEY)
		return t->cost;
	/* Of all attempts; an answer out of the cache was none. */
	int64_t input = t->attempts ? t->all_input : t->usage.input, output = t->attempts ? t->all_output : t->usage.output;
	return (what == COUNT_OUTPUT ? 0 : input) + (what == COUNT_INPUT ? 0 : output);
}

void hold_real(const struct hold *h, const struct txn *t, int64_t real[STORE_LIMITS_MAX])
{
	for (unsigned i = 0; i < h->r.n; i++) {
		const struct store_limit *l = &h->limits[i];
		if (l->kind == STORE_CONCURRENT || l->kind == STORE_REQUESTS)
			real[i] = l->kind == STORE_REQUESTS;
		else
			real[i] = real_of(t, (enum hold_count)(h->counts[i] & COUNT_WHAT));
	}
}

static bool is_budget(const struct hold *h, unsigned i)
{
	return h->counts[i] & COUNT_BUDGET;
}

static size_t spending_bytes(const struct hold *h)
{
	size_t n = h->r.scope.n;
	for (unsigned i = 0; i < h->r.n; i++)
		n += is_budget(h, i) ? sizeof(struct spending_part) + h->limits[i].key.n : 0;
	return n;
}

/* A rolling budget is kept by the parts of its window, each until nothing of it counts any more. */
static struct spending_part part_of(const struct hold *h, unsigned i, int64_t amount, int64_t wall_us)
{
	const struct store_limit *l = &h->limits[i];
	struct spending_part p = { .amount = amount, .span_s = l->kind == STORE_BUDGET ? 0 : l->span_s };
	if (!p.span_s) {
		p.seen = h->local ? 0 : h->answer.used[i].spent;
		p.period_start = l->period_start;
		p.period_end = l->period_end;
		return p;
	}
	int64_t width_us = p.span_s * SECOND_US / STORE_WINDOW_PARTS, start_us = wall_us / width_us * width_us;
	p.period_start = start_us / SECOND_US;
	p.period_end = (start_us + width_us + SECOND_US - 1) / SECOND_US + p.span_s;
	return p;
}

struct spending *hold_spending(const struct hold *h, const int64_t real[STORE_LIMITS_MAX], int64_t wall_us)
{
	unsigned n = 0;
	for (unsigned i = 0; i < h->r.n; i++)
		n += is_budget(h, i);
	if (n == 0)
		return NULL;
	struct spending *s = mem_alloc(sizeof(*s) + spending_bytes(h));
	char *names = (char *)&s->parts[n];
	s->scope = keep(&names, h->r.scope);
	for (unsigned i = 0; i < h->r.n; i++) {
		if (!is_budget(h, i))
			continue;
		s->parts[s->n] = part_of(h, i, real[i], wall_us);
		s->parts[s->n++].key = keep(&names, h->limits[i].key);
	}
	return s;
}
