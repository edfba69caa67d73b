/*
 * load_examples.c: what is written beside a rule to try it by.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rules/load.h"

enum { BYTES_A_TOKEN = 4 };	/* about */

static const struct {
	const char *word;
	enum expectation expect;
} expectations[] = {
	{ "match", EXPECT_MATCH }, { "answer", EXPECT_ANSWER }, { "reject", EXPECT_REJECT }, { "route", EXPECT_ROUTE },
	{ "other", EXPECT_OTHER }, { "none", EXPECT_NONE },
};

static void read_expectation(struct load *l, struct example *e, const struct weir_node *n)
{
	for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]); i++)
		if (n->kind == WEIR_SCALAR && text_is(n->value, expectations[i].word)) {
			e->expect = expectations[i].expect;
			return;
		}
	WRONG(l, n, "`expect`: expected match, answer, reject, route, other or none");
}

static void read_count(struct load *l, uint64_t *to, const struct weir_node *n)
{
	char *end = NULL;
	bool is_true = n->kind == WEIR_SCALAR && text_is(n->value, "true"), is_false = n->kind == WEIR_SCALAR && text_is(n->value, "false");
	*to = is_true ? 1 : is_false || n->kind != WEIR_SCALAR || !n->value.n ? 0 : strtoull(n->value.p, &end, 10);
	if (!is_true && !is_false && (!end || *end || n->value.p[0] == '-'))
		WRONG(l, n, "`%.*s`: expected a number, or true or false", (int)n->key.n, n->key.p);
}

static void read_scalar(struct load *l, struct weir_text *to, const struct weir_node *n)
{
	if (n->kind == WEIR_SCALAR)
		*to = n->value;
	else
		WRONG(l, n, "`%.*s`: expected a text", (int)n->key.n, n->key.p);
}

/* A list or map of texts. */
static void read_texts(struct load *l, const struct weir_node **to, const struct weir_node *n, enum weir_node_kind kind)
{
	*to = n;
	if (n->kind != kind)
		WRONG(l, n, "`%.*s`: expected %s", (int)n->key.n, n->key.p, kind == WEIR_LIST ? "a list of texts" : "names and values");
	for (const struct weir_node *v = n->first; v; v = v->next)
		if (v->kind != WEIR_SCALAR)
			WRONG(l, v, "expected a text");
}

static void read_moment(struct load *l, struct example *e, const struct weir_node *n)
{
	struct tm t = { .tm_isdst = 0 };
	const char *end = n->kind == WEIR_SCALAR && n->value.n ? strptime(n->value.p, "%Y-%m-%dT%H:%M:%SZ", &t) : NULL;
	e->at = end && !*end ? (int64_t)timegm(&t) : 0;
	if (e->at <= 0)
		WRONG(l, n, "`at`: expected a time in UTC such as 2026-12-24T17:30:00Z");
}

static void read_member(struct load *l, struct example *e, const struct weir_node *n)
{
	static const struct { const char *name; enum weir_fact fact; } facts[] = {
		{ "model", WEIR_MODEL }, { "key", WEIR_KEY }, { "endpoint", WEIR_ENDPOINT }, { "team", WEIR_TEAM },
		{ "user_agent", WEIR_USER_AGENT }, { "session", WEIR_SESSION }, { "peer", WEIR_PEER },
	};
	static const struct { const char *name; enum weir_count count; } counts[] = {
		{ "bytes", WEIR_BODY_BYTES }, { "tools", WEIR_TOOLS }, { "images", WEIR_IMAGES }, { "stream", WEIR_STREAM },
		{ "tokens", WEIR_TOKENS }, { "code", WEIR_CODE },
	};
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		if (text_is(n->key, facts[i].name)) {
			read_scalar(l, &e->facts[facts[i].fact], n);
			return;
		}
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (text_is(n->key, counts[i].name)) {
			read_count(l, &e->counts[counts[i].count], n);
			return;
		}
	if (text_is(n->key, "say"))
		read_scalar(l, &e->say, n);
	else if (text_is(n->key, "text"))
		read_scalar(l, &e->text, n);
	else if (text_is(n->key, "expect"))
		read_expectation(l, e, n);
	else if (text_is(n->key, "earlier"))
		read_texts(l, &e->earlier, n, WEIR_LIST);
	else if (text_is(n->key, "tags"))
		read_texts(l, &e->tags, n, WEIR_MAP);
	else if (text_is(n->key, "headers"))
		read_texts(l, &e->headers, n, WEIR_MAP);
	else if (text_is(n->key, "at"))
		read_moment(l, e, n);
	else
		WRONG(l, n, "an example has no `%.*s`: say, expect, text, earlier, model, key, team, endpoint, user_agent, session, peer, tags, headers, at, bytes, tokens, tools, images, code, stream",
		      (int)n->key.n, n->key.p);
}

/* A body has some bytes around its texts. */
static void guess_size(struct example *e)
{
	e->counts[WEIR_MESSAGES] = 1;
	uint64_t bytes = 64 + e->say.n;
	for (const struct weir_node *n = e->earlier ? e->earlier->first : NULL; n; n = n->next) {
		bytes += 32 + n->value.n;
		e->counts[WEIR_MESSAGES]++;
	}
	e->counts[WEIR_PIECES] = e->counts[WEIR_MESSAGES];
	if (!e->counts[WEIR_BODY_BYTES])
		e->counts[WEIR_BODY_BYTES] = bytes;
	if (!e->counts[WEIR_TOKENS])
		e->counts[WEIR_TOKENS] = bytes / BYTES_A_TOKEN;
}

struct example *read_examples(struct load *l, const struct weir_node *n)
{
	struct example *first = NULL, **tail = &first;
	if (n->kind != WEIR_LIST)
		WRONG(l, n, "`examples`: expected a list of texts, or of { say: ..., expect: ... }");
	for (const struct weir_node *v = n->kind == WEIR_LIST ? n->first : NULL; v; v = v->next, tail = &(*tail)->next) {
		struct example *e = *tail = load_new(1, sizeof(*e));
		e->line = v->line;
		e->column = v->column;
		if (v->kind == WEIR_SCALAR)
			e->say = v->value;
		for (const struct weir_node *m = v->kind == WEIR_MAP ? v->first : NULL; m; m = m->next)
			read_member(l, e, m);
		if (!e->say.n)
			WRONG(l, v, "an example needs what somebody would `say`");
		if (e->text.n && (e->expect == EXPECT_NONE || e->expect == EXPECT_OTHER))
			WRONG(l, v, "an example has either a `text`, or expects nothing of this rule");
		guess_size(e);
	}
	return first;
}
