/*
 * buf.c: a growing byte buffer with a ceiling.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { SMALLEST = 256 };

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf)BUF_INIT(max);
}

void buf_free(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->failed = false;
}

static bool refuse(struct buf *b)
{
	b->failed = true;
	return false;
}

bool buf_reserve(struct buf *b, size_t more)
{
	size_t need;
	if (__builtin_add_overflow(b->n, more, &need) || need > b->max)
		return refuse(b);
	if (need <= b->cap)
		return true;
	size_t cap = b->cap ? b->cap : SMALLEST;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (cap > b->max && b->max >= need)
		cap = b->max;
	char *p = realloc(b->p, cap);
	if (!p)
		return refuse(b);
	b->p = p;
	b->cap = cap;
	return true;
}

bool buf_add_grown(struct buf *b, struct str s)
{
	return buf_reserve(b, s.n) && buf_add(b, s);
}

bool buf_addd(struct buf *b, int64_t number)
{
	char room[STR_DIGITS];
	if (number < 0 && !buf_addc(b, '-'))
		return false;
	return buf_add(b, str_digits(room, number < 0 ? 0 - (uint64_t)number : (uint64_t)number));
}

bool buf_add_part(struct buf *b, struct str s)
{
	return buf_addd(b, (int64_t)s.n) && buf_addc(b, ':') && buf_add(b, s);
}

bool buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	size_t room = b->cap - b->n;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(room ? b->p + b->n : NULL, room, fmt, ap);
	va_end(ap);
	bool fits = n >= 0 && (size_t)n < room, ok = fits || (n >= 0 && buf_reserve(b, (size_t)n + 1));
	if (ok && !fits)
		vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
	va_end(again);
	if (ok)
		b->n += (size_t)n;
	else
		b->failed = true;
	return ok;
}

/* Length of the valid UTF-8 character at s, 0 where there is none. RFC 3629. */
static size_t utf8_length(struct str s)
{
	const unsigned char *u = (const unsigned char *)s.p;
	size_t n = u[0] < 0x80 ? 1 : u[0] < 0xC2 ? 0 : u[0] < 0xE0 ? 2 : u[0] < 0xF0 ? 3 : u[0] < 0xF5 ? 4 : 0;
	if (n == 0 || n > s.n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((u[i] & 0xC0) != 0x80)
			return 0;
	if ((u[0] == 0xE0 && u[1] < 0xA0) || (u[0] == 0xED && u[1] > 0x9F) ||
	    (u[0] == 0xF0 && u[1] < 0x90) || (u[0] == 0xF4 && u[1] > 0x8F))
		return 0;
	return n;
}

static bool add_escaped(struct buf *b, unsigned char c)
{
	switch (c) {
	case '"':  return buf_add(b, STR("\\\""));
	case '\\': return buf_add(b, STR("\\\\"));
	case '\n': return buf_add(b, STR("\\n"));
	case '\r': return buf_add(b, STR("\\r"));
	case '\t': return buf_add(b, STR("\\t"));
	default: break;
	}
	return c < 0x80 ? buf_addf(b, "\\u%04x", c) : buf_add(b, STR("\\ufffd"));
}

#define EIGHT(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Not 0: one of these eight bytes is zero. */
static uint64_t zero_in(uint64_t word)
{
	return (word - EIGHT(0x01)) & ~word & EIGHT(0x80);
}

/* Visible ASCII or blanks, and none that JSON escapes; some that are may be called otherwise. */
static bool plain_eight(const char *p)
{
	uint64_t word;
	memcpy(&word, p, sizeof(word));
	uint64_t controls = (word - EIGHT(0x20)) & ~word, others = zero_in(word ^ EIGHT('"')) | zero_in(word ^ EIGHT('\\')) | zero_in(word ^ EIGHT(0x7f));
	return !((word | controls | others) & EIGHT(0x80));
}

/* How far it goes without anything to be escaped or replaced. */
static size_t plain_length(struct str s)
{
	size_t at = 0;
	while (at < s.n) {
		size_t left = s.n - at;
		if (s.n >= 8 && plain_eight(s.p + (left < 8 ? s.n - 8 : at))) {
			at += left < 8 ? left : 8;
			continue;
		}
		unsigned char c = (unsigned char)s.p[at];
		size_t n = c < 0x80 ? c >= 0x20 && c != '"' && c != '\\' && c != 0x7f : utf8_length(str_skip(s, at));
		if (n == 0)
			break;
		at += n;
	}
	return at;
}

bool buf_add_json(struct buf *b, struct str s)
{
	bool ok = buf_addc(b, '"');
	while (ok && s.n) {
		size_t plain = plain_length(s);
		ok = buf_add(b, str_head(s, plain));
		s = str_skip(s, plain);
		if (ok && s.n) {
			ok = add_escaped(b, (unsigned char)s.p[0]);
			s = str_skip(s, 1);
		}
	}
	return ok && buf_addc(b, '"');
}

void buf_consume(struct buf *b, size_t n)
{
	if (n >= b->n) {
		b->n = 0;
		return;
	}
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}
