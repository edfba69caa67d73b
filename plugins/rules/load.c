/*
 * load.c: from YAML to rules; every mistake is told with its line and column.
 */
#include <stdlib.h>
#include <string.h>

#include "rules/load.h"

/* Steps and depth a pattern may take: beyond, it does not match, and that is told. */
static const uint32_t MATCH_LIMIT = 100000, DEPTH_LIMIT = 1000;

void *load_new(size_t n, size_t size)
{
	void *p = calloc(n, size);
	if (!p)
		abort();
	return p;
}

bool text_is(struct weir_text t, const char *s)
{
	return t.n == strlen(s) && memcmp(t.p, s, t.n) == 0;
}

static bool is_kind(struct load *l, const struct weir_node *n, enum weir_node_kind kind, const char *expected)
{
	if (n->kind != kind)
		WRONG(l, n, "`%.*s`: expected %s", (int)n->key.n, n->key.p ? n->key.p : "", expected);
	return n->kind == kind;
}

/* --- conditions --- */

static const struct leaf {
	const char *name;
	enum condition_kind kind;
	bool anywhere, together;
	enum weir_count count;
} leaves[] = {
	{ .name = "exact", .kind = WHEN_EXACT }, { .name = "any_exact", .kind = WHEN_EXACT, .anywhere = true },
	{ .name = "words", .kind = WHEN_WORDS }, { .name = "any_words", .kind = WHEN_WORDS, .anywhere = true },
	{ .name = "pattern", .kind = WHEN_PATTERN }, { .name = "any_pattern", .kind = WHEN_PATTERN, .anywhere = true },
	{ .name = "phrases", .kind = WHEN_PHRASES }, { .name = "any_phrases", .kind = WHEN_PHRASES, .anywhere = true },
	{ .name = "all_words", .kind = WHEN_WORDS, .together = true }, { .name = "all_pattern", .kind = WHEN_PATTERN, .together = true },
	{ .name = "all_phrases", .kind = WHEN_PHRASES, .together = true }, { .name = "all_class", .kind = WHEN_CLASS, .together = true },
	{ .name = "prefix", .kind = WHEN_PREFIX }, { .name = "any_prefix", .kind = WHEN_PREFIX, .anywhere = true },
	{ .name = "question", .kind = WHEN_QUESTIONS }, { .name = "any_question", .kind = WHEN_QUESTIONS, .anywhere = true },
	{ .name = "class", .kind = WHEN_CLASS }, { .name = "any_class", .kind = WHEN_CLASS, .anywhere = true },
	{ .name = "language", .kind = WHEN_LANGUAGE }, { .name = "header", .kind = WHEN_HEADER }, { .name = "time", .kind = WHEN_TIME },
	{ .name = "model", .kind = WHEN_MODEL }, { .name = "key", .kind = WHEN_KEY },
	{ .name = "team", .kind = WHEN_TEAM }, { .name = "user_agent", .kind = WHEN_USER_AGENT },
	{ .name = "session", .kind = WHEN_SESSION }, { .name = "peer", .kind = WHEN_PEER },
	{ .name = "endpoint", .kind = WHEN_ENDPOINT }, { .name = "tag", .kind = WHEN_TAG },
	{ .name = "larger_than", .kind = WHEN_MORE, .count = WEIR_BODY_BYTES },
	{ .name = "more_tokens_than", .kind = WHEN_MORE, .count = WEIR_TOKENS },
	{ .name = "more_messages_than", .kind = WHEN_MORE, .count = WEIR_MESSAGES },
	{ .name = "more_tools_than", .kind = WHEN_MORE, .count = WEIR_TOOLS },
	{ .name = "more_images_than", .kind = WHEN_MORE, .count = WEIR_IMAGES },
	{ .name = "tools", .kind = WHEN_SOME, .count = WEIR_TOOLS }, { .name = "images", .kind = WHEN_SOME, .count = WEIR_IMAGES },
	{ .name = "code", .kind = WHEN_SOME, .count = WEIR_CODE }, { .name = "stream", .kind = WHEN_SOME, .count = WEIR_STREAM },
	{ .name = "row", .kind = WHEN_ROW }, { .name = "calculation", .kind = WHEN_CALCULATION },
	{ .name = "conversion", .kind = WHEN_CONVERSION },
};

static void compile(struct load *l, struct condition *c, const struct weir_node *n)
{
	int error;
	PCRE2_SIZE at;
	unsigned char why[160];
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)n->value.p, n->value.n,
					 PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS | PCRE2_MATCH_INVALID_UTF, &error, &at, NULL);
	if (!code) {
		pcre2_get_error_message(error, why, sizeof(why));
		WRONG(l, n, "the pattern is wrong at its byte %zu: %s", (size_t)at, (char *)why);
		return;
	}
	pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	c->patterns[c->n] = code;
	c->literals[c->n] = literal_of(n->value);
}

static void add_value(struct load *l, struct condition *c, const struct weir_node *n)
{
	if (n->kind != WEIR_SCALAR || n->value.n == 0) {
		WRONG(l, n, "expected a text");
		return;
	}
	if (c->kind == WHEN_PATTERN)
		compile(l, c, n);
	c->values[c->n++] = n->value;
}

static void read_number(struct load *l, struct condition *c, const struct weir_node *n)
{
	char *end = NULL;
	if (!is_kind(l, n, WEIR_SCALAR, "a number, or true or false"))
		return;
	c->number = text_is(n->value, "true") ? 1 : text_is(n->value, "false") ? 0 : strtoull(n->value.p, &end, 10);
	if (end && (*end || end == n->value.p || n->value.p[0] == '-'))
		WRONG(l, n, "`%.*s`: expected a number, or true or false", (int)n->key.n, n->key.p);
}

/* One text, or a list of them. */
void read_values(struct load *l, struct condition *c, const struct weir_node *n)
{
	unsigned most = n->kind == WEIR_LIST ? n->count : 1;
	c->values = load_new(most + 1, sizeof(*c->values));
	c->patterns = load_new(most + 1, sizeof(*c->patterns));
	c->literals = c->kind == WHEN_PATTERN ? load_new(most + 1, sizeof(*c->literals)) : NULL;
	if (n->kind == WEIR_LIST)
		for (const struct weir_node *v = n->first; v; v = v->next)
			add_value(l, c, v);
	else
		add_value(l, c, n);
	if (n->kind == WEIR_LIST && !n->first)
		WRONG(l, n, "`%.*s`: the list is empty, so it never holds", (int)n->key.n, n->key.p);
}

static void (*const readers[WHEN_KINDS])(struct load *, struct condition *, const struct weir_node *) = {
	[WHEN_MORE] = read_number, [WHEN_SOME] = read_number, [WHEN_CALCULATION] = read_number, [WHEN_CONVERSION] = read_number,
	[WHEN_PHRASES] = read_phrases, [WHEN_QUESTIONS] = read_questions, [WHEN_ROW] = read_row, [WHEN_CLASS] = read_class,
	[WHEN_LANGUAGE] = read_language, [WHEN_HEADER] = read_header, [WHEN_TIME] = read_time,
};	/* the rest: texts */

static struct condition *read_leaf(struct load *l, const struct weir_node *n)
{
	struct condition *c = load_new(1, sizeof(*c));
	size_t i = 0, count = sizeof(leaves) / sizeof(leaves[0]);
	while (i < count && !text_is(n->key, leaves[i].name))
		i++;
	if (i == count) {
		WRONG(l, n, "`%.*s` is no condition", (int)n->key.n, n->key.p);
		return c;
	}
	c->kind = leaves[i].kind;
	c->anywhere = leaves[i].anywhere;
	c->together = leaves[i].together;
	c->count = leaves[i].count;
	(readers[c->kind] ? readers[c->kind] : read_values)(l, c, n);
	return c;
}

static struct condition *read_map(struct load *l, const struct weir_node *n, unsigned depth);

static struct condition *read_group(struct load *l, const struct weir_node *n, enum condition_kind kind, unsigned depth)
{
	struct condition *c = load_new(1, sizeof(*c)), **tail = &c->children;
	c->kind = kind;
	if (!is_kind(l, n, WEIR_LIST, "a list of conditions"))
		return c;
	for (const struct weir_node *v = n->first; v; v = v->next, tail = &(*tail)->next)
		*tail = read_map(l, v, depth + 1);
	return c;
}

/* All members of a map hold together. */
static struct condition *read_map(struct load *l, const struct weir_node *n, unsigned depth)
{
	struct condition *all = load_new(1, sizeof(*all)), **tail = &all->children;
	all->kind = WHEN_ALL;
	if (depth > DEPTH_MAX)
		WRONG(l, n, "conditions are nested deeper than %d", DEPTH_MAX);
	if (depth > DEPTH_MAX || !is_kind(l, n, WEIR_MAP, "conditions"))
		return all;
	for (const struct weir_node *v = n->first; v; v = v->next, tail = &(*tail)->next) {
		if (text_is(v->key, "all"))
			*tail = read_group(l, v, WHEN_ALL, depth);
		else if (text_is(v->key, "any"))
			*tail = read_group(l, v, WHEN_ANY, depth);
		else if (text_is(v->key, "not"))
			(*tail = load_new(1, sizeof(**tail)))->kind = WHEN_NOT, (*tail)->children = read_map(l, v, depth + 1);
		else
			*tail = read_leaf(l, v);
	}
	return all;
}

/* --- rules --- */

static struct setting *read_settings(struct load *l, const struct weir_node *n)
{
	struct setting *first = NULL, **tail = &first;
	if (!is_kind(l, n, WEIR_MAP, "names and values"))
		return NULL;
	for (const struct weir_node *v = n->first; v; v = v->next, tail = &(*tail)->next) {
		if (!is_kind(l, v, WEIR_SCALAR, "a value"))
			break;
		*tail = load_new(1, sizeof(**tail));
		**tail = (struct setting){ v->key, v->value, NULL };
	}
	return first;
}

/* Values are JSON. */
static struct setting *read_parameters(struct load *l, const struct weir_node *n)
{
	for (const struct weir_node *v = n->kind == WEIR_MAP ? n->first : NULL; v; v = v->next)
		if (v->kind == WEIR_SCALAR && WEIR_HAS(l->weir, is_json) && !l->weir->is_json(v->value))
			WRONG(l, v, "`%.*s`: expected JSON: 0.2, true, '\"text\"'", (int)v->key.n, v->key.p);
	return read_settings(l, n);
}

static void read_text(struct load *l, const struct weir_node *n, struct weir_text *to)
{
	if (is_kind(l, n, WEIR_SCALAR, "a text"))
		*to = n->value;
}

static void read_cache(struct load *l, const struct weir_node *n, struct rule *r)
{
	r->cache = text_is(n->value, "skip") ? WEIR_CACHE_SKIP : text_is(n->value, "force") ? WEIR_CACHE_FORCE : 0;
	if (!r->cache)
		WRONG(l, n, "`cache`: expected skip or force");
}

static void read_member(struct load *l, const struct weir_node *n, struct rule *r)
{
	if (text_is(n->key, "name") && is_kind(l, n, WEIR_SCALAR, "a name"))
		r->name = memcpy(load_new(n->value.n + 1, 1), n->value.p, n->value.n);
	else if (text_is(n->key, "when"))
		r->when = read_map(l, n, 0);
	else if (text_is(n->key, "answer"))
		read_text(l, n, &r->answer);
	else if (text_is(n->key, "reject"))
		read_text(l, n, &r->reject);
	else if (text_is(n->key, "route"))
		read_text(l, n, &r->route);
	else if (text_is(n->key, "set"))
		r->set = read_parameters(l, n);
	else if (text_is(n->key, "tag"))
		r->tags = read_settings(l, n);
	else if (text_is(n->key, "examples"))
		r->examples = read_examples(l, n);
	else if (text_is(n->key, "cache"))
		read_cache(l, n, r);
	else if (text_is(n->key, "status"))
		r->status = n->kind == WEIR_SCALAR && n->value.n == 3 && strspn(n->value.p, "0123456789") == 3 ? atoi(n->value.p) : -1;
	else if (!text_is(n->key, "name"))
		WRONG(l, n, "a rule has no `%.*s`", (int)n->key.n, n->key.p);
	if (r->status && (r->status < 400 || r->status > 599))
		WRONG(l, n, "`status`: expected 400 to 599"), r->status = 0;
}

static struct rule *read_rule(struct load *l, const struct weir_node *n)
{
	struct rule *r = load_new(1, sizeof(*r));
	r->line = n->line;
	r->column = n->column;
	if (!is_kind(l, n, WEIR_MAP, "a rule"))
		return r;
	for (const struct weir_node *v = n->first; v; v = v->next)
		read_member(l, v, r);
	if (!r->name)
		WRONG(l, n, "a rule needs a `name`");
	if (r->answer.n && r->reject.n)
		WRONG(l, n, "a rule cannot answer and reject");
	if (!r->answer.n && !r->reject.n && !r->route.n && !r->set && !r->tags && !r->cache)
		WRONG(l, n, "the rule does nothing: say answer, reject, route, set, tag or cache");
	return r;
}

/* By name, then by place. */
static int by_name(const void *a, const void *b)
{
	const struct rule *x = *(const struct rule *const *)a, *y = *(const struct rule *const *)b;
	int order = strcmp(x->name, y->name);
	return order ? order : (x->line > y->line) - (x->line < y->line);
}

static void tell_twins(struct load *l, const struct rules *rules)
{
	size_t n = 0, i = 0;
	for (const struct rule *r = rules->first; r; r = r->next)
		n++;
	const struct rule **sorted = load_new(n + 1, sizeof(*sorted));
	for (const struct rule *r = rules->first; r; r = r->next)
		sorted[i++] = r;
	qsort(sorted, n, sizeof(*sorted), by_name);
	for (i = 1; i < n; i++)
		if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0)
			WRONG(l, sorted[i], "there are two rules named `%s`", sorted[i]->name);
	free(sorted);
}

struct rules *rules_load(const struct weir_host *weir, struct weir_setup *s, const char *file)
{
	struct rules *rules = load_new(1, sizeof(*rules));
	struct load l = { weir, s, file, false, rules };
	const struct weir_node *root = weir->read_yaml(s, file);
	struct rule **tail = &rules->first;
	rules->weir = weir;
	rules->utc = weir->zone(s, (struct weir_text){ "UTC", 3 });
	rules->limits = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(rules->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(rules->limits, DEPTH_LIMIT);
	const struct weir_node *list = root && root->kind == WEIR_MAP ? root->first : NULL;
	if (root && (!list || list->next || !text_is(list->key, "rules") || list->kind != WEIR_LIST))
		WRONG(&l, root, "expected `rules:` and a list");
	for (const struct weir_node *n = root && !l.bad ? list->first : NULL; n; n = n->next, tail = &(*tail)->next)
		*tail = read_rule(&l, n);
	if (root && !l.bad)
		tell_twins(&l, rules);
	if (root && !l.bad) {
		tell_shadows(&l, rules);
		for (const struct rule *r = rules->first; r; r = r->next)
			weir->counts(s, r->name);
		return rules;
	}
	rules_free(rules);
	return NULL;
}

/* --- letting go --- */

static void free_conditions(struct condition *c)
{
	while (c) {
		struct condition *next = c->next;
		free_conditions(c->children);
		for (unsigned i = 0; c->patterns && i < c->n; i++)
			pcre2_code_free(c->patterns[i]);
		free(c->patterns);
		free(c->literals);
		phrases_free(c->phrases);
		questions_free(c->questions);
		table_free(c->rows);
		free(c->table);
		free(c->values);
		free(c);
		c = next;
	}
}

static void free_settings(struct setting *s)
{
	while (s) {
		struct setting *next = s->next;
		free(s);
		s = next;
	}
}

static void free_examples(struct example *e)
{
	while (e) {
		struct example *next = e->next;
		free(e);
		e = next;
	}
}

void rules_free(struct rules *rules)
{
	while (rules->first) {
		struct rule *r = rules->first;
		rules->first = r->next;
		free_conditions(r->when);
		free_settings(r->set);
		free_settings(r->tags);
		free_examples(r->examples);
		free(r->name);
		free(r);
	}
	languages_free(rules->languages);
	while (rules->models) {
		struct model *m = rules->models;
		rules->models = m->next;
		classifier_free(m->classifier);
		free(m);
	}
	pcre2_match_context_free(rules->limits);
	free(rules);
}
