/*
 * literal.c: the letters a pattern cannot do without. Whatever is not plain outside of brackets ends a run of them, and
 * what may change the meaning of the rest (options, quoting, alternatives) leaves the pattern without.
 */
#include "rules/literal.h"

#include <string.h>

enum { RUN_MAX = 32 };

struct run {
	char letters[RUN_MAX];
	unsigned n;
};

struct walk {
	struct weir_text p;
	size_t at;
	struct run now, best;
};

static void end_run(struct walk *w)
{
	if (w->now.n > w->best.n)
		w->best = w->now;
	w->now.n = 0;
}

static void add_letter(struct walk *w, char c)
{
	if (w->now.n == RUN_MAX)
		end_run(w);
	w->now.letters[w->now.n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* What the quantifier behind it is about may be absent. */
static void drop_letter(struct walk *w)
{
	w->now.n -= w->now.n > 0;
	end_run(w);
}

/* Behind a backslash. False: it may reach further than one character. */
static bool pass_escape(struct walk *w)
{
	char c = w->at < w->p.n ? w->p.p[w->at++] : 0;
	bool plain = c && (unsigned char)c < 0x80 && !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
	if (plain)
		add_letter(w, c);
	else
		end_run(w);
	return plain || (c && strchr("bBdDwWsShHvVRAzZtnrf", c));
}

/* Behind "[". False: there is a bracket in it. */
static bool pass_class(struct walk *w)
{
	end_run(w);
	w->at += w->at < w->p.n && w->p.p[w->at] == '^';
	w->at += w->at < w->p.n && w->p.p[w->at] == ']';
	for (; w->at < w->p.n && w->p.p[w->at] != ']'; w->at++) {
		if (w->p.p[w->at] == '[')
			return false;
		if (w->p.p[w->at] == '\\' && (++w->at == w->p.n || strchr("QE", w->p.p[w->at])))
			return false;
	}
	return w->at++ < w->p.n;
}

/* Behind "{": a quantifier. False: it is something else. */
static bool pass_quantifier(struct walk *w)
{
	drop_letter(w);
	for (; w->at < w->p.n && strchr("0123456789, ", w->p.p[w->at]) && w->p.p[w->at]; w->at++)
		;
	return w->at < w->p.n && w->p.p[w->at++] == '}';
}

static bool is_plain_group(const struct walk *w)
{
	const char *p = w->p.p + w->at;
	size_t n = w->p.n - w->at;
	return n && *p != '*' && (*p != '?' || (n > 1 && p[1] && strchr(":=!<>|", p[1])));
}

/* Behind "(", to its end. False: it sets an option, or is not plain. */
static bool pass_group(struct walk *w)
{
	struct run best;
	unsigned depth = 0;
	end_run(w);
	best = w->best;
	w->at--;
	do {
		char c = w->p.p[w->at++];
		if (c == '(' && !is_plain_group(w))
			return false;
		if ((c == '\\' && !pass_escape(w)) || (c == '[' && !pass_class(w)))
			return false;
		depth += c == '(';
		depth -= c == ')';
		w->now.n = 0;
	} while (depth && w->at < w->p.n);
	w->best = best;		/* what stands inside may be absent */
	return !depth;
}

static bool pass(struct walk *w)
{
	char c = w->p.p[w->at++];
	switch (c) {
	case '\\': return pass_escape(w);
	case '[':  return pass_class(w);
	case '(':  return pass_group(w);
	case '{':  return pass_quantifier(w);
	case '|':  return false;
	case '?': case '*':
		drop_letter(w);
		return true;
	case '+': case '.': case '^': case '$':
		end_run(w);
		return true;
	default:
		if ((unsigned char)c < 0x80)
			add_letter(w, c);
		else
			end_run(w);
		return true;
	}
}

static uint16_t gram(unsigned char a, unsigned char b, unsigned char c)
{
	return (uint16_t)((((uint32_t)a << 16 | (uint32_t)b << 8 | c) * UINT32_C(2654435761)) >> (32 - GRAM_BITS));
}

struct literal literal_of(struct weir_text pattern)
{
	struct walk w = { .p = pattern };
	struct literal l = { .n = 0 };
	while (w.at < pattern.n)
		if (!pass(&w))
			return l;
	end_run(&w);
	const unsigned char *s = (const unsigned char *)w.best.letters;
	for (unsigned i = 0; i + 2 < w.best.n && l.n < LITERAL_GRAMS; i++)
		l.grams[l.n++] = gram(s[i], s[i + 1], s[i + 2]);
	return l;
}

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* The Kelvin sign is a k and the long s an s. */
static bool has_odd_letters(struct weir_text t)
{
	return memmem(t.p, t.n, "\xe2\x84\xaa", 3) || memmem(t.p, t.n, "\xc5\xbf", 2);
}

void grams_make(struct grams *g, struct weir_text text)
{
	memset(g, 0, sizeof(*g));
	g->of = text;
	grams_add(g, text);
}

void grams_add(struct grams *g, struct weir_text text)
{
	g->all |= has_odd_letters(text);
	for (size_t i = 0; i + 2 < text.n; i++) {
		uint16_t v = gram(lower(text.p[i]), lower(text.p[i + 1]), lower(text.p[i + 2]));
		g->bits[v / 64] |= UINT64_C(1) << v % 64;
	}
}

bool grams_may_hold(const struct grams *g, const struct literal *l)
{
	for (unsigned i = 0; !g->all && i < l->n; i++)
		if (!(g->bits[l->grams[i] / 64] >> l->grams[i] % 64 & 1))
			return false;
	return true;
}
