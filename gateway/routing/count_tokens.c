/*
 * count_tokens.c: Anthropic's count_tokens, and Google's, for targets that speak only chat: the estimator's word.
 */
#include "routing/count_tokens.h"

#include <stdio.h>

#include "core/endpoint.h"
#include "core/live.h"
#include "core/plan.h"
#include "core/prompt.h"
#include "core/txn.h"

static bool somebody_counts(const struct plan *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (!p->entries[i].excluded || p->entries[i].excluded_as != ERR_BAD_REQUEST)
			return true;
	return false;
}

static void answer(struct txn *t, int64_t tokens)
{
	char text[64];
	bool google = t->endpoint->route == ROUTE_PATH;
	int n = snprintf(text, sizeof(text), google ? "{\"totalTokens\":%lld}" : "{\"input_tokens\":%lld}", (long long)tokens);
	static const struct answer_header estimated = { STR_INIT("x-weir-estimated"), STR_INIT("true") };
	struct delta head = { .kind = DELTA_HEAD }, end = { .kind = DELTA_END };
	struct delta body = { .kind = DELTA_BYTES, .raw = str_of(text, (size_t)n), .more = true };
	t->answer.status = 200;
	t->answer.content_type = STR("application/json");
	t->answer.length = n;
	t->answer.headers = &estimated;
	t->answer.n_headers = 1;
	t->sinks->take(t->sinks, &head);
	t->sinks->take(t->sinks, &body);
	t->sinks->take(t->sinks, &end);
	txn_end(t);
}

enum stage_result count_tokens(struct txn *t)
{
	const struct plan *p = t->plan;
	if (!str_eq(str_c(t->endpoint->name), STR("count_tokens")) || t->dry || p->n == 0 || somebody_counts(p))
		return STAGE_NEXT;
	const struct live_target *live = p->entries[0].target->live;
	answer(t, estimate_input(live ? &live->learned.input : NULL, txn_prompt(t)));
	return STAGE_ANSWERED;
}
