/*
 * complexity.c: what a rule's tag says goes first; then what the request is made of.
 */
#include "routing/complexity.h"

#include "core/call.h"
#include "core/cascade.h"
#include "core/code_signs.h"
#include "core/estimate.h"
#include "core/live.h"
#include "core/request.h"

/* `cascade=large`, or the number of a target. */
static struct target *by_tag(const struct txn *t, const struct model *m)
{
	struct str rest = str_c(t->tags), tag;
	uint64_t n;
	if (!rest.n)
		rest = t->req->header[RH_WEIR_TAGS];	/* nobody is asked: the ledger has no part in it */
	while (rest.n && str_split(&rest, ',', &tag)) {
		tag = str_trim(tag);
		if (!str_starts(tag, STR("cascade=")))
			continue;
		tag = str_skip(tag, sizeof("cascade=") - 1);
		if (str_eq(tag, STR("large")))
			return m->targets[m->n_targets - 1];
		if (str_u64(tag, &n) && n >= 1 && n <= m->n_targets)
			return m->targets[n - 1];
	}
	return NULL;
}

static const char *too_much(struct txn *t, const struct cascade *c, const struct target *large)
{
	const struct prompt *p = txn_prompt(t);
	if (c->images && p->measured && p->images > c->images)
		return "it has many images";
	if (c->tools && p->measured && p->part[PROMPT_TOOLS] > (float)c->tools)
		return "it has many tools";
	if (c->tokens && p->measured && estimate_input(large->live ? &large->live->learned.input : NULL, p) > c->tokens)
		return "it is long";
	return c->code && has_code_signs(t->call->body) ? "there is code in it" : NULL;
}

struct target *complexity_first(struct txn *t, const struct model *m, const char **why)
{
	struct target *large = m->targets[m->n_targets - 1], *said = by_tag(t, m);
	*why = said ? "a tag says so" : too_much(t, m->cascade, large);
	return said ? said : *why ? large : NULL;
}
