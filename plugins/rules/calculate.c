/*
 * calculate.c: "what is 12*(3+4)?". The whole text has to be a calculation, after words that ask for one; whatever is
 * not clear (dates, 24/7, 2(3), a decimal comma) is left to somebody else.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "rules/calculate.h"

enum { TEXT_MAX = 200, NESTED_MAX = 32 };

/* Beyond it digits would get lost. */
static const long double LARGEST = 1e15L;

struct sum {
	const char *p, *end;
	unsigned depth, operators, slashes, hyphens;
	bool bad, spaced, other, commas;
};

static void skip_spaces(struct sum *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++, s->spaced = true;
}

/* Longer spellings stand before those that they begin with. */
static const struct { const char *spelled; char sign; } operators[] = {
	{ "divided by", '/' }, { "multiplied by", '*' }, { "times", '*' }, { "plus", '+' }, { "minus", '-' }, { "of", 'o' },
	{ "**", '^' }, { "\xc3\x97", '*' }, { "\xc3\xb7", '/' }, { "\xc2\xb7", '*' }, { "\xe2\x88\x92", '-' },
	{ "x", '*' }, { "*", '*' }, { "/", '/' }, { "+", '+' }, { "-", '-' }, { "^", '^' },
};

/* The operator that stands next, and its length; 0: none. */
static char operator_at(struct sum *s, size_t *length)
{
	skip_spaces(s);
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		*length = strlen(operators[i].spelled);
		if ((size_t)(s->end - s->p) >= *length && strncasecmp(s->p, operators[i].spelled, *length) == 0)
			return operators[i].sign;
	}
	return 0;
}

static bool take(struct sum *s, char sign)
{
	size_t n;
	if (operator_at(s, &n) != sign)
		return false;
	s->operators++;
	s->slashes += *s->p == '/';
	s->hyphens += *s->p == '-';
	s->other |= *s->p != '/' && *s->p != '-' && *s->p != 'x';
	s->p += n;
	return true;
}

static long double fail(struct sum *s)
{
	s->bad = true;
	return 0;
}

static bool is_digit(const struct sum *s, ptrdiff_t at)
{
	return s->end - s->p > at && s->p[at] >= '0' && s->p[at] <= '9';
}

/* Commas stand before groups of three digits, or are not understood. */
static bool take_comma(struct sum *s)
{
	if (s->p == s->end || *s->p != ',')
		return false;
	if (!is_digit(s, 1) || !is_digit(s, 2) || !is_digit(s, 3) || is_digit(s, 4))
		s->bad = true;
	s->p++;
	return s->commas = true;
}

static long double number(struct sum *s)
{
	long double v = 0, unit = 1;
	const char *began = s->p;
	if (!is_digit(s, 0) && !(s->p < s->end && *s->p == '.' && is_digit(s, 1)))
		return fail(s);
	bool hex = s->end - s->p > 1 && (s->p[1] | 0x20) == 'x';
	if (*began == '0' && (is_digit(s, 1) || hex))	/* 555-0123 is no calculation, nor is 0x10 */
		return fail(s);
	while (is_digit(s, 0) || (s->p != began && !s->bad && take_comma(s)))
		if (is_digit(s, 0))
			v = v * 10 + (*s->p++ - '0');
	if (s->p < s->end && *s->p == '.' && is_digit(s, 1))
		for (s->p++; is_digit(s, 0); s->p++)
			v = v * 10 + (*s->p - '0'), unit *= 10;
	if (s->p < s->end && *s->p == '.' && s->p + 1 < s->end)
		return fail(s);
	return s->p - began > 18 ? fail(s) : v / unit;
}

static long double added(struct sum *s);

static bool take_byte(struct sum *s, char c)
{
	skip_spaces(s);
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

/* A number, a number's per cent of something, or what stands in brackets. */
static long double operand(struct sum *s)
{
	if (++s->depth > NESTED_MAX)
		return fail(s);
	long double v;
	if (take_byte(s, '(')) {
		v = added(s);
		if (!take_byte(s, ')'))
			s->bad = true;
		s->other = true;
	} else {
		v = number(s);
		size_t n;
		if (take_byte(s, '%')) {
			v /= 100;
			s->bad |= operator_at(s, &n) != 'o';
		} else if (operator_at(s, &n) == 'o') {
			s->bad = true;
		}
	}
	s->depth--;
	return s->bad ? 0 : v;
}

static long double signed_power(struct sum *s);

static long double power(struct sum *s)
{
	long double v = operand(s);
	if (s->bad || !take(s, '^'))
		return v;
	long double e = signed_power(s);
	return s->bad || (v == 0 && e <= 0) || fabsl(e) > 1000 ? fail(s) : powl(v, e);
}

/* -2^2 is -4. */
static long double signed_power(struct sum *s)
{
	size_t n;
	if (++s->depth > NESTED_MAX)
		return fail(s);
	bool minus = operator_at(s, &n) == '-';
	if (minus)
		s->p += n;
	long double v = minus ? -signed_power(s) : power(s);
	s->depth--;
	return v;
}

static long double multiplied(struct sum *s)
{
	long double v = signed_power(s);
	while (!s->bad) {
		if (take(s, '*') || take(s, 'o')) {
			v *= signed_power(s);
		} else if (take(s, '/')) {
			long double by = signed_power(s);
			v = by == 0 ? fail(s) : v / by;
		} else {
			break;
		}
	}
	return v;
}

static long double added(struct sum *s)
{
	long double v = multiplied(s);
	while (!s->bad) {
		if (take(s, '+'))
			v += multiplied(s);
		else if (take(s, '-'))
			v -= multiplied(s);
		else
			break;
	}
	return v;
}

bool number_spell(long double v, int digits, char out[NUMBER_MAX])
{
	if (!isfinite(v) || fabsl(v) >= LARGEST || (v != 0 && fabsl(v) < 1e-12L))
		return false;
	int whole = v == 0 ? 1 : (int)floorl(log10l(fabsl(v))) + 1, after = whole > digits ? 0 : digits - whole;
	snprintf(out, NUMBER_MAX, "%.*Lf", after > 20 ? 20 : after, v);
	char *end = out + strlen(out);
	if (strchr(out, '.')) {
		while (end[-1] == '0')
			*--end = 0;
		if (end[-1] == '.')
			*--end = 0;
	}
	if (strcmp(out, "-0") == 0)
		strcpy(out, "0");
	return true;
}

bool take_words(struct weir_text *t, const char *words)
{
	size_t n = strlen(words);
	while (t->n && (*t->p == ' ' || *t->p == ',' || *t->p == '\n'))
		t->p++, t->n--;
	if (t->n <= n || strncasecmp(t->p, words, n) != 0 || (t->p[n] != ' ' && t->p[n] != ','))
		return false;
	t->p += n;
	t->n -= n;
	return true;
}

void take_courtesies(struct weir_text *t)
{
	static const char *const words[] = { "hi", "hello", "hey", "please", "can you", "could you", "tell me", "then" };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (take_words(t, words[i]))
			i = (size_t)-1;
}

void drop_end(struct weir_text *t)
{
	while (t->n && strchr(" \t\r\n?!=", t->p[t->n - 1]))
		t->n--;
	if (t->n && t->p[t->n - 1] == '.')
		t->n--;
	while (t->n && t->p[0] == ' ')
		t->p++, t->n--;
	if (t->n > 7 && strncasecmp(t->p + t->n - 7, " please", 7) == 0)
		t->n -= 7;
}

/* 2: a calculation is asked for, 1: something is asked, 0: nothing said. */
static int take_asking(struct weir_text *t)
{
	static const char *const sure[] = { "calculate", "compute", "evaluate", "how much is", "what is the result of", "what does" };
	static const char *const maybe[] = { "what is", "what's", "whats", "what are", "solve" };
	take_courtesies(t);
	for (size_t i = 0; i < sizeof(sure) / sizeof(sure[0]); i++)
		if (take_words(t, sure[i]))
			return 2;
	for (size_t i = 0; i < sizeof(maybe) / sizeof(maybe[0]); i++)
		if (take_words(t, maybe[i]))
			return 1;
	return 0;
}

/* 9/11, 24/7, 2024-11-28, 555-1234 and 1920x1080 are something else as a rule. */
static bool is_doubtful(const struct sum *s, int asked)
{
	if (asked == 2)
		return false;
	bool plain = !s->other && !s->spaced;
	return plain && (s->slashes || s->hyphens > 1 || !asked);
}

bool calculate(struct weir_text text, struct worked *out)
{
	if (text.n > TEXT_MAX)
		return false;
	int asked = take_asking(&text);
	drop_end(&text);
	struct sum s = { .p = text.p, .end = text.p + text.n };
	long double v = added(&s);
	bool ended = s.p == s.end;	/* white space at the end is gone already */
	if (s.bad || !ended || !s.operators || is_doubtful(&s, asked) || (s.commas && !asked))
		return false;
	out->asked = text;
	out->unit = "";
	return number_spell(v, fabsl(v) < 1e10L ? 12 : 15, out->result);
}
