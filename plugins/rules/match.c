/*
 * match.c: does a condition hold?
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "rules/rules.h"

enum { WEIGHED_MAX = 32 };	/* of a long conversation so many last texts are weighed */

/* All rules together look at so many bytes of texts, or a request of many megabytes would keep its thread for seconds. */
static const uint64_t LOOKED_AT_MAX = 64 * 1024 * 1024;

static struct weir_text trim(struct weir_text t)
{
	while (t.n && isspace((unsigned char)t.p[0]))
		t.p++, t.n--;
	while (t.n && isspace((unsigned char)t.p[t.n - 1]))
		t.n--;
	return t;
}

static bool has_words(const struct condition *c, struct weir_text text)
{
	for (unsigned i = 0; i < c->n; i++)
		if (!text_has_word(text, c->values[i]))
			return false;
	return true;
}

/* False: too much was looked at already. */
static bool look_at(struct match *m, size_t bytes)
{
	enum { EACH = 16 };
	struct guesses *g = m->guesses;
	g->looked_at += EACH + bytes;
	g->exhausted |= g->looked_at > LOOKED_AT_MAX;
	m->cut_off |= g->exhausted;
	return !g->exhausted;
}

/* What a condition will look at of a text, at most; what is tried of patterns is counted there. */
static size_t share_of(const struct condition *c, struct weir_text text)
{
	enum { ENOUGH = 4096 };
	bool bounded = c->kind == WHEN_CLASS || c->kind == WHEN_LANGUAGE || c->kind == WHEN_EXACT || c->kind == WHEN_PREFIX;
	return c->kind == WHEN_PATTERN ? 0 : bounded && text.n > ENOUGH ? ENOUGH : text.n;
}

/* Can the pattern match at all? */
static bool may_match(const struct literal *l, struct weir_text text, struct match *m)
{
	struct grams *g = m->guesses->grams;
	if (l->n && (g->of.p != text.p || g->of.n != text.n)) {
		if (!look_at(m, text.n))
			return false;
		grams_make(g, text);
	}
	return (!l->n || grams_may_hold(g, l)) && look_at(m, text.n);
}

static pcre2_match_data *room_of(struct guesses *g)
{
	if (!g->room)
		g->room = pcre2_match_data_create(CAPTURES_MAX, NULL);
	return g->room;
}

static bool has_pattern(const struct rules *rules, pcre2_code *code, struct weir_text text, struct match *m)
{
	pcre2_match_data *data = room_of(m->guesses);
	int n = data ? pcre2_match(code, (PCRE2_SPTR)text.p, text.n, 0, 0, data, rules->limits) : PCRE2_ERROR_NOMEMORY;
	m->cut_off |= n == PCRE2_ERROR_MATCHLIMIT || n == PCRE2_ERROR_DEPTHLIMIT || n == PCRE2_ERROR_JIT_STACKLIMIT;
	const PCRE2_SIZE *at = data ? pcre2_get_ovector_pointer(data) : NULL;
	if (n == 0)
		n = CAPTURES_MAX;
	for (int i = 0; i < n; i++)
		m->captures[i] = at[2 * i] == PCRE2_UNSET ? (struct weir_text){ "", 0 } :
				 (struct weir_text){ text.p + at[2 * i], at[2 * i + 1] - at[2 * i] };
	if (n > 0)
		m->n = (unsigned)n;
	return n > 0;
}

static bool is_asked(const struct condition *c, struct weir_text text, struct match *m)
{
	struct answer a;
	if (!questions_ask(c->questions, text, &a) || a.score < c->least)
		return false;
	m->answer = a;
	return true;
}

/* {0} is the phrase. */
static bool has_phrase(const struct condition *c, struct weir_text text, struct match *m)
{
	if (!phrases_find(c->phrases, text, &m->captures[0]))
		return false;
	m->n = 1;
	return true;
}

/* Below the threshold it abstains. */
static bool is_of_class(const struct condition *c, struct weir_text text, struct match *m)
{
	bool kept = !c->anywhere && !c->together, *asked = &m->guesses->asked[c->model->number];
	struct guess other, *g = kept ? &m->guesses->of[c->model->number] : &other;
	if (!kept || !*asked)
		classifier_guess(c->model->classifier, text, g);
	*asked |= kept;
	if (g->sureness < c->least || !(c->number >> g->class & 1))
		return false;
	m->class = classifier_name(c->model->classifier, g->class);
	return true;
}

/* A key that no row has: it does not hold. What is looked up was captured by a condition before it. */
static bool has_row(const struct condition *c, struct match *m)
{
	size_t row = c->number < m->n ? table_find(c->rows, m->captures[c->number]) : 0;
	if (row) {
		m->rows = c->rows;
		m->row = row;
	}
	return row > 0;
}

static bool is_worked(const struct condition *c, struct weir_text text, struct match *m)
{
	struct worked w;
	bool does = (c->kind == WHEN_CALCULATION ? calculate : convert)(text, &w);
	if (does)
		m->worked = w;
	return does == (c->number > 0);
}

bool is_like(struct weir_text pattern, struct weir_text t)
{
	size_t i = 0, k = 0, star = SIZE_MAX, mark = 0;
	while (k < t.n) {
		if (i < pattern.n && pattern.p[i] == '*') {
			star = i++;
			mark = k;
		} else if (i < pattern.n && pattern.p[i] == t.p[k]) {
			i++, k++;
		} else if (star != SIZE_MAX) {
			i = star + 1;
			k = ++mark;
		} else {
			return false;
		}
	}
	while (i < pattern.n && pattern.p[i] == '*')
		i++;
	return i == pattern.n;
}

static bool any_like(const struct condition *c, struct weir_text t)
{
	for (unsigned i = 0; i < c->n; i++)
		if (is_like(c->values[i], t))
			return true;
	return false;
}

/* What runs over midnight is also of the day after. */
static bool is_within(const struct hours *h, const struct weir_time *t)
{
	unsigned today = 1u << (t->weekday - 1), yesterday = t->weekday == 1 ? 1u << 6 : today >> 1;
	if (h->from < h->to)
		return h->days & today && t->minute >= h->from && t->minute < h->to;
	return (h->days & today && t->minute >= h->from) || (h->days & yesterday && t->minute < h->to);
}

static bool is_time(const struct rules *rules, const struct condition *c, struct weir_request *r)
{
	struct weir_time t = { .size = sizeof(t) };
	rules->weir->local_time(c->hours.zone, rules->weir->now(r), &t);
	return is_within(&c->hours, &t);
}

/* Without values: it is there. */
static bool has_header(const struct rules *rules, const struct condition *c, struct weir_request *r)
{
	struct weir_text value = rules->weir->header(r, c->name);
	return value.p && (c->n == 0 || any_like(c, value));
}

static bool is_in_language(const struct rules *rules, const struct condition *c, struct weir_text text, struct match *m)
{
	struct guesses *g = m->guesses;
	if (!g->language_asked)
		g->language = language_guess(rules->languages, text);
	g->language_asked = true;
	if (g->language < 0 || !(c->number >> g->language & 1))
		return false;
	m->language = language_code(g->language);
	return true;
}

static bool text_matches(const struct rules *rules, const struct condition *c, struct weir_text text, struct match *m)
{
	if (!text.p)
		text.p = "";
	if (!look_at(m, share_of(c, text)))
		return false;
	if (c->kind == WHEN_WORDS)
		return has_words(c, text);
	if (c->kind == WHEN_PHRASES)
		return has_phrase(c, text, m);
	if (c->kind == WHEN_QUESTIONS)
		return is_asked(c, text, m);
	if (c->kind == WHEN_CLASS)
		return is_of_class(c, text, m);
	if (c->kind == WHEN_LANGUAGE)
		return is_in_language(rules, c, text, m);
	if (c->kind == WHEN_CALCULATION || c->kind == WHEN_CONVERSION)
		return is_worked(c, text, m);
	for (unsigned i = 0; i < c->n; i++) {
		struct weir_text v = c->values[i], t = trim(text);
		if (c->kind == WHEN_PATTERN ? may_match(&c->literals[i], text, m) && has_pattern(rules, c->patterns[i], text, m) :
		    c->kind == WHEN_EXACT ? text_same(t, v) : text_begins(t, v))
			return true;
	}
	return false;
}

/* What stands in no message at all need not be looked for in each of them. */
static bool may_match_any(const struct rules *rules, const struct condition *c, struct weir_request *r, struct guesses *g)
{
	struct weir_piece piece = { .size = sizeof(piece) };
	if (!g->any && (g->any = calloc(1, sizeof(*g->any))))
		for (unsigned i = 0; rules->weir->piece(r, i, &piece); i++)
			if (piece.text.n)
				grams_add(g->any, piece.text);
	for (unsigned i = 0; i < c->n; i++)
		if (!g->any || !c->literals[i].n || grams_may_hold(g->any, &c->literals[i]))
			return true;
	return false;
}

static bool any_text_matches(const struct rules *rules, const struct condition *c, struct weir_request *r, struct match *m)
{
	struct weir_piece piece = { .size = sizeof(piece) };
	if (c->kind == WHEN_PATTERN && !may_match_any(rules, c, r, m->guesses))
		return false;
	bool costly = c->kind == WHEN_CLASS || c->kind == WHEN_QUESTIONS;
	uint64_t n = costly ? rules->weir->count(r, WEIR_PIECES) : 0;
	for (unsigned i = n > WEIGHED_MAX ? (unsigned)n - WEIGHED_MAX : 0; rules->weir->piece(r, i, &piece); i++)
		if (text_matches(rules, c, piece.text, m))
			return true;
	return false;
}

/* "name=value", or "name" for any value. */
static bool has_tag(const struct rules *rules, const struct condition *c, struct weir_request *r)
{
	for (unsigned i = 0; i < c->n; i++) {
		struct weir_text v = c->values[i], name = v;
		const char *equals = memchr(v.p, '=', v.n);
		name.n = equals ? (size_t)(equals - v.p) : v.n;
		struct weir_text have = rules->weir->tag(r, name);
		if (equals ? have.n && is_like((struct weir_text){ equals + 1, v.n - name.n - 1 }, have) : have.n > 0)
			return true;
	}
	return false;
}

/* What a part of it matched counts only where all of it holds. */
static bool all_hold(const struct rules *rules, const struct condition *c, struct weir_request *r, struct match *m)
{
	struct match before = *m;
	for (const struct condition *x = c->children; x; x = x->next) {
		if (condition_holds(rules, x, r, m))
			continue;
		before.cut_off |= m->cut_off;
		*m = before;
		return false;
	}
	return true;
}

/* Whoever was cut off does not know: it neither holds nor does its contrary. */
static bool holds_not(const struct rules *rules, const struct condition *c, struct weir_request *r, struct match *m)
{
	struct match inner = { .guesses = m->guesses };
	bool holds = condition_holds(rules, c, r, &inner);
	m->cut_off |= inner.cut_off;
	return !holds && !inner.cut_off;
}

/* The length of all texts with a newline behind each; written where `out` is given. */
static size_t join(const struct weir_host *weir, struct weir_request *r, char *out)
{
	struct weir_piece piece = { .size = sizeof(piece) };
	size_t n = 0;
	for (unsigned i = 0; weir->piece(r, i, &piece); i++) {
		if (out && piece.text.n)
			memcpy(out + n, piece.text.p, piece.text.n);
		n += piece.text.n;
		if (out)
			out[n] = '\n';
		n++;
	}
	return n;
}

static struct weir_text whole_text(const struct weir_host *weir, struct weir_request *r, struct guesses *g)
{
	if (g->whole.p)
		return g->whole;
	char *p = malloc(join(weir, r, NULL) + 1);
	if (p)
		g->whole = (struct weir_text){ p, join(weir, r, p) };
	return g->whole;
}

static bool text_holds(const struct rules *rules, const struct condition *c, struct weir_request *r, struct match *m)
{
	if (c->anywhere)
		return any_text_matches(rules, c, r, m);
	return text_matches(rules, c, c->together ? whole_text(rules->weir, r, m->guesses) : rules->weir->fact(r, WEIR_LAST_TEXT), m);
}

bool condition_holds(const struct rules *rules, const struct condition *c, struct weir_request *r, struct match *m)
{
	const struct weir_host *weir = rules->weir;
	switch (c->kind) {
	case WHEN_ALL:
		return all_hold(rules, c, r, m);
	case WHEN_ANY:
		for (const struct condition *x = c->children; x; x = x->next)
			if (condition_holds(rules, x, r, m))
				return true;
		return false;
	case WHEN_NOT:
		return holds_not(rules, c->children, r, m);
	case WHEN_ROW:
		return has_row(c, m);
	case WHEN_EXACT: case WHEN_PREFIX: case WHEN_WORDS: case WHEN_PATTERN: case WHEN_PHRASES: case WHEN_QUESTIONS: case WHEN_CLASS:
	case WHEN_CALCULATION: case WHEN_CONVERSION: case WHEN_LANGUAGE:
		return text_holds(rules, c, r, m);
	case WHEN_MODEL:      return any_like(c, weir->fact(r, WEIR_MODEL));
	case WHEN_KEY:        return any_like(c, weir->fact(r, WEIR_KEY));
	case WHEN_ENDPOINT:   return any_like(c, weir->fact(r, WEIR_ENDPOINT));
	case WHEN_TEAM:       return any_like(c, weir->fact(r, WEIR_TEAM));
	case WHEN_USER_AGENT: return any_like(c, weir->fact(r, WEIR_USER_AGENT));
	case WHEN_SESSION:    return any_like(c, weir->fact(r, WEIR_SESSION));
	case WHEN_PEER:       return any_like(c, weir->fact(r, WEIR_PEER));
	case WHEN_TAG:        return has_tag(rules, c, r);
	case WHEN_HEADER:     return has_header(rules, c, r);
	case WHEN_TIME:       return is_time(rules, c, r);
	case WHEN_MORE:       return weir->count(r, c->count) > c->number;
	case WHEN_SOME:       return (weir->count(r, c->count) > 0) == (c->number > 0);
	case WHEN_KINDS:      break;
	}
	return false;
}
