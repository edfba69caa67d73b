/*
 * families.h: what several rooms count. Families that one room counts alone are in that room.
 */
#ifndef WEIR_CORE_FAMILIES_H
#define WEIR_CORE_FAMILIES_H

#include "core/error.h"
#include "core/live.h"

/* One attempt at a target ended; ERR_NONE for a success. */
void families_attempt(struct live_target *target, enum error_kind kind, int64_t took_us);

/*
 * What an attempt cost, in nano-dollars, or that its price is not known (below 0). `estimated`: by
 * weir's own estimate of tokens or price.
 */
struct txn;
void families_cost(const struct txn *t, struct live_target *target, int64_t nano, bool estimated);

/* A second attempt was made beside a late first one: did it answer? */
void families_hedge(struct live_model *model, bool won);

/* The token of this credential was fetched, or could not be. */
void families_token(struct str credential, bool good);

/* A limit or a budget of this key refused a request. */
void families_refusal(struct live_key *key);

/* A budget came to so many per cent. */
void families_budget_warning(int at);

/* The cache was asked: "hit", "stale", "miss", "bypass"; what the hit saved, in nano-dollars. */
void families_cache(struct live_model *model, const char *result, int64_t saved);
/* So many items of batches were "hit", "stale" or "miss". */
void families_cache_items(struct live_model *model, const char *result, unsigned n);
/* What was known of a batch had cost so much. */
void families_cache_saved(struct live_model *model, int64_t saved);
/* Why it was a miss: "absent", "expired", "broken", "store" (which was away), "asked" (by the caller), "form" (kept as a stream or not,
 * and not to be said otherwise without a loss), "evicted" (with its model or a tag). */
void families_cache_miss(struct live_model *model, const char *why);

/* Fields, comma separated, that a target's format could not carry. */
void families_dropped(struct live_model *model, struct str fields);

/*
 * An answer of a cascade's target. `own`: what was spent on the request, `large`: what its last target alone would
 * have cost (both nano-dollars; below 0: not known). `judged`: it was looked at.
 */
void families_cascade_answer(struct live_model *model, struct live_target *target, int64_t own, int64_t large, bool judged);
/* An answer of a cascade's target failed a check (enum cascade_check). */
void families_cascade_failed(struct live_model *model, struct live_target *target, int check);

/*
 * A cascade's answer was compared with its last target's: "same", "similar", "different", "large_failed", "not_answered";
 * what that cost.
 */
void families_cascade_compared(struct live_model *model, const char *result, int64_t cost);

/* No target answered, but this rung of the model's ladder did. */
void families_ladder(struct live_model *model, const char *rung);

/* A request went on from one target to another. */
void families_fallback(struct str from, struct str to, enum error_kind why);

#endif
