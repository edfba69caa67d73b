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

bool buf_add(struct buf *b, struct str s)
{
	if (!buf_reserve(b, s.n))
		return false;
	if (s.n)
		memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
	return true;
}

bool buf_addc(struct buf *b, char c)
{
	return buf_add(b, str_of(&c, 1));
}

bool buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	bool ok = n >= 0 && buf_reserve(b, (size_t)n + 1);
	if (ok) {
		vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	} else {
		b->failed = true;
	}
	va_end(again);
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

static bool add_json_char(struct buf *b, struct str s, size_t *taken)
{
	unsigned char c = (unsigned char)s.p[0];
	*taken = 1;
	switch (c) {
	case '"':  return buf_add(b, STR("\\\""));
	case '\\': return buf_add(b, STR("\\\\"));
	case '\n': return buf_add(b, STR("\\n"));
	case '\r': return buf_add(b, STR("\\r"));
	case '\t': return buf_add(b, STR("\\t"));
	default: break;
	}
	if (c < 0x20 || c == 0x7f)
		return buf_addf(b, "\\u%04x", c);
	size_t n = utf8_length(s);
	if (n == 0)
		return buf_add(b, STR("\\ufffd"));
	*taken = n;
	return buf_add(b, str_head(s, n));
}

bool buf_add_json(struct buf *b, struct str s)
{
	bool ok = buf_addc(b, '"');
	while (ok && s.n) {
		size_t plain = 0;
		while (plain < s.n && (unsigned char)s.p[plain] >= 0x20 && (unsigned char)s.p[plain] < 0x7f &&
		       s.p[plain] != '"' && s.p[plain] != '\\')
			plain++;
		ok = buf_add(b, str_head(s, plain));
		s = str_skip(s, plain);
		if (ok && s.n) {
			size_t taken;
			ok = add_json_char(b, s, &taken);
			s = str_skip(s, taken);
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
