/*
 * redact.h: personal data is found, named, and put back.
 */
#ifndef REDACT_H
#define REDACT_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdbool.h>
#include <stdio.h>

#include "weir_plugin.h"

enum {
	KINDS_MAX = 32,
	LABEL_MAX = 24,		/* bytes of a kind's label */
	MARK_MAX = LABEL_MAX + 12,	/* of a placeholder: [LABEL_123456] */
	NAMES_MAX = 4096,	/* different values of one request */
	TAILS_MAX = 256,	/* texts of one answer that come in pieces at the same time */
};

/* --- finding: find.c, check.c --- */

/* How many bytes of the candidate are what it looks like; 0: it is something else. */
typedef size_t check_fn(const char *p, size_t n);

struct kind {
	char label[LABEL_MAX + 1];
	pcre2_code *code;
	check_fn *check;	/* NULL: the pattern is enough */
};

struct finder {
	struct kind kinds[KINDS_MAX];
	unsigned n;
	pcre2_match_context *limits;
};

struct found {
	size_t at, n;		/* n 0: nothing more */
	unsigned kind;
};

/* One text looked through from its start; of what overlaps the leftmost counts, then the earlier kind. */
struct search {
	const struct finder *finder;
	struct weir_text text;
	struct found next[KINDS_MAX];
	pcre2_match_data *data;
	bool cut_off;		/* a pattern took too many steps and was left out from there on */
};

/* NULL: no memory. */
struct finder *finder_open(void);
void finder_close(struct finder *f);
const char *builtin_kind(unsigned i);	/* NULL: beyond the last */
bool finder_add_builtin(struct finder *f, unsigned i);
/* An own pattern. False with what is wrong in `why` and where in `at`. */
bool finder_add(struct finder *f, struct weir_text label, struct weir_text pattern, char why[160], size_t *at);
void search_open(struct search *s, const struct finder *f, struct weir_text text);
struct found search_next(struct search *s);
void search_close(struct search *s);

check_fn check_card, check_iban, check_ip, check_id, check_phone;

/* --- naming: names.c --- */

struct name {
	char *value;
	size_t n;
	uint64_t hash;
	unsigned kind, number;
	bool json;		/* it was found inside of JSON and is spelled so */
};

struct tail {
	unsigned text;
	bool arguments;
	char p[MARK_MAX];
	size_t n;
};

/* Of one request: what stands for what, and the ends of pieces that may be half a placeholder. */
struct names {
	const struct finder *finder;
	struct name *list;
	unsigned n, room;
	unsigned numbers[KINDS_MAX];
	struct tail *tails;
	unsigned n_tails;
	bool full;		/* more values than NAMES_MAX */
	bool cut_off;
};

struct names *names_open(const struct finder *f);
void names_close(struct names *s);	/* wipes the values */

/* Writes `text` with placeholders. False: nothing was found, and nothing written. */
bool names_hide(struct names *s, struct weir_text text, FILE *out);
/* The same for one JSON value: in its strings, and numbers that are nothing but a find, which become strings. */
bool names_hide_json(struct names *s, struct weir_text json, FILE *out);

/* Writes `text` with the values put back. `json`: it is the source of JSON. */
void names_show(const struct names *s, struct weir_text text, bool json, FILE *out);
/* A piece of a text of which others may follow: what may be the beginning of a placeholder waits until `last`. */
void names_show_piece(struct names *s, const struct weir_delta *d, bool arguments, FILE *out);

#endif
