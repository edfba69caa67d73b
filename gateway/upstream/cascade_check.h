/*
 * cascade_check.h: is a smaller target's answer good enough? Pure.
 */
#ifndef WEIR_UPSTREAM_CASCADE_CHECK_H
#define WEIR_UPSTREAM_CASCADE_CHECK_H

#include "core/cascade.h"
#include "core/chat.h"
#include "core/chat_event.h"

struct cascade_answer {
	const struct chat_answer *answer;
	bool whole;			/* otherwise it is its beginning */
	double log_probability;		/* mean of its tokens; above 0: not told */
};

/* The first check that it fails; CASCADE_CHECKS: none. `asked` may be NULL: the request could not be read. Memory is `a`'s. */
enum cascade_check cascade_fails(const struct cascade_checks *k, const struct chat *asked, const struct cascade_answer *of, struct arena *a);

/* Does this text begin by refusing to answer? */
bool cascade_is_refusal(struct str text);

#endif
