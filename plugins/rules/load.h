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
	struct rules *rules;	/* what it becomes */
};

#define WRONG(l, node, ...) \
	((l)->bad = true, (l)->weir->tell((l)->setup, WEIR_ERROR, (l)->file, (node)->line, (node)->column, __VA_ARGS__))

/* Zeroed. Where memory is gone, a file cannot be read and weir ends, as it does elsewhere. */
void *load_new(size_t n, size_t size) __attribute__((malloc, returns_nonnull));

/* load.c: one text, or a list of them. */
void read_values(struct load *l, struct condition *c, const struct weir_node *n);

/* load_lists.c: phrases and questions of a condition. */
void read_phrases(struct load *l, struct condition *c, const struct weir_node *n);
void read_questions(struct load *l, struct condition *c, const struct weir_node *n);
/* The file that `n` names; empty after telling why. */
struct weir_text read_whole(struct load *l, const struct weir_node *n);
/* `at_least`, from 0 to 1. */
void read_least(struct load *l, struct condition *c, const struct weir_node *n);

/* load_examples.c */
struct example *read_examples(struct load *l, const struct weir_node *n);

/* shadow.c: warns of rules that are never reached. */
void tell_shadows(struct load *l, const struct rules *rules);

/* load_request.c: of what is not the text. */
void read_header(struct load *l, struct condition *c, const struct weir_node *n);
void read_time(struct load *l, struct condition *c, const struct weir_node *n);
void read_language(struct load *l, struct condition *c, const struct weir_node *n);

/* load_class.c */
void read_class(struct load *l, struct condition *c, const struct weir_node *n);
void read_row(struct load *l, struct condition *c, const struct weir_node *n);

#endif
