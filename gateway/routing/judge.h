/*
 * judge.h: may a target be asked for this request, and if not, why?
 */
#ifndef WEIR_ROUTING_JUDGE_H
#define WEIR_ROUTING_JUDGE_H

#include "core/plan.h"

struct txn;

/* By configuration, health and places: fills in `excluded` and what belongs to it. `requires` is the asked model's. */
void judge(const struct txn *t, const struct requires *r, struct plan_entry *e);

/* By what this prompt needs, as far as the tables know; marks entries unfit. */
void judge_fit(struct txn *t, struct plan *p);

/* By its expected cost against the model's ceiling. */
void judge_cost(const struct plan *p, struct plan_entry *e, int64_t spent);

#endif
