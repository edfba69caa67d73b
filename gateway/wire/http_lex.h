/*
 * http_lex.h: classes of bytes in HTTP, and the two scans everything here rests on.
 *
 * Only wire/ includes it.
 */
#ifndef WEIR_WIRE_HTTP_LEX_H
#define WEIR_WIRE_HTTP_LEX_H

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/str.h"

enum {
	LEX_TOKEN = 1,	/* RFC 9110 tchar */
	LEX_PATH = 2,	/* as in a path, `%` and `/` included */
	LEX_HOST = 4,	/* in a registered name or IPv4 address */
	LEX_DIGIT = 8,
	LEX_HEX = 16,
	LEX_V6 = 32	/* between the brackets of an IPv6 address */
};

extern const unsigned char http_lex[256];

static inline bool lex_is(char c, unsigned class)
{
	return http_lex[(unsigned char)c] & class;
}

/* True when all of `s`, which may be empty, is of the class. */
static inline bool lex_all(struct str s, unsigned class)
{
	for (size_t i = 0; i < s.n; i++)
		if (!lex_is(s.p[i], class))
			return false;
	return true;
}

/* First byte in [p, end) that no token holds. Letters, digits and `-` go by sixteen. */
static inline const char *lex_skip_token(const char *p, const char *end)
{
#if defined(__SSE2__)
	const __m128i a = _mm_set1_epi8('a'), z = _mm_set1_epi8('z'), dash = _mm_set1_epi8('-');
	const __m128i zero = _mm_set1_epi8('0'), nine = _mm_set1_epi8('9'), bit = _mm_set1_epi8(0x20);
	while (end - p >= 16) {
		__m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i low = _mm_or_si128(x, bit);
		__m128i usual = _mm_or_si128(_mm_cmpeq_epi8(_mm_max_epu8(_mm_min_epu8(low, z), a), low),
					     _mm_cmpeq_epi8(_mm_max_epu8(_mm_min_epu8(x, nine), zero), x));
		int others = _mm_movemask_epi8(_mm_or_si128(usual, _mm_cmpeq_epi8(x, dash))) ^ 0xffff;
		p += others ? __builtin_ctz((unsigned)others) : 16;
		if (others && !lex_is(*p, LEX_TOKEN))
			return p;
		p += others != 0;
	}
#endif
	while (p < end && lex_is(*p, LEX_TOKEN))
		p++;
	return p;
}

static inline const char *lex_skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

/* Value of a byte of class LEX_HEX. */
static inline unsigned lex_hex(char c)
{
	return lex_is(c, LEX_DIGIT) ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

static inline bool lex_is_text(char c)
{
	unsigned char u = (unsigned char)c;
	return (u >= ' ' && u != 0x7f) || u == '\t';
}

static inline bool lex_is_visible(char c)
{
	unsigned char u = (unsigned char)c;
	return u > ' ' && u < 0x7f;
}

/* First byte in [p, end) that is a control (but tab) or DEL; bytes above 0x7f are text. */
static inline const char *lex_skip_text(const char *p, const char *end)
{
#if defined(__SSE2__)
	const __m128i low = _mm_set1_epi8(0x1f), del = _mm_set1_epi8(0x7f), tab = _mm_set1_epi8('\t');
	while (end - p >= 16) {
		__m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i control = _mm_cmpeq_epi8(_mm_min_epu8(x, low), x);
		control = _mm_andnot_si128(_mm_cmpeq_epi8(x, tab), control);
		control = _mm_or_si128(control, _mm_cmpeq_epi8(x, del));
		int hits = _mm_movemask_epi8(control);
		if (hits)
			return p + __builtin_ctz((unsigned)hits);
		p += 16;
	}
#endif
	while (p < end && lex_is_text(*p))
		p++;
	return p;
}

/* First byte in [p, end) that is not visible ASCII (0x21 to 0x7e). */
static inline const char *lex_skip_visible(const char *p, const char *end)
{
#if defined(__SSE2__)
	/* Signed comparison: bytes above 0x7f are negative, so below a space. */
	const __m128i low = _mm_set1_epi8(0x21), del = _mm_set1_epi8(0x7f);
	while (end - p >= 16) {
		__m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
		int hits = _mm_movemask_epi8(_mm_or_si128(_mm_cmplt_epi8(x, low), _mm_cmpeq_epi8(x, del)));
		if (hits)
			return p + __builtin_ctz((unsigned)hits);
		p += 16;
	}
#endif
	while (p < end && lex_is_visible(*p))
		p++;
	return p;
}

/*
 * `s` as host or host:port, as in Host: a name, an IPv4 address or [v6]; port 0 when
 * absent. No user part, no percent-encoding; `host` is without brackets.
 */
struct lex_authority {
	struct str host;
	bool v6;
	unsigned port;
};

bool lex_authority(struct str s, struct lex_authority *out);

#endif
