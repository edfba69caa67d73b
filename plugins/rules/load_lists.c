/*
 * load_lists.c: lists of phrases and tables of questions, out of the rules or files of their own.
 */
#include <stdlib.h>
#include <string.h>

#include "rules/load.h"

/* The file named by a member; empty after telling what is wrong. */
struct weir_text read_whole(struct load *l, const struct weir_node *n)
{
	struct weir_text text = { NULL, 0 };
	int error = n->kind == WEIR_SCALAR && n->value.n ? l->weir->read_file(l->setup, n->value.p, &text) : -1;
	if (error < 0)
		WRONG(l, n, "`file`: expected the name of a file");
	else if (error)
		WRONG(l, n, "`%.*s`: %s", (int)n->value.n, n->value.p, strerror(error));
	return text;
}

/* --- phrases --- */

/* What it says is kept for those who compare rules. */
static bool add_phrase(struct condition *c, struct weir_text t)
{
	struct weir_text *more = (c->n & (c->n - 1)) ? c->values : realloc(c->values, (c->n ? 2 * c->n : 1) * sizeof(*more));
	if (!more)
		return false;
	c->values = more;
	c->values[c->n++] = t;
	return phrases_add(c->phrases, t);
}

/* A phrase a line; empty lines and those that begin with # are none. */
static void read_lines(struct load *l, struct condition *c, const struct weir_node *n)
{
	struct weir_text text = read_whole(l, n);
	for (size_t at = 0, end; at < text.n; at = end + 1) {
		const char *stop = memchr(text.p + at, '\n', text.n - at);
		end = stop ? (size_t)(stop - text.p) : text.n;
		if (text.p[at] != '#')
			add_phrase(c, (struct weir_text){ text.p + at, end - at });
	}
}

static void read_list(struct load *l, struct condition *c, const struct weir_node *n)
{
	for (const struct weir_node *v = n->first; v; v = v->next)
		if (v->kind != WEIR_SCALAR || !add_phrase(c, v->value))
			WRONG(l, v, "expected a phrase with at least one word");
}

void read_phrases(struct load *l, struct condition *c, const struct weir_node *n)
{
	c->phrases = phrases_new();
	if (n->kind == WEIR_LIST)
		read_list(l, c, n);
	else if (n->kind == WEIR_MAP && n->count == 1 && text_is(n->first->key, "file"))
		read_lines(l, c, n->first);
	else
		WRONG(l, n, "`%.*s`: expected a list of phrases, or { file: ... }", (int)n->key.n, n->key.p);
	if (!l->bad && phrases_count(c->phrases) == 0)
		WRONG(l, n, "`%.*s`: there is no phrase, so it never holds", (int)n->key.n, n->key.p);
}

/* --- questions --- */

static void read_rows(struct load *l, struct condition *c, const struct weir_node *n, struct csv *csv)
{
	struct weir_text fields[CSV_FIELDS_MAX];
	size_t used = 0;
	int count = csv_row(csv, c->table, &used, fields), asks = csv_column(fields, count, "question"), says = csv_column(fields, count, "answer");
	if (!csv->error && (asks < 0 || says < 0)) {
		l->bad = true;
		l->weir->tell(l->setup, WEIR_ERROR, n->value.p, 1, 1, "the first row must name the columns `question` and `answer`");
		return;
	}
	while ((count = csv_row(csv, c->table, &used, fields)) >= 0) {
		bool empty = count == 1 && fields[0].n == 0, fits = count > asks && count > says;
		if (!empty && (!fits || !questions_add(c->questions, fields[asks], fields[says]))) {
			l->bad = true;
			l->weir->tell(l->setup, WEIR_ERROR, n->value.p, csv->line, 1, fits ? "a question without a word" : "the row has too few fields");
		}
	}
	if (csv->error) {
		l->bad = true;
		l->weir->tell(l->setup, WEIR_ERROR, n->value.p, csv->line, 1, "%s", csv->error);
	}
}

static void read_table(struct load *l, struct condition *c, const struct weir_node *n)
{
	struct csv csv = { .text = read_whole(l, n) };
	if (l->bad)
		return;
	c->table = load_new(csv.text.n + 1, 1);
	read_rows(l, c, n, &csv);
	if (!l->bad && (questions_count(c->questions) == 0 || !questions_ready(c->questions)))
		WRONG(l, n, "`%.*s` holds no question", (int)n->value.n, n->value.p);
}

void read_least(struct load *l, struct condition *c, const struct weir_node *n)
{
	char *end = NULL;
	c->least = n->kind == WEIR_SCALAR && n->value.n ? strtod(n->value.p, &end) : -1;
	if (!end || *end || !(c->least > 0 && c->least <= 1))
		WRONG(l, n, "`at_least`: expected a number above 0 and at most 1");
}

void read_questions(struct load *l, struct condition *c, const struct weir_node *n)
{
	const struct weir_node *file = NULL;
	c->questions = questions_new();
	c->least = 0.6;
	if (n->kind != WEIR_MAP)
		WRONG(l, n, "`question`: expected { file: ..., at_least: 0.6 }");
	for (const struct weir_node *v = n->kind == WEIR_MAP ? n->first : NULL; v; v = v->next) {
		if (text_is(v->key, "file"))
			file = v;
		else if (text_is(v->key, "at_least"))
			read_least(l, c, v);
		else
			WRONG(l, v, "`question` has no `%.*s`: file, at_least", (int)v->key.n, v->key.p);
	}
	if (file)
		c->question_file = file->value, read_table(l, c, file);
	else if (!l->bad)
		WRONG(l, n, "`question` needs a `file` with the columns question and answer");
}

/* --- rows --- */

static void read_rows_of(struct load *l, struct condition *c, const struct weir_node *file, const struct weir_node *key)
{
	const char *error;
	unsigned line;
	struct weir_text text = read_whole(l, file);
	if (l->bad)
		return;
	c->rows = table_read(text, key->value, &error, &line);
	if (c->rows)
		return;
	l->bad = true;
	l->weir->tell(l->setup, WEIR_ERROR, file->value.p, line, 1, "%s", error);
}

void read_row(struct load *l, struct condition *c, const struct weir_node *n)
{
	const struct weir_node *file = NULL, *key = NULL;
	c->number = 1;
	for (const struct weir_node *v = n->kind == WEIR_MAP ? n->first : NULL; v; v = v->next) {
		if (text_is(v->key, "file"))
			file = v;
		else if (text_is(v->key, "column") && v->kind == WEIR_SCALAR)
			key = v;
		else if (text_is(v->key, "group") && v->kind == WEIR_SCALAR && v->value.n == 1 && v->value.p[0] >= '0' && v->value.p[0] <= '9')
			c->number = (uint64_t)(v->value.p[0] - '0');
		else
			WRONG(l, v, "`row`: expected file, column, and group from 0 to 9");
	}
	if (!file || !key)
		WRONG(l, n, "`row`: expected { file: orders.csv, column: order, group: 1 }");
	else if (!l->bad)
		read_rows_of(l, c, file, key);
}
