/*
 * shadow.c: rules that are never reached, because one before them holds whenever they do, or that never hold.
 *
 * What cannot be told for sure (patterns, questions) counts as not told: better a missing warning than a wrong one.
 */
#include <string.h>

#include "rules/load.h"

/*
 * Lists that are longer, both together, are not compared, and of very many rules those beyond so many comparisons are not:
 * the file is read again at each reload.
 */
static const uint64_t COMPARED_MAX = 1000000, COMPARISONS_MAX = 20000000;

static _Thread_local uint64_t comparisons;

static bool implies(const struct condition *a, const struct condition *b);

static bool is_spelled(struct weir_text a, struct weir_text b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

/* "name=value" is a case of "name". */
static bool is_tag_of(struct weir_text a, struct weir_text b)
{
	return is_spelled(a, b) || (a.n > b.n && a.p[b.n] == '=' && memcmp(a.p, b.p, b.n) == 0 && !memchr(b.p, '=', b.n));
}

static bool is_like_of(struct weir_text a, struct weir_text b)
{
	return is_like(b, a);
}

/* Is each of a's values a case of one of b's? */
static bool all_in(const struct condition *a, const struct condition *b, bool (*is)(struct weir_text, struct weir_text))
{
	uint64_t both = (uint64_t)a->n * b->n;
	if (both > COMPARED_MAX)
		return false;
	comparisons += both;
	for (unsigned i = 0; i < a->n; i++) {
		unsigned k = 0;
		while (k < b->n && !is(a->values[i], b->values[k]))
			k++;
		if (k == b->n)
			return false;
	}
	return a->n > 0;
}

/* Each of a's texts holds one of b's phrases. */
static bool all_hold_phrases(const struct condition *a, const struct condition *b)
{
	struct weir_text found;
	for (unsigned i = 0; i < a->n; i++)
		if (!phrases_find(b->phrases, a->values[i], &found))
			return false;
	return a->n > 0;
}

/* Over midnight: only the same. */
static bool hours_in(const struct hours *a, const struct hours *b)
{
	bool within = a->from < a->to && b->from < b->to ? a->from >= b->from && a->to <= b->to : a->from == b->from && a->to == b->to;
	return within && !(a->days & ~b->days) && is_spelled(a->zone_name, b->zone_name);
}

static bool leaf_implies(const struct condition *a, const struct condition *b)
{
	if (a->anywhere != b->anywhere || a->together != b->together)
		return false;
	if (a->kind == WHEN_EXACT && b->kind == WHEN_PREFIX)
		return all_in(a, b, text_begins);
	if ((a->kind == WHEN_EXACT || a->kind == WHEN_PHRASES) && b->kind == WHEN_PHRASES)
		return all_hold_phrases(a, b);
	if (a->kind != b->kind)
		return false;
	switch (b->kind) {
	case WHEN_EXACT:   return all_in(a, b, text_same);
	case WHEN_PREFIX:  return all_in(a, b, text_begins);
	case WHEN_WORDS:   return all_in(b, a, text_same);
	case WHEN_PATTERN: return all_in(a, b, is_spelled);
	case WHEN_TAG:     return all_in(a, b, is_tag_of);
	case WHEN_MODEL: case WHEN_KEY: case WHEN_ENDPOINT: case WHEN_TEAM: case WHEN_USER_AGENT: case WHEN_SESSION: case WHEN_PEER:
		return all_in(a, b, is_like_of);
	case WHEN_MORE:    return a->count == b->count && a->number >= b->number;
	case WHEN_SOME:    return a->count == b->count && (a->number > 0) == (b->number > 0);
	case WHEN_CALCULATION: case WHEN_CONVERSION:
		return (a->number > 0) == (b->number > 0);
	case WHEN_LANGUAGE: return !(a->number & ~b->number);
	case WHEN_HEADER:  return text_same(a->name, b->name) && (!b->n || all_in(a, b, is_like_of));
	case WHEN_TIME:    return hours_in(&a->hours, &b->hours);
	case WHEN_QUESTIONS:
		return b->question_file.n && is_spelled(a->question_file, b->question_file) && a->least >= b->least;
	case WHEN_CLASS:   return a->model == b->model && !(a->number & ~b->number) && a->least >= b->least;
	default:           return false;
	}
}

static bool any_implies(const struct condition *list, const struct condition *b)
{
	while (list && !implies(list, b))
		list = list->next;
	return list;
}

static bool all_imply(const struct condition *list, const struct condition *b)
{
	if (!list)
		return false;
	while (list && implies(list, b))
		list = list->next;
	return !list;
}

/* Does b hold whenever a does? */
static bool implies(const struct condition *a, const struct condition *b)
{
	const struct condition *x = b->children;
	comparisons++;
	if (b->kind == WHEN_ALL) {
		while (x && implies(a, x))
			x = x->next;
		return !x;
	}
	if (a->kind == WHEN_ANY && all_imply(a->children, b))
		return true;
	if (a->kind == WHEN_ALL && any_implies(a->children, b))
		return true;
	if (b->kind == WHEN_ANY) {
		while (x && !implies(a, x))
			x = x->next;
		return x;
	}
	if (a->kind == WHEN_NOT && b->kind == WHEN_NOT)
		return implies(b->children, a->children);
	return leaf_implies(a, b);
}

/* Two that cannot hold at once: languages or days with none in common. */
static bool exclude(const struct condition *a, const struct condition *b)
{
	if (a->kind == WHEN_LANGUAGE && b->kind == WHEN_LANGUAGE)
		return !(a->number & b->number);
	return a->kind == WHEN_TIME && b->kind == WHEN_TIME && a->hours.from < a->hours.to && b->hours.from < b->hours.to &&
	       is_spelled(a->hours.zone_name, b->hours.zone_name) &&
	       (!(a->hours.days & b->hours.days) || a->hours.to <= b->hours.from || b->hours.to <= a->hours.from);
}

static bool excludes_any(const struct condition *x, const struct condition *all)
{
	if (all->kind != WHEN_ALL)
		return exclude(x, all);
	for (const struct condition *y = all->children; y; y = y->next)
		if (excludes_any(x, y))
			return true;
	return false;
}

/* All of `part`, which is in `all`, together: something of it not, or two that exclude each other. */
static bool contradicts(const struct condition *part, const struct condition *all)
{
	for (const struct condition *x = part->children; x; x = x->next)
		if ((x->kind == WHEN_NOT && implies(all, x->children)) || (x->kind == WHEN_ALL ? contradicts(x, all) : excludes_any(x, all)))
			return true;
	return false;
}

static bool never_holds(const struct condition *all)
{
	return contradicts(all, all);
}

static const struct rule *shadow_of(const struct rules *rules, const struct rule *r)
{
	const struct rule *b = rules->first;
	while (b != r && b->when && !(r->when && implies(r->when, b->when)))
		b = b->next;
	return b == r ? NULL : b;
}

void tell_shadows(struct load *l, const struct rules *rules)
{
	const struct rule *r = rules->first;
	for (comparisons = 0; r && comparisons < COMPARISONS_MAX; r = r->next) {
		const struct rule *b = shadow_of(rules, r);
		if (b)
			l->weir->tell(l->setup, WEIR_WARNING, l->file, r->line, r->column,
				      "rule `%s` is never reached: `%s` before it takes everything%s", r->name, b->name,
				      b->when ? " that it would" : "");
		else if (r->when && never_holds(r->when))
			l->weir->tell(l->setup, WEIR_WARNING, l->file, r->line, r->column,
				      "rule `%s` never matches: its conditions exclude each other", r->name);
	}
	if (r)
		l->weir->tell(l->setup, WEIR_NOTE, l->file, r->line, r->column,
			      "from rule `%s` on it is not told which rules are never reached: there are too many to compare", r->name);
}
