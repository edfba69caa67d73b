/*
 * need.c: tokens and money a plan may take.
 *
 * Without max_tokens an answer is reserved as long as hardly any of the target's answers
 * was, 4,096 tokens until that is known; never more than the model can write.
 */
#include "limits/need.h"

#include "core/call.h"
#include "core/endpoint.h"
#include "core/live.h"
#include "core/plan.h"
#include "core/price.h"

static const int64_t OUTPUT_UNKNOWN = 4096, OUTPUT_MOST = 128 * 1024;

static int64_t at_most(int64_t n, int64_t ceiling)
{
	return ceiling > 0 && n > ceiling ? ceiling : n;
}

static void lengths(const struct txn *t, const struct target *target, struct hold_need *n)
{
	const struct learned *l = target->live ? &target->live->learned : NULL;
	int64_t learned = l ? learned_output_most(l) : 0, said = t->call->max_output;
	n->input = estimate_input(l ? &l->input : NULL, &t->call->prompt);
	n->output = at_most(at_most(learned ? learned : OUTPUT_UNKNOWN, said), target->max_output);
	n->most_output = at_most(said ? said : OUTPUT_MOST, target->max_output);
}

static int64_t cost_of(const struct txn *t, const struct target *target, int64_t input, int64_t output)
{
	struct usage u = { .known = true, .input = input, .output = output };
	return target->price ? price_cost(target->price, &u, (enum service_tier)t->call->service) : 0;
}

static void larger(int64_t *to, int64_t n)
{
	*to = n > *to ? n : *to;
}

void need_of(struct txn *t, struct hold_need *out)
{
	int64_t all = 0, all_most = 0;		/* a cascade may pay each of its steps */
	*out = (struct hold_need){ .input = 0 };
	if (t->answered_here || !txn_prompt(t)->measured)
		return;		/* nothing that is paid by tokens */
	for (unsigned i = 0; i < t->plan->n; i++) {
		const struct target *target = t->plan->entries[i].target;
		struct hold_need n = { .input = 0 };
		if (t->plan->entries[i].excluded && !t->plan->entries[i].full)
			continue;
		lengths(t, target, &n);
		bool text = t->endpoint->good == ANSWER_TEXT;
		larger(&out->input, n.input);
		larger(&out->output, text ? n.output : 0);
		larger(&out->most_output, text ? n.most_output : 0);
		int64_t cost = cost_of(t, target, n.input, text ? n.output : 0);
		/* A token is at least a byte. Asked for only where it is reserved, or decides whether it costs at all. */
		bool asked = cost == 0 || t->key->limits->worst_case;
		int64_t most = asked ? cost_of(t, target, (int64_t)t->call->body.n, text ? n.most_output : 0) : cost;
		larger(&out->cost, cost);
		larger(&out->most_cost, most);
		if (t->plan->entries[i].step) {
			all += cost;
			all_most += most;
		}
	}
	larger(&out->cost, all);
	larger(&out->most_cost, all_most);
}

static void exclude(struct plan_entry *e, const char *why, enum error_kind as)
{
	e->excluded = why;
	e->excluded_as = as;
	e->full = e->passing = false;
}

bool need_nothing(struct txn *t)
{
	bool any = false;
	for (unsigned i = 0; i < t->plan->n; i++) {
		struct plan_entry *e = &t->plan->entries[i];
		bool is_free = e->target->price && e->target->price->free;
		if (!is_free)
			exclude(e, "the budget is spent", ERR_BUDGET);
		any |= is_free && (!e->excluded || e->full || e->passing);
	}
	return any;
}

void need_prices(struct txn *t)
{
	for (unsigned i = 0; i < t->plan->n; i++) {
		struct plan_entry *e = &t->plan->entries[i];
		if (!e->target->price && !e->excluded && !str_empty(e->target->model))
			exclude(e, "its price is not known, and this key has a budget", ERR_OVERLOADED);
	}
}
