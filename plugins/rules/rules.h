/*
 * rules.h: a file of rules, read once and then only looked at.
 */
#ifndef RULES_H
#define RULES_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdbool.h>

#include "rules/calculate.h"
#include "rules/classifier.h"
#include "rules/language.h"
#include "rules/literal.h"
#include "rules/text.h"

enum { CAPTURES_MAX = 10, DEPTH_MAX = 16, MODELS_MAX = 16 };

enum condition_kind {
	WHEN_ALL, WHEN_ANY, WHEN_NOT,
	WHEN_EXACT, WHEN_PREFIX, WHEN_WORDS, WHEN_PATTERN, WHEN_PHRASES, WHEN_QUESTIONS, WHEN_CLASS,	/* of the text, as the next ones */
	WHEN_CALCULATION, WHEN_CONVERSION, WHEN_LANGUAGE,
	WHEN_ROW,	/* of what was captured */
	WHEN_MODEL, WHEN_KEY, WHEN_ENDPOINT, WHEN_TEAM, WHEN_USER_AGENT, WHEN_SESSION, WHEN_PEER, WHEN_TAG,
	WHEN_HEADER, WHEN_TIME,
	WHEN_MORE, WHEN_SOME,	/* of something counted */
	WHEN_KINDS
};

/* A classifier's file, shared by the rules that ask it. */
struct model {
	const char *file;
	struct classifier *classifier;
	unsigned number;	/* below MODELS_MAX */
	struct model *next;
};

/* From a minute of the day until another, the last not among them; one over midnight belongs to the day it began on. */
struct hours {
	const struct weir_zone *zone;
	struct weir_text zone_name;
	unsigned days;		/* bit 0: Monday */
	int from, to;		/* the same: all day */
};

/* Leaves with several values hold when any of them does; words when all of them stand in the text. */
struct condition {
	enum condition_kind kind;
	struct condition *children, *next;
	struct weir_text *values;
	unsigned n;
	pcre2_code **patterns;
	struct literal *literals;	/* of the patterns */
	struct phrases *phrases;
	struct questions *questions;
	struct weir_text question_file;
	struct table *rows;
	char *table;		/* what of the questions' file was unfolded */
	const struct model *model;
	double least;		/* score of a question that is taken for asked; sureness of a class */
	uint64_t number;	/* WHEN_CLASS, WHEN_LANGUAGE: a bit for each that will do; WHEN_ROW: the group looked up */
	struct weir_text name;	/* of WHEN_HEADER */
	struct hours hours;
	enum weir_count count;
	bool anywhere;		/* the text of any message, not the last alone */
	bool together;		/* the texts of all messages, as one */
};

struct setting {
	struct weir_text name, value;
	struct setting *next;
};

/* What should come of an example that is written beside a rule. */
enum expectation { EXPECT_MATCH, EXPECT_ANSWER, EXPECT_REJECT, EXPECT_ROUTE, EXPECT_OTHER, EXPECT_NONE };

struct example {
	struct weir_text say;
	struct weir_text text;			/* that is answered, or rejected with; empty: any */
	const struct weir_node *earlier, *tags;	/* may be NULL */
	struct weir_text facts[WEIR_FACTS];
	uint64_t counts[WEIR_COUNTS];
	const struct weir_node *headers;	/* a map; may be NULL */
	int64_t at;				/* Unix seconds; 0: now */
	enum expectation expect;
	unsigned line, column;
	struct example *next;
};

struct rule {
	char *name;
	struct condition *when;	/* NULL: always */
	struct weir_text answer, reject, route;
	int status;
	int cache;		/* enum weir_cache; 0: as it is */
	struct setting *set, *tags;
	struct example *examples;
	unsigned line, column;
	struct rule *next;
};

struct rules {
	const struct weir_host *weir;
	struct rule *first;
	pcre2_match_context *limits;
	struct model *models;
	const struct weir_zone *utc;
	struct languages *languages;	/* where a rule asks for them */
};

/* NULL after telling why. */
struct rules *rules_load(const struct weir_host *weir, struct weir_setup *s, const char *file);
void rules_free(struct rules *r);

/* The first rule that matches decides. */
enum weir_verdict rules_request(const struct rules *rules, struct weir_request *r);

/* What is worked out at most once for a request: what classifiers said, and what patterns need. */
struct guesses {
	bool asked[MODELS_MAX];
	struct guess of[MODELS_MAX];
	struct grams *grams;		/* of the text last looked at */
	struct grams *any;		/* of all messages; NULL: not made yet; freed with the rest */
	pcre2_match_data *room;		/* of all patterns; made with the first */
	uint64_t looked_at;		/* bytes of texts, by all conditions; beyond a ceiling they are cut off */
	bool exhausted;
	struct weir_text whole;		/* the texts of all messages, joined by newlines, when first asked for; freed with the rest */
	bool language_asked;
	int language;			/* of the last message; -1: it cannot be told */
};

/* What a match leaves for templates: group 0 and on, spans of the request's text. */
struct match {
	struct weir_text captures[CAPTURES_MAX];
	unsigned n;
	bool cut_off;		/* a pattern took too long: counted as no match */
	struct answer answer;	/* WHEN_QUESTIONS */
	struct weir_text class;	/* WHEN_CLASS */
	const char *language;	/* WHEN_LANGUAGE */
	struct guesses *guesses;
	const struct table *rows;	/* WHEN_ROW */
	size_t row;
	struct worked worked;	/* WHEN_CALCULATION, WHEN_CONVERSION */
};

bool condition_holds(const struct rules *rules, const struct condition *c, struct weir_request *r, struct match *m);

/* A template filled in: in its own room, or where that is too small on the heap. */
struct filled {
	struct weir_text text;
	char *heap;
	char room[1024];
};

/* `*` in the pattern matches any run of bytes. */
bool is_like(struct weir_text pattern, struct weir_text t);

bool text_is(struct weir_text t, const char *s);

#endif
