/*
 * text.h: texts as words, lists of phrases, questions with answers, and tables of values with commas between.
 *
 * Words are runs of letters and digits without regard to case (ASCII, Latin, Greek, Cyrillic); each Chinese, Japanese or
 * Korean character is one. Only hashes of words are kept: two different words are taken for one once in some 10^14 pairs.
 */
#ifndef RULES_TEXT_H
#define RULES_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir_plugin.h"

/* The next word from *at; 0: no more. *at is behind it then, *from where it began (may be NULL). */
uint64_t next_word(struct weir_text text, size_t *at, size_t *from);

/* The next character from *at, which is not the end: a letter or digit without regard to case, or 0. *alone: it is a word. */
uint32_t next_letter(struct weir_text text, size_t *at, bool *alone);
/* The next character from *at, which is before the end, its case taken away; broken bytes are U+FFFD. */
uint32_t folded_character(struct weir_text text, size_t *at);
/* Without regard to case. */
bool text_same(struct weir_text a, struct weir_text b);
bool text_begins(struct weir_text text, struct weir_text with);
bool text_has_word(struct weir_text text, struct weir_text word);

/* --- phrases.c: thousands of phrases at once --- */

struct phrases;

struct phrases *phrases_new(void);
void phrases_free(struct phrases *p);
/* False: it holds no word, or memory is gone. */
bool phrases_add(struct phrases *p, struct weir_text phrase);
size_t phrases_count(const struct phrases *p);
/* The first that stands in the text, the longest of those that begin there. False: none. */
bool phrases_find(const struct phrases *p, struct weir_text text, struct weir_text *found);

/* --- questions.c: the closest of many questions (Okapi BM25, k1 1.2, b 0.75) --- */

struct questions;

struct questions *questions_new(void);
void questions_free(struct questions *q);
/* Spans are kept, not copied. */
bool questions_add(struct questions *q, struct weir_text question, struct weir_text answer);
/* After the last question. */
bool questions_ready(struct questions *q);
size_t questions_count(const struct questions *q);

struct answer {
	struct weir_text question, answer;
	double score;	/* 0 to 1: how much of what was asked, and of the question, is met; words of both weighed by their rarity */
};

/* False: nothing has a word in common with it. Of the text the first 512 words count. */
bool questions_ask(const struct questions *q, struct weir_text text, struct answer *out);

/* --- table.c: rows of a CSV file by the values of one column --- */

struct table;

/* Spans of the text are kept, not copied. NULL: `error` (constant text) is in that line. */
struct table *table_read(struct weir_text csv, struct weir_text key, const char **error, unsigned *line);
void table_free(struct table *t);
bool table_column(const struct table *t, struct weir_text name, size_t *column);
/* 0: no row has that key. */
size_t table_find(const struct table *t, struct weir_text key);
struct weir_text table_field(const struct table *t, size_t row, size_t column);

/* --- csv.c: RFC 4180 --- */

struct csv {
	struct weir_text text;
	size_t at;
	unsigned line;		/* of the row last read, from 1 */
	unsigned next_line;
	const char *error;	/* constant text; NULL: none */
};

enum { CSV_FIELDS_MAX = 64 };

/* A row's fields; quoted ones with doubled quotes are unfolded into `room`, which is as large as the text. -1: no more, or error. */
int csv_row(struct csv *c, char *room, size_t *used, struct weir_text fields[CSV_FIELDS_MAX]);
/* The field that says `name`; -1: none. */
int csv_column(const struct weir_text *fields, int n, const char *name);

#endif
