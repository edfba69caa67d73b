/*
 * stand_in.h: a request that nobody sent: rules are asked about it as about any other, and it notes what they did.
 */
#ifndef RULES_STAND_IN_H
#define RULES_STAND_IN_H

#include "rules/rules.h"

enum { STAND_IN_TAGS = 16 };

struct stand_in {
	struct weir_text text;			/* of the last message */
	const struct weir_node *earlier;	/* texts of messages before it, a list; may be NULL */
	const struct weir_node *tags;		/* a map; may be NULL */
	const struct weir_node *headers;	/* a map; may be NULL */
	int64_t at;				/* Unix seconds; 0: now */
	struct weir_text facts[WEIR_FACTS];	/* the rest of them */
	uint64_t counts[WEIR_COUNTS];

	struct { struct weir_text name; char *value; } set[STAND_IN_TAGS];	/* tags it was given; freed by stand_in_free() */
	unsigned n_set;
	const char *hit;		/* the rule that took it; NULL: none did */
	char *said;			/* the answer or rejection */
	bool routed;
};

/* What the rules did with it. They must have been loaded, and their host is not asked. */
enum weir_verdict stand_in_ask(const struct rules *rules, struct stand_in *s);
void stand_in_free(struct stand_in *s);

#endif
