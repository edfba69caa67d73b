/*
 * str.h: a string that is looked at, not owned: a pointer and a length.
 *
 * NUL is data like any other byte. Nothing here allocates. Whoever hands a
 * struct str out says how long its bytes live.
 */
#ifndef WEIR_BASE_STR_H
#define WEIR_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"

struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_INIT(literal) { "" literal, sizeof(literal) - 1 }	/* for static tables */
#define STR_NONE ((struct str){ NULL, 0 })
#define STR_FMT(s) (int)(s).n, (s).p	/* for "%.*s" */

static inline struct str str_of(const char *p, size_t n) { return (struct str){ p, n }; }
static inline struct str str_c(const char *c) { return (struct str){ c, c ? strlen(c) : 0 }; }
static inline bool str_empty(struct str s) { return s.n == 0; }

static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline struct str str_skip(struct str s, size_t n)
{
	return n < s.n ? (struct str){ s.p + n, s.n - n } : (struct str){ s.p + s.n, 0 };
}

static inline struct str str_head(struct str s, size_t n)
{
	return (struct str){ s.p, n < s.n ? n : s.n };
}

/* ASCII case-insensitive. */
bool str_ieq(struct str a, struct str b);
bool str_istarts(struct str s, struct str prefix);

bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);

/* Index of the first match, or -1. */
ptrdiff_t str_chr(struct str s, char c);
ptrdiff_t str_rchr(struct str s, char c);
ptrdiff_t str_find(struct str s, struct str needle);
static inline bool str_has(struct str s, struct str needle) { return str_find(s, needle) >= 0; }

/* ASCII case-insensitive search; for short texts such as error messages. */
bool str_ihas(struct str s, struct str needle);

/* Without leading and trailing spaces and tabs. */
struct str str_trim(struct str s);

/*
 * Takes the part before the first `sep` off `*rest` and returns it; the whole
 * of it when there is none. False when nothing is left.
 */
bool str_split(struct str *rest, char sep, struct str *part);

/* Decimal digits only, the whole of `s`; false on anything else or overflow. */
bool str_u64(struct str s, uint64_t *out) must_check;

/* The other way round: written to the end of `room`. */
enum { STR_DIGITS = 20 };
static inline struct str str_digits(char room[STR_DIGITS], uint64_t n)
{
	size_t at = STR_DIGITS;
	do
		room[--at] = (char)('0' + n % 10);
	while (n /= 10);
	return str_of(room + at, STR_DIGITS - at);
}

/* Is it one of these words, which blanks separate? */
bool str_among(struct str word, const char *words);

/* `*` matches any run of bytes, also none; no other character is special. */
bool str_glob(struct str pattern, struct str s);

/* Edit distance (Levenshtein), capped at 64 characters a side: for "did you mean". */
unsigned str_distance(struct str a, struct str b);

/* A 64-bit hash for tables (not for secrets); seeded for those that hold callers' text. Another one with each byte order. */
uint64_t str_hash(struct str s);
uint64_t str_hash_seeded(uint64_t seed, struct str s);

#endif
