/*
 * language.h: which language is a text written in? A guess by its script and its commonest words.
 */
#ifndef RULES_LANGUAGE_H
#define RULES_LANGUAGE_H

#include "weir_plugin.h"

struct languages;	/* words of all of them, by their hashes */

struct languages *languages_new(void);		/* NULL: no memory */
void languages_free(struct languages *l);	/* NULL is none */

/* By its code of ISO 639-1; -1: it is not known. */
int language_find(struct weir_text code);
const char *language_code(int language);
const char *language_codes(void);		/* all, with commas between */

/* -1: it cannot be told. Of a long text the first 2 KiB count. */
int language_guess(const struct languages *l, struct weir_text text);

#endif
