/*
 * load.h: a file of rules while it is read. Shared by load*.c.
 */
#ifndef RULES_LOAD_H
#define RULES_LOAD_H

#include "rules/rules.h"

struct load {
	const struct weir_host *weir;
	struct weir_setup *setup;
	const char *file;
	bool bad;
};

#define WRONG(l, node, ...) \
	((l)->bad = true, (l)->weir->tell((l)->setup, WEIR_ERROR, (l)->file, (node)->line, (node)->column, __VA_ARGS__))

/* load_lists.c: phrases and questions of a condition. */
void read_phrases(struct load *l, struct condition *c, const struct weir_node *n);
void read_questions(struct load *l, struct condition *c, const struct weir_node *n);

#endif
