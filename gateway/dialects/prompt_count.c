/*
 * prompt_count.c: units of one text.
 *
 * Byte-pair tokenizers agree on the coarse things: a common word is a token, a long one two or three, three
 * digits are one, a run of punctuation one or two, a Chinese character about one. The rest is
 * the regression's business (core/estimate.h).
 *
 * A unit for each run of a class and for each so many bytes more of it. Where the machine has vectors, 64 bytes at a
 * time are told apart into bits, and runs are counted in those.
 */
#include "dialects/prompt_count.h"

enum { LONG_WORD = 8, LONG_NUMBER = 3, LONG_MARK = 3, UNIT = 20, CHARACTER = 19 };

/* BEHIND: a later byte of the character before it. */
enum class { SPACE, LINE, LETTER, DIGIT, MARK, FOREIGN, BEHIND, ESCAPE };

#define S SPACE
#define L LETTER
#define D DIGIT
#define M MARK
#define F FOREIGN
#define B BEHIND
static const uint8_t classes[256] = {
	S, S, S, S, S, S, S, S, S, S, LINE, S, S, LINE, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S,
	S, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, D, D, D, D, D, D, D, D, D, D, M, M, M, M, M, M,
	M, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, M, ESCAPE, M, M, M,
	M, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, M, M, M, M, M,
	B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B,
	B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B,
	F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F,
	F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F,
};
#undef S
#undef L
#undef D
#undef M
#undef F
#undef B

/* The run of one class that goes on, and what was counted before it, in twentieths of a unit. */
struct tally {
	uint64_t units;
	enum class class;
	uint32_t run;
};

static uint32_t weigh(enum class class, uint32_t run)
{
	switch (class) {
	case LETTER:  return UNIT * ((run + LONG_WORD - 1) / LONG_WORD);
	case DIGIT:   return UNIT * ((run + LONG_NUMBER - 1) / LONG_NUMBER);
	case MARK:    return UNIT * ((run + LONG_MARK - 1) / LONG_MARK);
	case LINE:    return run ? 14 : 0;
	case FOREIGN: return CHARACTER * run;
	default:      return 0;
	}
}

static void begin_run(struct tally *t, enum class class, uint32_t run)
{
	t->units += weigh(t->class, t->run);
	t->class = class;
	t->run = run;
}

/* What is escaped by the backslash before `*i`, which moves behind it. */
static enum class escaped(struct str s, size_t *i)
{
	char e = *i < s.n ? s.p[(*i)++] : ' ';
	if (e == 'u')
		*i += s.n - *i < 4 ? s.n - *i : 4;
	return e == 'n' || e == 'r' ? LINE : e == 't' ? SPACE : e == 'u' ? FOREIGN : MARK;
}

/* Byte by byte from `i` to `end` at least; returns where it stopped. */
static size_t count_bytes(struct str s, size_t i, size_t end, struct tally *t)
{
	while (i < end) {
		enum class c = classes[(unsigned char)s.p[i++]];
		if (c == ESCAPE)
			c = escaped(s, &i);
		if (c == t->class)
			t->run++;
		else if (c != BEHIND)
			begin_run(t, c, 1);
	}
	return i;
}

#if defined(__x86_64__)
#include <immintrin.h>

/* Compiled twice: for every such machine, and for those of the last ten years. */
#define BOTH __attribute__((always_inline)) static inline
#define WIDE __attribute__((target("avx2,bmi,popcnt")))

enum { BLOCK = 64, WORTH = 16 };

/* A bit for each byte; `other`: what is not told apart here, escapes and controls. */
struct block {
	uint64_t letters, digits, marks, spaces, foreign, other;
};

BOTH __m128i below(__m128i v, char n)
{
	return _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8((char)(n - 1))), v);
}

BOTH uint64_t bits(__m128i v, unsigned at)
{
	return (uint64_t)(unsigned)_mm_movemask_epi8(v) << at;
}

BOTH void read_block(const char *p, struct block *b)
{
	uint64_t letters = 0, digits = 0, spaces = 0, beyond = 0, behind = 0, other = 0;
	for (unsigned at = 0; at < BLOCK; at += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
		__m128i lower = _mm_or_si128(v, _mm_set1_epi8(0x20));
		letters |= bits(below(_mm_sub_epi8(lower, _mm_set1_epi8('a')), 26), at);
		digits |= bits(below(_mm_sub_epi8(v, _mm_set1_epi8('0')), 10), at);
		spaces |= bits(_mm_cmpeq_epi8(v, _mm_set1_epi8(' ')), at);
		beyond |= bits(v, at);		/* ASCII */
		behind |= bits(_mm_cmplt_epi8(v, _mm_set1_epi8((char)0xC0)), at);
		other |= bits(_mm_or_si128(below(v, 0x20), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))), at);
	}
	*b = (struct block){ letters, digits, ~(letters | digits | spaces | beyond), spaces, beyond & ~behind, other };
}

WIDE static inline __m256i wide_below(__m256i v, char n)
{
	return _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8((char)(n - 1))), v);
}

WIDE static inline uint64_t wide_bits(__m256i v, unsigned at)
{
	return (uint64_t)(uint32_t)_mm256_movemask_epi8(v) << at;
}

/* The same, 32 bytes at a time. */
WIDE static inline void read_wide_block(const char *p, struct block *b)
{
	uint64_t letters = 0, digits = 0, spaces = 0, beyond = 0, behind = 0, other = 0;
	for (unsigned at = 0; at < BLOCK; at += 32) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(p + at));
		__m256i lower = _mm256_or_si256(v, _mm256_set1_epi8(0x20));
		letters |= wide_bits(wide_below(_mm256_sub_epi8(lower, _mm256_set1_epi8('a')), 26), at);
		digits |= wide_bits(wide_below(_mm256_sub_epi8(v, _mm256_set1_epi8('0')), 10), at);
		spaces |= wide_bits(_mm256_cmpeq_epi8(v, _mm256_set1_epi8(' ')), at);
		beyond |= wide_bits(v, at);
		behind |= wide_bits(_mm256_cmpgt_epi8(_mm256_set1_epi8((char)0xC0), v), at);
		other |= wide_bits(_mm256_or_si256(wide_below(v, 0x20), _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\'))), at);
	}
	*b = (struct block){ letters, digits, ~(letters | digits | spaces | beyond), spaces, beyond & ~behind, other };
}

BOTH unsigned ones_at_end(uint64_t m)
{
	return ~m ? (unsigned)__builtin_ctzll(~m) : 64;
}

BOTH unsigned ones_at_top(uint64_t m)
{
	return ~m ? (unsigned)__builtin_clzll(~m) : 64;
}

BOTH uint64_t first_bits(unsigned n)
{
	return n < 64 ? (UINT64_C(1) << n) - 1 : ~UINT64_C(0);
}

BOTH uint64_t count_bits(uint64_t m)
{
	return (uint64_t)__builtin_popcountll(m);
}

BOTH uint64_t begins(uint64_t m)
{
	return m & ~(m << 1);
}

/* Bytes that have so many of their run before them. */
BOTH uint64_t beyond_3(uint64_t m)
{
	return m & m << 1 & m << 2 & m << 3;
}

BOTH uint64_t beyond_8(uint64_t m)
{
	uint64_t two = m & m << 1, four = two & two << 2;
	return four & four << 4 & m << 8;
}

/* Of long runs: a unit for each `step` bytes more that are begun. */
BOTH uint64_t count_more(uint64_t beyond, unsigned step)
{
	uint64_t n = 0;
	while (beyond) {
		unsigned from = (unsigned)__builtin_ctzll(beyond), run = ones_at_end(beyond >> from);
		n += (run + step - 1) / step;
		beyond &= ~(first_bits(run) << from);
	}
	return n;
}

/* Other scripts count by character, so their runs need not be known. */
BOTH uint64_t *mask_of(struct block *b, enum class class)
{
	switch (class) {
	case LETTER: return &b->letters;
	case DIGIT:  return &b->digits;
	case MARK:   return &b->marks;
	case SPACE:  return &b->spaces;
	default:     return NULL;
	}
}

BOTH enum class class_at(const struct block *b, uint64_t bit)
{
	return b->letters & bit ? LETTER : b->digits & bit ? DIGIT : b->marks & bit ? MARK : b->spaces & bit ? SPACE : FOREIGN;
}

BOTH void block_head(struct block *b, unsigned n)
{
	uint64_t all = first_bits(n);
	b->letters &= all;
	b->digits &= all;
	b->marks &= all;
	b->spaces &= all;
	b->foreign &= all;
}

/* The first `n` bytes of a block, which hold nothing other. The run before them may go on, and their last one may. */
BOTH void count_block(struct block *b, unsigned n, struct tally *t)
{
	if (n < BLOCK)
		block_head(b, n);
	uint64_t *mask = mask_of(b, t->class);
	unsigned more = mask ? ones_at_end(*mask) : 0, run = 0;
	t->run += more;
	if (more == n)
		return;
	if (mask)
		*mask &= ~first_bits(more);
	enum class class = class_at(b, UINT64_C(1) << (n - 1));
	mask = mask_of(b, class);
	if (mask) {
		run = ones_at_top(*mask << (BLOCK - n));
		*mask &= first_bits(n - run);
	}
	begin_run(t, class, run);
	t->units += CHARACTER * count_bits(b->foreign) +
		    UNIT * (count_bits(begins(b->letters) | begins(b->digits) | begins(b->marks)) + count_more(beyond_8(b->letters), LONG_WORD) +
			    count_more(beyond_3(b->digits), LONG_NUMBER) + count_more(beyond_3(b->marks), LONG_MARK));
}

BOTH void count_blocks(struct str s, struct tally *t, void (*read)(const char *p, struct block *b))
{
	for (size_t i = 0; i < s.n;) {
		size_t left = s.n - i;
		const char *p = s.p + i;
		char copy[BLOCK];
		struct block b;
		if (left < WORTH) {
			count_bytes(s, i, s.n, t);
			return;
		}
		if (left < BLOCK) {
			memset(copy, 0, sizeof(copy));	/* zeros are other */
			p = memcpy(copy, p, left);
		}
		read(p, &b);
		unsigned n = b.other ? (unsigned)__builtin_ctzll(b.other) : BLOCK;
		if (n)
			count_block(&b, n, t);
		i += n;
		if (n < WORTH)
			i = count_bytes(s, i, i + WORTH < s.n ? i + WORTH : s.n, t);
		else if (n < BLOCK && i < s.n)
			i = count_bytes(s, i, i + 1, t);
	}
}

WIDE static void count_wide(struct str s, struct tally *t)
{
	count_blocks(s, t, read_wide_block);
}

static void count_all(struct str s, struct tally *t)
{
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt"))
		count_wide(s, t);
	else
		count_blocks(s, t, read_block);
}
#else
static void count_all(struct str s, struct tally *t)
{
	count_bytes(s, 0, s.n, t);
}
#endif

float prompt_count(struct str s)
{
	struct tally t = { .class = SPACE };
	count_all(s, &t);
	return (float)(t.units + weigh(t.class, t.run)) / UNIT;
}
