/*
 * ladder.c: the rungs below the targets, each asked once, in the model's order.
 */
#include "upstream/ladder.h"

#include "core/families.h"
#include "core/plan.h"

/* It is about providers or money, not about the request: another answer may serve. */
static bool may_answer(enum error_kind kind)
{
	return kind == ERR_OVERLOADED || kind == ERR_BUDGET || kind == ERR_COST_CEILING || error_row(kind)->next == NEXT_TARGET;
}

static bool rung_answers(struct txn *t, enum ladder_rung rung)
{
	bool (*ask)(struct txn *) = rung == LADDER_STALE ? t->ops->stale : t->ops->rule;
	struct live_model *model = t->live_model;
	if (!ask || !ask(t))
		return false;
	families_ladder(model, rung == LADDER_STALE ? "stale" : "rule");
	return true;
}

bool ladder_answers(struct txn *t, enum error_kind kind)
{
	const struct model *m = t->plan ? t->plan->model : NULL;
	if (!m || t->comparison || t->answer.content || !may_answer(kind))
		return false;
	for (unsigned i = 0; i < m->n_ladder; i++)
		if (rung_answers(t, (enum ladder_rung)m->ladder[i]))
			return true;
	return false;
}
